"""Roots: the centers of people on the heatmap (eq. 2, 6).

B images, N people of all images, (H, W) heatmap cells; cells are (x, y).
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from cid_mmpose.errors import BadInput

# Side of the window in which one peak may stand, by mean map side in cells; source: the authors' configuration.
PEAK_WINDOWS = ((300, 7), (200, 5), (0, 3))


class Roots(NamedTuple):
    """Where people stand, sorted by image."""

    cell: Tensor  # (N, 2) int64, (x, y) in heatmap cells
    image: Tensor  # (N,) int64, image in the batch
    score: Tensor | None = None  # (N,) in [0, 1], height of the center map; None for annotated roots


def smooth(maps: Tensor, blur: int) -> Tensor:
    """Mean of the maps (..., H, W) and their box blur of odd side ``blur`` cells; zeros count beyond the border."""
    if not maps.numel():
        return maps
    # pooling is several times faster cell by cell, as GFD's maps lie in memory; and as a batch of one by its strides
    cells = maps.reshape(-1, *maps.shape[-2:]).permute(1, 2, 0).contiguous()[None].permute(0, 3, 1, 2)
    smoothed = F.avg_pool2d(cells, blur, 1, blur // 2).add_(cells).div_(2)
    return smoothed[0].reshape(maps.shape)


def find_roots(center: Tensor, max_people: int, min_score: float, blur: int) -> Roots:
    """The peaks of the center map, best first within each image.

    Args:
        center: (B, H, W) in [0, 1], eq. 6.
        max_people: people kept an image.
        min_score: a root's score lies above it.
        blur: odd side in cells.

    Returns:
        Roots of all images, none where nobody stands out.

    Raises:
        BadInput: the center map of an image holds NaN, which lies above no score: it would pass for an empty image.
    """
    center = smooth(center, blur)
    h, w = center.shape[-2:]
    window = next(window for side, window in PEAK_WINDOWS if (h + w) / 2 > side)
    is_peak = F.max_pool2d(center, window, 1, window // 2) == center
    score, index = (center * is_peak).flatten(1).topk(min(max_people, h * w))
    image, rank = (~(score <= min_score)).nonzero(as_tuple=True)  # with NaN, which is sorted before all numbers
    broken = image[score[image, rank].isnan()]
    if len(broken):
        raise BadInput(
            f'the center map of image {int(broken[0])} of the batch is NaN: the weights or the arithmetic '
            'went wrong; give another checkpoint, or leave out half precision (model.test_cfg.precision)'
        )
    score, index = score[image, rank], index[image, rank]
    return Roots(torch.stack([index % w, torch.div(index, w, rounding_mode='floor')], 1), image, score)
