"""Roots with a fixed number of rows an image: in a graph nothing may depend on how many people there are.

B images, P rows of each, (H, W) heatmap cells.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from cid_mmpose.models.roots import LEAST_WINDOW, PEAK_WINDOWS, Roots, peak_window, smooth

from .sizes import as_tensor, cells_of


class RootRows(NamedTuple):
    """The P highest peaks of each of B center maps, best first."""

    roots: Roots  # of B * P rows
    is_found: Tensor  # (B, P) bool, whether a row is a person


def root_rows(center: Tensor, max_people: int, min_score: float, blur: int, free_size: bool) -> RootRows:
    """What ``find_roots`` finds, as rows.

    Args:
        center: (B, H, W) in [0, 1].
        max_people: P, at most H * W.
        min_score: a row is a person if its root's score lies above it.
        blur: odd side in cells.
        free_size: whether the graph takes images of any size, so that the window in which one peak may be is not known.
    """
    smoothed = smooth(center, blur)
    highest = _highest_in_any_window(smoothed) if free_size else _highest_in_window(smoothed)
    is_peak = highest == smoothed
    score, index = (smoothed * is_peak).flatten(1).topk(max_people)

    cell = cells_of(index, center.shape[2]).flatten(0, 1)
    image = torch.arange(center.shape[0], device=center.device)[:, None].expand(-1, max_people).flatten()
    is_found = ~(score <= min_score)  # not >, so that NaN counts as found and is seen by who reads the row
    return RootRows(Roots(cell, image, score.flatten()), is_found)


def _highest_in_window(maps: Tensor) -> Tensor:
    """The highest value around each cell, (B, H, W), for maps of a size that is known."""
    window = peak_window(*maps.shape[-2:])
    return F.max_pool2d(maps, window, 1, window // 2)


def _highest_in_any_window(maps: Tensor) -> Tensor:
    """The same where the size is told by the images: all windows are tried, and the one for the size is taken."""
    height, width = maps.shape[-2:]
    mean_side = (as_tensor(height, maps.device) + as_tensor(width, maps.device)) / 2

    highest = F.max_pool2d(maps, LEAST_WINDOW, 1, LEAST_WINDOW // 2)
    for side, window in reversed(PEAK_WINDOWS):
        wider = F.max_pool2d(maps, window, 1, window // 2)
        highest = torch.where(mean_side > side, wider, highest)
    return highest
