"""HRNet's exchange between its branches, in place: each becomes the ReLU of the sum of what all of them give to it.

What it saves: the upsampled maps, the sums, and most passes over both. Why it is equal: a branch is written only when
nobody reads it any more, and the nearest neighbour upsampled twice is that upsampled by four, so that what the coarser
branches give is added up from coarse to fine, each time at twice the size.

(B, C_i, H_i, W_i) is branch i, the finest first; H_i and W_i are twice those of branch i + 1.
"""

from typing import Any

from mmpose.models.backbones.hrnet import HRModule
from torch import Tensor, nn

from .folding import has_hooks
from .fused_parts import Block, Convolution, is_plain


class Exchange(nn.Module):
    """A module of HRNet: the blocks of each branch, and the exchange.

    Args:
        plain: MMPose's, whose convolutions and blocks are fused.
    """

    def __init__(self, plain: Any) -> None:
        super().__init__()
        self.branches = plain.branches
        self.paths: Any = nn.ModuleList()  # paths[i][j] are the convolutions from branch j to branch i
        for of_one_branch in plain.fuse_layers:
            paths = [nn.ModuleList(convolutions_of(path)) for path in of_one_branch]
            self.paths.append(nn.ModuleList(paths))

    def forward(self, branches: list[Tensor]) -> list[Tensor]:
        """As the plain module.

        Args:
            branches: (B, C_i, H_i, W_i).
        """
        maps = [blocks(branch) for blocks, branch in zip(self.branches, branches)]  # new ones, which may be written
        # what goes to each branch from the coarser ones, at their sizes, the coarsest first
        from_coarser: list[list[Tensor]] = [[] for _ in maps]

        # from coarse to fine: those that are finer are still as they were
        for number in reversed(range(len(maps))):
            for finer in range(min(number, len(self.paths))):
                (convolution,) = self.paths[finer][number]
                from_coarser[finer].append(convolution(maps[number]))
            if number < len(self.paths):
                add_coarser(maps[number], from_coarser.pop())
                self._add_finer(number, maps)
            else:
                from_coarser.pop()
        return maps[: len(self.paths)]

    def _add_finer(self, number: int, maps: list[Tensor]) -> None:
        """Adds to the maps of a branch, in place, what finer branches give to it; ReLU of the sum."""
        if number == 0:
            maps[0].relu_()
        for finer in range(number):
            *first, last = self.paths[number][finer]
            given = maps[finer]
            for convolution in first:
                given = convolution(given)
            is_last = finer == number - 1
            last.add_to(maps[number], given, 'relu' if is_last else None)


def add_coarser(maps: Tensor, coarser: list[Tensor]) -> None:
    """Adds smaller maps, upsampled by their nearest neighbours, in place; each is half as large as the one behind it.

    Args:
        maps: (B, C, H, W).
        coarser: the smallest first, the last one (B, C, H / 2, W / 2); all but the first are changed as well.
    """
    for small, large in zip(coarser, [*coarser[1:], maps]):
        batch, channels, height, width = small.shape
        four_to_one = large.view(batch, channels, height, 2, width, 2)
        four_to_one += small[:, :, :, None, :, None]


def convolutions_of(path: nn.Module | None) -> list[Convolution]:
    """The convolutions on the way from a branch to another one; none from a branch to itself."""
    if path is None:
        return []
    return [part for part in path.modules() if type(part) is Convolution]


def is_plain_exchange(part: Any) -> bool:
    """Whether ``Exchange`` does what a part of a network does, whose convolutions and blocks are fused already."""
    if type(part) is not HRModule or part.fuse_layers is None or any(has_hooks(each) for each in part.modules()):
        return False
    for branch in part.branches:
        if not len(branch) or any(type(block) is not Block for block in branch):
            return False
    for number, of_one_branch in enumerate(part.fuse_layers):
        for other, path in enumerate(of_one_branch):
            if other > number and not is_path_to_finer(path, other - number):
                return False
            if other < number and not is_path_to_coarser(path, number - other):
                return False
    return True


def is_path_to_finer(path: Any, steps: int) -> bool:
    """Whether a path is a convolution and the nearest neighbours for so many times twice the size."""
    upsampling = path[-1]
    if not is_plain(upsampling, nn.Upsample) or upsampling.mode != 'nearest':
        return False
    return upsampling.scale_factor == 2**steps and ends_of(path[:-1]) == ['none']


def is_path_to_coarser(path: Any, steps: int) -> bool:
    """Whether a path is so many convolutions, each with ReLU but for the last."""
    ends = []
    for step in path:
        ends += ends_of(step)
    return ends == ['relu'] * (steps - 1) + ['none']


def ends_of(parts: Any) -> list[str]:
    """What each convolution of parts that are called one after the other does to its sums; 'other' for other parts."""
    ends = []
    for part in parts:
        if type(part) is Convolution:
            ends.append(part.then)
        elif not is_plain(part, nn.Identity):
            ends.append('other')
    return ends
