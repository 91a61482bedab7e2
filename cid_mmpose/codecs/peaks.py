"""Peaks: where each map is highest, which is all that is read from it (eq. 2 with m = 1).

n people, K keypoints, maps of (H, W) cells or h rows of them.
"""
from typing import NamedTuple

import torch
from torch import Tensor


class Peaks(NamedTuple):
    """The highest cell of each of K maps of n people."""
    value: Tensor  # (n, K), how high; -1 where no map was looked at
    cell: Tensor  # (n, K, 2) int64, (x, y)
    rise: Tensor  # (n, K, 2), right minus left neighbour, lower minus upper; a cell stands in for one off the map


def no_peaks(people: int, keypoints: int, device: torch.device) -> Peaks:
    """``Peaks`` of maps at which nobody has looked."""
    pair = torch.zeros(people, keypoints, 2, device=device)
    return Peaks(torch.full((people, keypoints), -1.0, device=device), pair.long(), pair)


def find_peaks(maps: Tensor, rows: slice = slice(None)) -> Peaks:
    """The peaks of some rows of maps.

    Args:
        maps: (n, K, H, W), fastest where they lie cell by cell in memory. rows: among which the peak is; those around
            them are only looked at as its neighbours.
    """
    n, k, h, w = maps.shape
    person, keypoint = (torch.arange(count, device=maps.device) for count in (n, k))
    person, keypoint = person[:, None, None], keypoint[:, None]
    # first the row: faster than a maximum over all cells
    value, y = maps.permute(2, 3, 0, 1)[rows].amax(1).max(0)
    y = y[..., None] + range(h)[rows].start
    x = maps[person, keypoint, y][..., 0, :].argmax(-1, keepdim=True)
    dx, dy = torch.tensor([[1, -1, 0, 0], [0, 0, 1, -1]], device=maps.device)
    right, left, lower, upper = maps[
        person, keypoint, (y + dy).clamp(0, h - 1), (x + dx).clamp(0, w - 1)].unbind(-1)
    return Peaks(value, torch.cat([x, y], -1), torch.stack([right - left, lower - upper], -1))


def higher(one: Peaks, other: Peaks) -> Peaks:
    """The higher peak of each map; ``one`` of two that are equal, and a NaN before any number."""
    better = (other.value > one.value) | other.value.isnan()
    return Peaks(*(torch.where(better if new.dim() == 2 else better[..., None], new, old)
                   for old, new in zip(one, other)))
