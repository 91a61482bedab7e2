"""Chance goes on, after a run is resumed, where it was when the checkpoint was written.

A stream is the state of Python's, numpy's and torch's global generators in one process, packed into whole numbers.
Checkpoints hold one of each process of the run, one of its GPU, and one of each of its data workers.
"""

import functools
import logging
import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import mmengine
import numpy as np
import torch
from mmengine.dist import all_gather_object, get_rank, get_world_size
from mmengine.hooks import CheckpointHook, Hook
from mmengine.logging import print_log
from mmengine.runner import BaseLoop, IterBasedTrainLoop, Runner
from packaging.version import Version
from torch import Tensor
from torch.utils.data import DataLoader, get_worker_info

from cid_mmpose.registry import HOOKS

KEY = 'random_streams'  # in a checkpoint
TWISTER = 624  # words of a Mersenne twister, of which Python and numpy have one each
PYTHON = TWISTER + 3  # its words, its position, whether a second normal number waits, and that number
NUMPY = TWISTER + 3
# earlier loops by iterations begin with the first batches again when they are resumed
LOOP_ADVANCES = Version(mmengine.__version__) >= Version('0.10.3')


def stream() -> Tensor:
    """The state of the generators of this process, (S,) int64."""
    version, words, waiting = random.getstate()
    numbers = list(words)
    numbers += _waiting(waiting)

    _, words, position, has_gauss, gauss = np.random.get_state()
    if not has_gauss:
        gauss = None
    numbers += words.tolist()
    numbers.append(position)
    numbers += _waiting(gauss)

    of_torch = torch.get_rng_state().to(torch.int64)
    return torch.cat([torch.tensor(numbers), of_torch])


def set_stream(state: Tensor) -> None:
    """Puts the generators of this process into a state.

    Args:
        state: (S,) int64, as ``stream`` gives it.
    """
    state = state.cpu()
    python = state[:PYTHON].tolist()
    random.setstate((3, tuple(python[: TWISTER + 1]), _gauss(*python[TWISTER + 1 :])))

    numpy = state[PYTHON : PYTHON + NUMPY].tolist()
    gauss = _gauss(*numpy[TWISTER + 1 :])
    words = np.array(numpy[:TWISTER], np.uint32)
    np.random.set_state(('MT19937', words, numpy[TWISTER], int(gauss is not None), gauss or 0.0))

    torch.set_rng_state(state[PYTHON + NUMPY :].to(torch.uint8))


def _waiting(gauss: float | None) -> list[int]:
    """The second of two normal numbers drawn together, which waits for the next call, as two whole numbers."""
    return [0, 0] if gauss is None else [1, int(np.float64(gauss).view(np.int64))]


def _gauss(there: int, bits: int) -> float | None:
    return float(np.int64(bits).view(np.float64)) if there else None


class NotesStream:
    """A collate function that also notes the stream of its worker, once for each batch.

    Args:
        collate: what makes a batch of samples.
        streams: (W, S) int64 in shared memory, of W workers.
    """

    def __init__(self, collate: Callable, streams: Tensor) -> None:
        self.collate = collate
        self.streams = streams

    def __call__(self, samples: list) -> Any:
        batch = self.collate(samples)
        self.streams[get_worker_info().id] = stream()
        return batch


class StartsAt:
    """A function that a new worker calls: seeds it as before, then puts it where its stream was.

    Args:
        seed: the function of the data loader, or None.
        streams: (W, S) int64.
    """

    def __init__(self, seed: Callable | None, streams: Tensor) -> None:
        self.seed = seed
        self.streams = streams

    def __call__(self, worker_id: int) -> None:
        if self.seed is not None:
            self.seed(worker_id)
        set_stream(self.streams[worker_id])


class RestoresAt:
    """An iterator over batches that calls a function before one of them.

    Args:
        batches: iterator.
        skipped: batches before that one.
        restore: what is called.
    """

    def __init__(self, batches: Any, skipped: int, restore: Callable[[], None]) -> None:
        self.batches = batches
        self.skipped = skipped
        self.restore = restore

    def __iter__(self) -> 'RestoresAt':
        return self

    def __next__(self) -> Any:
        if self.skipped == 0:
            self.restore()
        self.skipped -= 1
        return next(self.batches)

    def skip_iter(self, num_iters: int) -> None:
        """Leaves out batches that were trained, as onedl-mmengine asks for it.

        They are loaded, as mmengine does it: to skip them unloaded is faster, and leaves workers with other streams.

        Args:
            num_iters: how many.
        """
        _advance(self, num_iters)


@HOOKS.register_module()
class RandomStreamHook(Hook):
    """Keeps the random stream in checkpoints and goes on in it: a resumed run has the losses of one that went on.

    This holds with the same number of processes and of data workers, for runs by epochs whose checkpoints are those of
    whole epochs, and for runs by iterations. Validation in between draws from a stream of its own. A run without a
    seed in its config goes on with the order of images that it had.
    """

    priority = 'LOW'  # before checkpoints are written

    def __init__(self) -> None:
        self.saved: dict[str, Any] | None = None  # of a checkpoint that was loaded, until the run goes on
        self.streams: list[dict] | None = None  # of all processes, for the next checkpoint
        self.workers: Tensor | None = None  # (W, S) of workers that live on from epoch to epoch
        self.main: Tensor | None = None  # (S,) of this process while others draw from it

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Takes the streams out of a checkpoint that is resumed."""
        self.saved = None
        if not runner._resume:
            return
        streams = checkpoint.get(KEY)
        meta = checkpoint.get('meta', {})
        self.saved = dict(streams=streams, seed=meta.get('seed'))

    def before_train(self, runner: Runner) -> None:
        """Goes on with the seed and the workers' streams of the checkpoint, and notes those of this run."""
        mine = self._mine(runner)
        if self.saved is not None:
            _use_seed(runner, self.saved['seed'])
        loader = runner.train_dataloader
        self.workers = None
        if loader.num_workers > 0 and loader.persistent_workers and not _by_iteration(runner):
            self._watch_workers(loader, mine)
        self.saved = None if mine is None else mine

    def _mine(self, runner: Runner) -> dict | None:
        """The streams of this process in the checkpoint; None, and a line in the log, if there are none that fit."""
        if self.saved is None:
            return None
        streams = self.saved['streams']
        workers = runner.train_dataloader.num_workers
        fits = isinstance(streams, list) and len(streams) == get_world_size()
        mine = streams[get_rank()] if fits else None
        if mine is None or int(mine['num_workers']) != workers:
            why = 'holds no random stream' if streams is None else 'is of another number of processes or data workers'
            print_log(
                f'cid_mmpose: the checkpoint {why}: chance starts anew, and the losses will be other ones than '
                'those of a run that had gone on',
                'current',
                logging.WARNING,
            )
            return None
        return mine

    def _watch_workers(self, loader: DataLoader, mine: dict | None) -> None:
        """Lets the workers note their streams, and start where they were."""
        self.workers = torch.zeros(loader.num_workers, len(stream()), dtype=torch.int64).share_memory_()
        if mine is not None:
            self.workers.copy_(mine['workers'])
            loader.worker_init_fn = StartsAt(loader.worker_init_fn, self.workers.clone())
        collate = loader.collate_fn.collate if isinstance(loader.collate_fn, NotesStream) else loader.collate_fn
        loader.collate_fn = NotesStream(collate, self.workers)

    def before_train_epoch(self, runner: Runner) -> None:
        """Puts this process where its stream was, if this is the first epoch after a checkpoint."""
        mine, self.saved = self.saved, None
        if mine is not None and _by_iteration(runner):
            # batches that were trained are loaded again and left out; chance goes on after them
            loop = runner.train_loop
            restore = functools.partial(_restore, mine)
            skipped = 0 if getattr(loop, 'fast_forward_on_resume', False) else loop.iter  # an option of onedl-mmengine
            loop.dataloader_iterator = RestoresAt(loop.dataloader_iterator, skipped, restore)
            if not LOOP_ADVANCES:
                _advance(loop.dataloader_iterator, loop.iter)
        elif mine is not None:
            _restore(mine)
        self.main = None if self.workers is None else stream()

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """Takes back what starting the workers, which not every epoch does, has drawn from this process."""
        if self.main is not None:
            set_stream(self.main)
            self.main = None

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        """Collects the streams if a checkpoint of this iteration is about to be written."""
        if any(_saves_now(hook, runner) for hook in runner.hooks):
            self._collect(runner)

    def after_train_epoch(self, runner: Runner) -> None:
        """Collects the streams."""
        self._collect(runner)

    def before_val(self, runner: Runner) -> None:
        """Remembers the stream, which validation will draw from."""
        if isinstance(runner._train_loop, BaseLoop) and runner.iter:
            self._collect(runner)
        self.kept = _state_here()

    def after_val(self, runner: Runner) -> None:
        """Takes back what validation has drawn."""
        _restore(self.kept)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Puts the streams into a checkpoint from which a run can go on."""
        if 'optimizer' in checkpoint and self.streams is not None:
            checkpoint[KEY] = self.streams

    def _collect(self, runner: Runner) -> None:
        """The streams of all processes; all must call."""
        state = _state_here()
        state['num_workers'] = runner.train_dataloader.num_workers
        if self.workers is not None:
            state['workers'] = self.workers.clone()
        self.streams = all_gather_object(state)


def _state_here() -> dict[str, Any]:
    """The streams of this process and of its GPU."""
    state: dict[str, Any] = dict(main=stream())
    if torch.cuda.is_available():
        state['cuda'] = torch.cuda.get_rng_state()
    return state


def _restore(state: dict[str, Any]) -> None:
    """Puts this process and its GPU into a state of ``_state_here``."""
    set_stream(state['main'])
    if 'cuda' in state and torch.cuda.is_available():
        torch.cuda.set_rng_state(state['cuda'].cpu())


def _by_iteration(runner: Runner) -> bool:
    return isinstance(runner.train_loop, IterBasedTrainLoop)


def _saves_now(hook: Hook, runner: Runner) -> bool:
    """Whether a hook writes a checkpoint after this iteration."""
    if not isinstance(hook, CheckpointHook) or hook.by_epoch:
        return False
    due = hook.every_n_train_iters(runner, hook.interval, hook.save_begin)
    return due or (hook.save_last and hook.is_last_train_iter(runner))


def _use_seed(runner: Runner, seed: int | None) -> None:
    """Loads the data in the order that a seed gives, if the loader was made for another one.

    A config without a seed gets one by chance before its checkpoint is read.

    Args:
        runner: about to train.
        seed: of the checkpoint; None if it has none.
    """
    config = runner.cfg.get('train_dataloader')
    loop = runner.train_loop
    built_for = _seed_of(loop.dataloader)
    if seed is None or built_for in (None, seed) or not isinstance(config, dict):
        return

    different = runner._randomness_cfg.get('diff_rank_seed', False)
    anew = dict(config, dataset=loop.dataloader.dataset)
    loop.dataloader = runner.build_dataloader(anew, seed=seed, diff_rank_seed=different)
    if _by_iteration(runner):
        loop.dataloader_iterator = type(loop.dataloader_iterator)(loop.dataloader)


def _seed_of(loader: DataLoader) -> int | None:
    """The seed that mmengine gave to a data loader, None if it cannot be told."""
    with suppress(AttributeError, KeyError):
        return loader.worker_init_fn.keywords['seed']
    return getattr(loader.sampler, 'seed', None)


def _advance(batches: Iterator, count: int) -> None:
    """Leaves out as many batches."""
    for _ in range(count):
        next(batches)
