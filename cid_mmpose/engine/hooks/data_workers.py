"""Data workers that cannot hand over a batch, because /dev/shm is full or too many files are open, end the run."""

from collections.abc import Callable
from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmengine.structures import BaseDataElement
from mmpose.registry import HOOKS
from torch import Tensor
from torch.utils.data import DataLoader


@HOOKS.register_module()
class DataWorkersHook(Hook):
    """Lets a data worker that finds no shared memory end the run, by one line (``engine/interrupts.py``).

    A worker hands a batch over in a thread of multiprocessing, which moves it to shared memory. What goes wrong there
    is printed and the batch forgotten: the run waits for it for ever. Moved before, it is an error like any other.
    """

    def before_train(self, runner: Runner) -> None:
        """For the loader of training."""
        share_batches(runner.train_dataloader)

    def before_val(self, runner: Runner) -> None:
        """For the loader of validation."""
        share_batches(runner.val_dataloader)

    def before_test(self, runner: Runner) -> None:
        """For the loader of testing."""
        share_batches(runner.test_dataloader)


def share_batches(loader: DataLoader) -> None:
    """From now on the workers of a loader put each batch into shared memory when they have made it.

    Args:
        loader: one without workers, or that was given before, stays as it is.
    """
    if loader.num_workers > 0 and not isinstance(loader.collate_fn, SharesBatch):
        loader.collate_fn = SharesBatch(loader.collate_fn)


class SharesBatch:
    """A collate function whose tensors are in shared memory.

    Args:
        collate: what makes a batch of samples.
    """

    def __init__(self, collate: Callable) -> None:
        self.collate = collate

    def __call__(self, samples: list) -> Any:
        batch = self.collate(samples)
        share(batch)
        return batch


def share(value: Any) -> None:
    """Moves the tensors of a value to shared memory, as handing them over to another process does.

    Args:
        value: a tensor, data element, dict, list or tuple, and what they hold; anything else is left alone.
    """
    if isinstance(value, Tensor):
        if value.untyped_storage().nbytes() > 0:  # nothing cannot be mapped
            value.share_memory_()
    elif isinstance(value, BaseDataElement):
        share(list(value.all_values()))
    elif isinstance(value, dict):
        share(list(value.values()))
    elif isinstance(value, (list, tuple)):
        for each in value:
            share(each)
