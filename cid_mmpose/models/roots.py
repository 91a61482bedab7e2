"""Roots: the centers of people on the heatmap (eq. 2, 6).

B images, N people of all images, (H, W) heatmap cells; cells are (x, y).
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from cid_mmpose.errors import BadInput

# Side in cells of the window in which one peak may be, by (mean side of the map above, window); source: the authors'
# configuration.
PEAK_WINDOWS = ((300, 7), (200, 5))
LEAST_WINDOW = 3


class Roots(NamedTuple):
    """Where people stand, sorted by image."""

    cell: Tensor  # (N, 2) int64, (x, y) in heatmap cells
    image: Tensor  # (N,) int64, image in the batch
    score: Tensor | None = None  # (N,) in [0, 1], height of the smoothed center map; None for seeds in training


def smooth(maps: Tensor, blur: int) -> Tensor:
    """Mean of the maps (..., H, W) and their box blur of odd side ``blur`` cells; zeros count beyond the border."""
    if not maps.numel():
        return maps
    # as one image of many channels, (1, N, H, W), channels last in memory: avg_pool2d is several times faster on that
    stacked = maps.reshape(-1, *maps.shape[-2:])
    channels_last = stacked.permute(1, 2, 0).contiguous()  # without a copy for maps of GFD, which are so in memory
    image = channels_last[None].permute(0, 3, 1, 2)
    smoothed = F.avg_pool2d(image, blur, 1, blur // 2).add_(image).div_(2)
    return smoothed[0].reshape(maps.shape)


def peak_window(height: int, width: int) -> int:
    """Side in cells, odd, of the window in which one peak of the center map may be.

    Args:
        height: H of the map.
        width: W of the map.
    """
    for side, window in PEAK_WINDOWS:
        if (height + width) / 2 > side:
            return window
    return LEAST_WINDOW


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
    height, width = center.shape[-2:]
    window = peak_window(height, width)
    is_peak = F.max_pool2d(center, window, 1, window // 2) == center
    score, index = (center * is_peak).flatten(1).topk(min(max_people, height * width))

    is_root = ~(score <= min_score)  # not >, so that NaN, which is sorted before all numbers, is here and reported
    image, rank = is_root.nonzero(as_tuple=True)
    broken = image[score[image, rank].isnan()]
    if len(broken):
        raise BadInput(
            f'the center map of image {int(broken[0])} of the batch is NaN: the weights or the arithmetic '
            'went wrong; give another checkpoint, or leave out half precision (model.test_cfg.precision)'
        )
    score = score[image, rank]
    index = index[image, rank]
    x = index % width
    y = torch.div(index, width, rounding_mode='floor')
    return Roots(torch.stack([x, y], 1), image, score)
