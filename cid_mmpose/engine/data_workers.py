"""Data workers that cannot hand over a batch, because /dev/shm is full or too many files are open, end the run."""

import pickle
from collections.abc import Callable
from multiprocessing.reduction import ForkingPickler

from mmengine.runner import Runner
from torch.utils.data import DataLoader


class PackingRunner(Runner):
    """mmengine's runner, whose data workers pack each batch themselves.

    Otherwise a thread of multiprocessing packs it, which moves its tensors to shared memory. What goes wrong there is
    printed and the batch forgotten: the run would wait for it for ever. In the worker itself it is an error like any
    other, which ends the run by one line (``engine/interrupts.py``).
    """

    @staticmethod
    def build_dataloader(dataloader: DataLoader | dict, *args, **kwargs) -> DataLoader:
        """As mmengine's."""
        loader = Runner.build_dataloader(dataloader, *args, **kwargs)
        if loader.num_workers > 0 and not isinstance(loader.collate_fn, Packs):
            loader.collate_fn = Packs(loader.collate_fn)  # before there is a worker
        return loader


class Packs:
    """A collate function of a data worker, whose batches are packed already.

    Args:
        collate: what makes a batch of samples.
    """

    def __init__(self, collate: Callable) -> None:
        self.collate = collate

    def __call__(self, samples: list) -> 'Packed':
        return Packed(bytes(ForkingPickler.dumps(self.collate(samples))))


class Packed:
    """What another process unpacks as the value that was packed.

    Args:
        content: the pickled value; its tensors are in shared memory.
    """

    def __init__(self, content: bytes) -> None:
        self.content = content

    def __reduce__(self) -> tuple:
        return pickle.loads, (self.content,)
