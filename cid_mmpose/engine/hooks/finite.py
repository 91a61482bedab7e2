"""Skips steps whose loss or gradient is not finite, and stops a run that makes no others."""

import logging
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from mmengine.dist import all_reduce
from mmengine.hooks import Hook
from mmengine.logging import HistoryBuffer, print_log
from mmengine.model import is_model_wrapper
from mmengine.optim import OptimWrapper
from mmengine.runner import Runner
from torch import Tensor, nn

from cid_mmpose.errors import RunStopped
from cid_mmpose.registry import HOOKS

SKIPPED = 'skipped_steps'  # in the log and in the state that a checkpoint keeps
WARNINGS = 20  # after so many, only every hundredth skipped step has a line of its own


@HOOKS.register_module()
class FiniteStepsHook(Hook):
    """Lets the optimizer make a step only if the losses and all gradients are finite.

    A step that is skipped changes neither the weights nor the running means of batch normalisation, on any process of
    a distributed run: all of them skip it together. With accumulated gradients the whole step is skipped. What
    float16's loss scaler skips by itself, to find its scale, does not count, unless a loss is not finite or the scale
    has come down to 1 or less. ``skipped_steps`` in the log is how many there were so far.

    It works with every ``OptimWrapper`` of mmengine. It waits for the gradients before the optimizer starts, where
    mmengine waits right after it, for the losses that it logs.

    Args:
        max_in_a_row: so many steps in a row stop the run.

    Raises:
        ValueError: ``max_in_a_row`` is not a whole number above 0.
        RunStopped: names the iteration and the losses.
    """

    priority = 'VERY_HIGH'  # after mmengine has noted the losses, before EMA takes weights and anything is logged

    def __init__(self, max_in_a_row: int = 10) -> None:
        if isinstance(max_in_a_row, bool) or not isinstance(max_in_a_row, int) or max_in_a_row < 1:
            raise ValueError(f'max_in_a_row must be a whole number above 0, got {max_in_a_row!r}')
        self.max_in_a_row = max_in_a_row
        self.in_a_row = 0
        self.handles: list = []
        self._forget()

    def before_train(self, runner: Runner) -> None:
        """Watches the losses of the model and the steps of its optimizer."""
        self.after_train(runner)
        if not isinstance(runner.optim_wrapper, OptimWrapper):
            print_log('cid_mmpose: FiniteStepsHook does not watch several optimizers', 'current', logging.WARNING)
            return

        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        self.buffers = Copies(list(model.buffers()))
        self.handles = [
            runner.model.register_forward_hook(self._note_losses),
            runner.optim_wrapper.optimizer.register_step_pre_hook(self._before_step),
        ]

    def after_train(self, runner: Runner) -> None:
        """Watches no longer."""
        for handle in self.handles:
            handle.remove()
        self.handles = []

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: dict[str, Tensor] | None = None
    ) -> None:
        """Counts the step, if this iteration ended in one."""
        if not self.handles or not runner.optim_wrapper.should_update():
            return

        stepped, counts = self.stepped, self.refused
        if not stepped and not self.refused:
            counts = self._beyond_scaling(runner)
        self._forget()

        if stepped:
            self.in_a_row = 0
            self.buffers.keep()
            return
        self.buffers.restore()
        if counts:
            self._count(runner, outputs or {})

    def _forget(self) -> None:
        """Ready for the next step."""
        self.bad_loss: Tensor | None = None  # a flag on the device, so that nothing waits for it
        self.stepped = False
        self.refused = False

    def _note_losses(self, module: nn.Module, inputs: tuple, outputs: Any) -> None:
        """Called after each forward pass."""
        if not (module.training and isinstance(outputs, dict)):
            return
        losses = [loss for name, value in outputs.items() if 'loss' in name for loss in _tensors(value)]
        for loss in losses:
            bad = ~torch.isfinite(loss.detach()).all()
            self.bad_loss = bad if self.bad_loss is None else self.bad_loss | bad

    def _before_step(self, optimizer: torch.optim.Optimizer, args: tuple, kwargs: dict) -> None:
        """Called before the optimizer's step: without gradients it changes nothing."""
        scaled = getattr(optimizer, 'found_inf', None)  # a fused optimizer, to which the loss scaler leaves its skip
        if scaled is not None and bool(scaled):
            return

        parameters = [parameter for group in optimizer.param_groups for parameter in group['params']]
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        bad = not_finite(gradients)
        if self.bad_loss is not None:
            bad = bad | self.bad_loss.to(bad.device)
        self.refused = on_any_process(bad)
        self.stepped = not self.refused
        if self.refused:
            for parameter in parameters:
                parameter.grad = None

    def _beyond_scaling(self, runner: Runner) -> bool:
        """Whether a step that the loss scaler skipped would have been wrong at any scale."""
        scaler = getattr(runner.optim_wrapper, 'loss_scaler', None)
        bad = torch.zeros((), dtype=torch.bool) if self.bad_loss is None else self.bad_loss
        if on_any_process(bad):
            return True
        return scaler is not None and scaler.get_scale() <= 1

    def _count(self, runner: Runner, losses: dict[str, Tensor]) -> None:
        """Says that a step was skipped, and stops the run if there were too many in a row."""
        hub = runner.message_hub
        total = hub.get_info(SKIPPED, 0) + 1
        hub.update_info(SKIPPED, total)
        hub.update_scalar(f'train/{SKIPPED}', total)

        for name in losses:
            _leave_out_of_mean(hub.log_scalars.get(f'train/{name}'))

        self.in_a_row += 1
        values = {name: float(torch.as_tensor(value).detach().mean()) for name, value in losses.items()}
        text = ', '.join(f'{name} {value:.4g}' for name, value in values.items())
        what = f'iteration {runner.iter + 1}: loss or gradient is not finite ({text})'
        if self.in_a_row >= self.max_in_a_row:
            raise RunStopped(
                f'training stopped at {what}, as in each of the last {self.in_a_row} steps, which were skipped; try a '
                'lower optim_wrapper.optimizer.lr, optim_wrapper.clip_grad=dict(max_norm=...), float32 instead of '
                'mixed precision, and look for what is wrong with the data by cid doctor'
            )
        if total <= WARNINGS or total % 100 == 0:
            print_log(f'{what}: step skipped, {self.in_a_row} in a row, {total} in all', 'current', logging.WARNING)


class Copies:
    """Copies of tensors that can be brought back.

    Args:
        tensors: of any kind and shape; they are changed in place.
    """

    def __init__(self, tensors: list[Tensor]) -> None:
        by_kind = defaultdict(list)  # for those of one kind torch has one call
        for tensor in tensors:
            by_kind[tensor.dtype, tensor.device].append(tensor)
        self.groups = []
        for group in by_kind.values():
            copies = [tensor.clone() for tensor in group]
            self.groups.append((group, copies))

    def keep(self) -> None:
        """Copies what the tensors hold now."""
        for group, copies in self.groups:
            _copy(copies, group)

    def restore(self) -> None:
        """Brings back what they held then."""
        for group, copies in self.groups:
            _copy(group, copies)


@torch.no_grad()
def _copy(targets: list[Tensor], sources: list[Tensor]) -> None:
    if hasattr(torch, '_foreach_copy_'):  # from torch 2.1 on
        torch._foreach_copy_(targets, sources)
        return
    for target, source in zip(targets, sources):
        target.copy_(source)


@torch.no_grad()
def not_finite(tensors: list[Tensor]) -> Tensor:
    """Whether any of these floating point tensors holds NaN or infinity, a bool () on their device.

    Args:
        tensors: none of them is fine.
    """
    if not tensors:
        return torch.zeros((), dtype=torch.bool)
    # NaN and infinity go through into a norm, which is a handful of calls for all of them; float16's would overflow
    wide = []
    for tensor in tensors:
        wide.append(tensor.float() if tensor.dtype == torch.float16 else tensor)
    device = wide[0].device
    norms = [norm.to(device) for norm in torch._foreach_norm(wide)]
    return ~torch.stack(norms).isfinite().all()


def which_not_finite(state: Mapping[str, Tensor]) -> str | None:
    """Which of these tensors hold NaN or infinity, on this process or another, which all must ask; None if none do.

    Args:
        state: name -> floating point tensor.
    """
    if not on_any_process(not_finite(list(state.values()))):
        return None
    broken = [name for name, tensor in state.items() if bool(not_finite([tensor]))]
    return f'{broken[0]} and {len(broken) - 1} more' if broken else 'those of another process'


def _leave_out_of_mean(history: HistoryBuffer | None) -> None:
    """Takes the last value out of the mean that is logged, which would be NaN for a whole window of iterations.

    Args:
        history: of a loss; None if nobody keeps it.
    """
    if history is None:
        return
    values, counts = history.data
    others = counts[:-1].any()
    if others and not np.isfinite(values[-1]):
        values[-1] = 0
        counts[-1] = 0


def on_any_process(flag: Tensor) -> bool:
    """Whether a bool () is true on this or any other process of a distributed run, which all must ask.

    Args:
        flag: of this process.
    """
    shared = flag.float()
    all_reduce(shared, 'max')
    return bool(shared)


def _tensors(value: Any) -> list[Tensor]:
    """The tensors in a loss, which may be a list."""
    values = value if isinstance(value, (list, tuple)) else [value]
    return [each for each in values if isinstance(each, Tensor)]
