"""The images of a batch one by one, several beside each other, each by its share of a CPU's cores.

What it saves: time in which cores wait. All cores on one convolution wait for the slowest of them after each, and glibc
gives the memory of larger maps back to the kernel. Why it is equal: what a network in evaluation makes of an image
does not depend on the others of its batch.
"""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from threading import Barrier, Lock, Thread

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from .folding import has_hooks

CHANGING = Lock()  # held while the number of threads of the process is another one


class Apart(nn.Module):
    """A network that takes the images of a batch apart.

    Args:
        network: of which ``can_take_apart`` is true.
    """

    def __init__(self, network: Callable) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """The maps of a batch, without a gradient.

        Args:
            images: (B, 3, h, w), B > 0.
        """
        cores = torch.get_num_threads()
        one_by_one = images.split(1)
        workers = workers_for(len(one_by_one), cores)
        if workers == 1:
            return joined([self._run(image) for image in one_by_one])

        num_beside = len(one_by_one) - len(one_by_one) % workers
        done = list(threads(workers, cores // workers).map(self._run, one_by_one[:num_beside]))
        done += [self._run(image) for image in one_by_one[num_beside:]]  # too few for all workers
        return joined(done)

    @torch.no_grad()
    def _run(self, image: Tensor) -> Sequence[Tensor]:
        """The maps of one image; what torch is told about gradients holds for one thread alone."""
        return self.network(image)


def can_take_apart(network: nn.Module) -> bool:
    """Whether a network in evaluation does not see which images come together.

    Statistics of the batch, which batch normalisation without its own takes, and hooks would.
    """
    return not any(isinstance(part, _BatchNorm) or has_hooks(part) for part in network.modules())


def workers_for(images: int, cores: int) -> int:
    """How many images are worked on beside each other: at most all of them, and each by as many cores.

    Args:
        images: of a batch, at least 1.
        cores: in all.
    """
    return max(workers for workers in range(1, min(images, cores) + 1) if cores % workers == 0)


@lru_cache(maxsize=2)
def threads(workers: int, cores: int) -> ThreadPoolExecutor:
    """Threads that stay, each of which computes on some cores.

    Args:
        workers: number of threads.
        cores: of each thread.
    """
    everyone = Barrier(workers + 1)
    before = torch.get_num_threads()
    pool = ThreadPoolExecutor(workers, 'images', initializer=compute_on, initargs=(cores,))
    for _ in range(workers):
        pool.submit(everyone.wait)
    everyone.wait()  # by then all have begun
    torch.set_num_threads(before)
    return pool


# a forked process has no threads but its own: those that its copy of the pool counts on are not there
if hasattr(os, 'register_at_fork'):
    os.register_at_fork(after_in_child=threads.cache_clear)


def compute_on(cores: int) -> None:
    """Lets the calling thread compute on some cores, and threads to come as well."""
    torch.get_num_threads()  # a thread that has not asked takes the number of the process later, in place of its own
    torch.set_num_threads(cores)


def joined(of_images: Sequence[Sequence[Tensor]]) -> tuple[Tensor, ...]:
    """The maps of a batch.

    Args:
        of_images: the maps (1, C, H, W) of each image.
    """
    if len(of_images) == 1:
        return tuple(of_images[0])
    return tuple(torch.cat(maps) for maps in zip(*of_images, strict=True))


def compute_alone() -> None:
    """Lets the calling thread compute on one core, and threads to come as before."""
    with CHANGING:
        before = torch.get_num_threads()
        torch.set_num_threads(1)
        back = Thread(target=torch.set_num_threads, args=(before,))
        back.start()
        back.join()
