"""The heatmaps of targets, drawn where the loss is.

P persons of a batch of B images, K keypoints, (H, W) heatmap cells.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from .gaussian import Axes, gaussian_axes, render_max
from .targets import PersonTargets


def render_crowd(targets: PersonTargets, size: Sequence[int], num_images: int) -> Tensor:
    """[H*; C*] of eq. 14: everyone's keypoints, and the center map last.

    Args:
        targets: of the batch.
        size: (W, H) of the maps in cells.
        num_images: B.

    Returns:
        (B, K + 1, H, W) float32 in [0, 1].
    """
    cell = torch.cat([targets.keypoint_cell, targets.root_cell[:, None]], 1)
    drawn = torch.cat([targets.keypoint_drawn, targets.root_drawn[:, None]], 1)
    radius = targets.radius[:, None].expand(drawn.shape)
    sigma = targets.sigma[:, None].expand(drawn.shape)
    axes = gaussian_axes(cell, radius, sigma, drawn, size)
    return render_max(axes.x, axes.y, targets.image, num_images)


def axes_of_people(targets: PersonTargets, chosen: Tensor, size: Sequence[int]) -> Axes:
    """The factors of H^(i)* of eq. 16, of some people.

    Args:
        targets: of the batch.
        chosen: (n,) int64, which of them.
        size: (W, H) of the maps in cells.

    Returns:
        In memory position first, (W, n, K) and (H, n, K): what is drawn from them is then laid out as the maps of GFD.
    """
    drawn = targets.keypoint_drawn[chosen]
    radius = targets.radius[chosen, None].expand(drawn.shape)
    sigma = targets.sigma[chosen, None].expand(drawn.shape)
    axes = gaussian_axes(targets.keypoint_cell[chosen], radius, sigma, drawn, size)
    return Axes(_position_first(axes.x), _position_first(axes.y))


def _position_first(axis: Tensor) -> Tensor:
    """(n, K, W) in memory as (W, n, K)."""
    return axis.permute(2, 0, 1).contiguous().permute(1, 2, 0)
