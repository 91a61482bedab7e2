"""The shared feature map F (figure 2), kept as the branches of the backbone.

The paper brings the branches to the size of the first one and stacks them. CID only ever convolves F by 1x1 kernels
and reads it at single cells, and both commute with stacking and with bilinear upsampling:
W up([F_1; F_2]) = up(W_1 F_1) + up(W_2 F_2). So the stack of 480 channels is never built. A neck that stacks them is
the case of one branch.

B images, N people, C_i channels of branch i, C their sum, (H, W) cells of the first branch, the heatmap's.
"""
import math
from typing import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from cid_mmpose.errors import BadInput
from cid_mmpose.models.roots import Roots


def project(features: Sequence[Tensor], weight: Tensor, bias: Tensor) -> Tensor:
    """A 1x1 convolution of F.

    Args:
        features: branches (B, C_i, H_i, W_i), the first one at the heatmap's size.
        weight: (R, C, 1, 1), its input channels in the order of the branches.
        bias: (R,).

    Returns:
        (B, R, H, W).

    Raises:
        BadInput: the branches do not have C channels together.
    """
    widths = [branch.shape[1] for branch in features]
    if sum(widths) != weight.shape[1]:
        raise BadInput(f'the feature maps have {widths} channels, the head was built for in_channels='
                       f'{weight.shape[1]}; set in_channels of the head, or select_index of the neck')
    first, *others = weight.split(widths, 1)
    projected = F.conv2d(features[0], first, bias)
    for branch, kernel in zip(features[1:], others):
        projected += F.interpolate(
            F.conv2d(branch, kernel), size=projected.shape[-2:], mode='bilinear', align_corners=False)
    return projected


def check_stride(features: Sequence[Tensor], inputs: Tensor, stride: int) -> None:
    """BadInput if the first branch does not have the codec's cells: targets and answers would lie elsewhere.

    Args:
        features: branches (B, C_i, H_i, W_i).
        inputs: (B, 3, h, w).
        stride: input pixels per cell of the codec.
    """
    cells = features[0].shape[-2:]
    wanted = [math.ceil(side / stride) for side in inputs.shape[-2:]]
    if list(cells) != wanted:
        raise BadInput(f'the first feature map of the backbone has {cells[1]} x {cells[0]} cells for an input of '
                       f'{inputs.shape[-1]} x {inputs.shape[-2]} pixels, and the codec of stride {stride} needs '
                       f'{wanted[1]} x {wanted[0]}; set out_indices of the backbone so that the first has this stride')


def sample_at(features: Sequence[Tensor], roots: Roots) -> Tensor:
    """One feature vector a person, f^(i) = F(l^(i)) (eq. 7).

    Args:
        features: branches (B, C_i, H_i, W_i), the first one at the heatmap's size.
        roots: of N people.

    Returns:
        (N, C).
    """
    size = features[0].shape[-2:]
    return torch.cat([sample_branch(branch, roots, size) for branch in features], 1)


def sample_branch(branch: Tensor, roots: Roots, size: Sequence[int]) -> Tensor:
    """What ``branch`` (B, C_i, h, w), bilinearly upsampled to ``size`` (H, W), has at N roots: (N, C_i)."""
    if branch.shape[-2:] == tuple(size):
        return branch[roots.image, :, roots.cell[:, 1], roots.cell[:, 0]]
    (x, right, left_share), (y, below, upper_share) = (
        neighbours(roots.cell[:, axis], branch.shape[3 - axis], size[1 - axis]) for axis in (0, 1))
    upper = torch.lerp(branch[roots.image, :, y, right], branch[roots.image, :, y, x], left_share.to(branch))
    lower = torch.lerp(branch[roots.image, :, below, right], branch[roots.image, :, below, x], left_share.to(branch))
    return torch.lerp(lower, upper, upper_share.to(branch))


def neighbours(cell: Tensor, length: int, upsampled: int) -> tuple:
    """Where cells (N,) of an upsampled axis come from: first and second cell (N,), and the first one's share (N, 1)."""
    position = ((cell.double() + 0.5) * (length / upsampled) - 0.5).clamp(min=0)
    first = position.long()
    return first, (first + 1).clamp(max=length - 1), (1 - (position - first))[:, None]
