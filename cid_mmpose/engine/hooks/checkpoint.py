"""Checkpoints that are whole, hold finite numbers, and replace an older one only when they are on the disk."""

import os.path as osp
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from mmengine import hooks
from mmengine.dist import is_main_process
from mmengine.fileio import LocalBackend, register_backend
from mmengine.model import is_model_wrapper
from mmengine.optim import OptimWrapper
from mmengine.runner import Runner
from torch import Tensor

from cid_mmpose.errors import RunStopped
from cid_mmpose.files import remove_partial, write_whole
from cid_mmpose.registry import HOOKS

from .finite import which_not_finite

WHOLE = 'cid_mmpose.whole'  # the name of our file backend with mmengine
NOTE = 'last_checkpoint'  # the file by which mmengine finds the one to resume


class WholeFiles(LocalBackend):
    """mmengine's files on this machine's disks, written whole or not at all."""

    def put(self, obj: bytes, filepath: str) -> None:
        """Writes a file; see ``write_whole``."""
        write_whole(filepath, obj)


register_backend(WHOLE, WholeFiles, force=True)


class _RemovesLater:
    """A file backend that only notes what is to be removed, until it is told that the new file is there."""

    def __init__(self, backend: Any) -> None:
        self.backend = backend
        self.outdated: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.backend, name)

    def remove(self, path: str) -> None:
        """Notes a file."""
        self.outdated.append(path)

    rmtree = remove

    def remove_now(self, kept: list[str]) -> None:
        """Removes what was noted, except for what is there anew.

        Args:
            kept: paths that stay.
        """
        for path in self.outdated:
            if path in kept:
                continue
            if self.backend.isfile(path):
                self.backend.remove(path)
            elif self.backend.isdir(path):  # DeepSpeed's checkpoints
                self.backend.rmtree(path)
        self.outdated = []


@HOOKS.register_module()
class CheckpointHook(hooks.CheckpointHook):
    """mmengine's hook, which never loses a good checkpoint.

    A checkpoint is written under another name and renamed when it is on the disk; the same for ``last_checkpoint``.
    Older ones are removed after that. Weights, running means or moments of the optimizer that are NaN or infinite
    are not written at all.

    Args:
        **kwargs: as mmengine's hook. With ``backend_args`` or ``file_client_args``, for files elsewhere, it depends on
            that backend whether files are written whole.

    Raises:
        RunStopped: a checkpoint cannot be written, or would hold numbers that are not finite.
    """

    def before_train(self, runner: Runner) -> None:
        """As mmengine's; also removes what a killed run left half-written."""
        super().before_train(runner)
        if isinstance(self.file_backend, LocalBackend) and not (self.backend_args or self.file_client_args):
            self.backend_args = dict(backend=WHOLE)
            if is_main_process():
                remove_partial(self.out_dir)
        self.file_backend = _RemovesLater(self.file_backend)

    def _save_checkpoint_with_step(self, runner: Runner, step: int, meta: dict) -> None:
        """Writes the checkpoint of an epoch or iteration, then the note of it, then removes what is one too many."""
        name = self.filename_tmpl.format(step)
        self._take_in(runner, step)
        self.last_ckpt = self.file_backend.join_path(self.out_dir, name)
        runner.message_hub.update_info('last_ckpt', self.last_ckpt)
        with self._saving(runner):
            runner.save_checkpoint(
                self.out_dir,
                name,
                self.file_client_args,
                save_optimizer=self.save_optimizer,
                save_param_scheduler=self.save_param_scheduler,
                meta=meta,
                by_epoch=self.by_epoch,
                backend_args=self.backend_args,
                **self.args,
            )
            if is_main_process():
                write_whole(osp.join(runner.work_dir, NOTE), self.last_ckpt.encode())
                self.file_backend.remove_now([self.last_ckpt])

    def _take_in(self, runner: Runner, step: int) -> None:
        """Counts a step among those that are kept, and notes the file of the one that has to go."""
        if self.max_keep_ckpts <= 0 or step in self.keep_ckpt_ids:
            return
        if len(self.keep_ckpt_ids) == self.max_keep_ckpts:
            oldest = self.filename_tmpl.format(self.keep_ckpt_ids.popleft())
            self.file_backend.remove(self.file_backend.join_path(self.out_dir, oldest))
        self.keep_ckpt_ids.append(step)
        runner.message_hub.update_info('keep_ckpt_ids', list(self.keep_ckpt_ids))

    def _save_best_checkpoint(self, runner: Runner, metrics: dict[str, float]) -> None:
        """As mmengine's, which asks for the removal of the last best one before it writes the new one."""
        if not self.save_best:
            return
        with self._saving(runner):
            super()._save_best_checkpoint(runner, metrics)
            if is_main_process():
                several = getattr(self, 'best_ckpt_path_dict', {})
                self.file_backend.remove_now([getattr(self, 'best_ckpt_path', None), *several.values()])

    @contextmanager
    def _saving(self, runner: Runner) -> Iterator[None]:
        """Around all writing."""
        refuse_not_finite(runner)
        try:
            yield
        except OSError as error:
            raise RunStopped(
                f'{self.out_dir}: the checkpoint of iteration {runner.iter} cannot be written '
                f'({error.strerror or error}); the earlier ones are as they were'
            ) from error


def refuse_not_finite(runner: Runner) -> None:
    """RunStopped if the state of a run should not be saved, on all processes alike.

    Args:
        runner: in training.
    """
    which = which_not_finite(state_of(runner))
    if which is None:
        return
    raise RunStopped(
        f'iteration {runner.iter}: no checkpoint is written, because weights are NaN or infinite '
        f'({which}); the earlier checkpoints are as they were; try a lower optim_wrapper.optimizer.lr, or '
        'optim_wrapper.clip_grad=dict(max_norm=...)'
    )


def state_of(runner: Runner) -> dict[str, Tensor]:
    """Every floating point tensor that a checkpoint would hold, by a name for messages.

    Args:
        runner: in training.
    """
    model = runner.model.module if is_model_wrapper(runner.model) else runner.model
    state = dict(model.state_dict())
    if isinstance(runner.optim_wrapper, OptimWrapper):
        for number, moments in enumerate(runner.optim_wrapper.optimizer.state.values()):
            for name, value in moments.items():
                state[f'{name} {number} of the optimizer'] = value
    return {name: value for name, value in state.items() if torch.is_tensor(value) and value.is_floating_point()}
