"""The feature map F of the backbone (figure 2), and the feature of one person in it (eq. 7).

B images, N people of all images, C_i channels of branch i, C their sum, (H, W) cells of the first branch, which are
those of the heatmaps.
"""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from cid_mmpose.errors import BadInput

from .roots import Roots


def stack_branches(branches: Sequence[Tensor]) -> Tensor:
    """F: the branches of the backbone, each brought to the size of the first one, and stacked.

    Args:
        branches: (B, C_i, H_i, W_i), or one map (B, C, H, W) of a neck that stacks them.

    Returns:
        (B, C, H, W).
    """
    size = branches[0].shape[-2:]
    maps = [branches[0]]
    for branch in branches[1:]:
        upsampled = F.interpolate(branch, size=size, mode='bilinear', align_corners=False)
        maps.append(upsampled)
    return torch.cat(maps, 1)


def sample_at(features: Tensor, roots: Roots) -> Tensor:
    """The feature vector of each person, f^(i) = F(l^(i)) (eq. 7).

    Args:
        features: F, (B, C, H, W).
        roots: of N people.

    Returns:
        (N, C).
    """
    x, y = roots.cell.unbind(1)  # a map is (C, H, W), so y is its row
    return features[roots.image, :, y, x]


def check_stride(branches: Sequence[Tensor], inputs: Tensor, stride: int) -> None:
    """Checks that the first branch has ceil(input / stride) cells; otherwise targets and features do not line up.

    Args:
        branches: (B, C_i, H_i, W_i).
        inputs: (B, 3, h, w).
        stride: input pixels per cell of the codec.

    Raises:
        BadInput: it has another number of cells.
    """
    height, width = branches[0].shape[-2:]
    input_height, input_width = inputs.shape[-2:]
    wanted_height = math.ceil(input_height / stride)
    wanted_width = math.ceil(input_width / stride)
    if (height, width) != (wanted_height, wanted_width):
        raise BadInput(
            f'the first feature map of the backbone has {width} x {height} cells for an input of '
            f'{input_width} x {input_height} pixels, and the codec of stride {stride} needs '
            f'{wanted_width} x {wanted_height}; set out_indices of the backbone so that the first has this '
            f'stride, or codec.stride to {input_width // width}'
        )
