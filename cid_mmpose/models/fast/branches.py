"""1x1 convolutions of F and single cells of it, without F: its branches are never brought to one size and stacked.

What it saves: a map of 480 channels at full size, and three quarters of the products. Why it is equal: a 1x1
convolution commutes with stacking and with bilinear upsampling, W up([F_1; F_2]) = up(W_1 F_1) + up(W_2 F_2), and one
cell of an upsampled map is a mean of four cells. A neck that stacks the branches is the case of one branch.

B images, N people, C_i channels of branch i, C their sum, (H, W) cells of the first branch, the heatmap's.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cid_mmpose.errors import BadInput

from ..roots import Roots
from .products import bias_of


def convolve_branches(branches: Sequence[Tensor], conv: nn.Conv2d, outputs: slice = slice(None)) -> Tensor:
    """``conv(stack_branches(branches))``.

    Args:
        branches: (B, C_i, H_i, W_i) of F, the first one at the heatmap's size.
        conv: a 1x1 convolution of C channels.
        outputs: which of its output channels, R of them.

    Returns:
        (B, R, H, W).

    Raises:
        BadInput: the branches do not have C channels together.
    """
    widths = [branch.shape[1] for branch in branches]
    if sum(widths) != conv.in_channels:
        raise BadInput(
            f'the feature maps have {widths} channels, the head was built for in_channels='
            f'{conv.in_channels}; set in_channels of the head, or select_index of the neck'
        )
    kernels = conv.weight[outputs].split(widths, 1)
    convolved = F.conv2d(branches[0], kernels[0], bias_of(conv)[outputs])
    size = convolved.shape[-2:]
    for branch, kernel in zip(branches[1:], kernels[1:]):
        small = F.conv2d(branch, kernel)
        convolved += F.interpolate(small, size=size, mode='bilinear', align_corners=False)
    return convolved


def sample_branches(branches: Sequence[Tensor], roots: Roots) -> Tensor:
    """``sample_at(stack_branches(branches), roots)``.

    Args:
        branches: (B, C_i, H_i, W_i) of F, the first one at the heatmap's size.
        roots: of N people.

    Returns:
        (N, C).
    """
    size = branches[0].shape[-2:]
    return torch.cat([_sample_upsampled(branch, roots, size) for branch in branches], 1)


def _sample_upsampled(branch: Tensor, roots: Roots, size: Sequence[int]) -> Tensor:
    """What ``branch`` (B, C_i, h, w), bilinearly upsampled to ``size`` (H, W), has at N roots: (N, C_i)."""
    image = roots.image
    x, y = roots.cell.unbind(1)
    if branch.shape[-2:] == tuple(size):
        return branch[image, :, y, x]

    height, width = branch.shape[-2:]
    column = neighbours(x, width, size[1])
    row = neighbours(y, height, size[0])
    share_of_left = column.share.to(branch)
    share_of_upper = row.share.to(branch)
    upper = torch.lerp(
        branch[image, :, row.first, column.second], branch[image, :, row.first, column.first], share_of_left
    )
    lower = torch.lerp(
        branch[image, :, row.second, column.second], branch[image, :, row.second, column.first], share_of_left
    )
    return torch.lerp(lower, upper, share_of_upper)


class Neighbours(NamedTuple):
    """The two cells of an axis between which N cells of the upsampled axis lie."""

    first: Tensor  # (N,) int64
    second: Tensor  # (N,) int64
    share: Tensor  # (N, 1) in [0, 1], of the first one


def neighbours(cell: Tensor, length: int, upsampled: int) -> Neighbours:
    """Where cells of an upsampled axis come from, as ``F.interpolate`` with ``align_corners=False``.

    Args:
        cell: (N,), below ``upsampled``.
        length: cells of the axis.
        upsampled: cells of the upsampled axis.
    """
    # in float64, which costs nothing for N numbers: the shares are then right to the last digit of float32
    position = (cell.double() + 0.5) * (length / upsampled) - 0.5
    position = position.clamp(min=0)
    first = position.long()
    second = (first + 1).clamp(max=length - 1)
    share = 1 - (position - first)
    return Neighbours(first, second, share[:, None])
