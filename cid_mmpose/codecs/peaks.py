"""Peaks: where each map is highest, which is all that is read from it (eq. 2 with m = 1).

n people, K keypoints, maps of (H, W) cells or h rows of them.
"""

from typing import NamedTuple

import torch
from torch import Tensor


class Peaks(NamedTuple):
    """The highest cell of each of K maps of n people."""

    value: Tensor  # (n, K), how high; -1 where no map has been read
    cell: Tensor  # (n, K, 2) int64, (x, y)
    # (n, K, 2), right minus left neighbour, lower minus upper. For a neighbour off the map the peak itself is taken;
    # decoding does not use that number.
    rise: Tensor


def no_peaks(num_people: int, num_keypoints: int, device: torch.device) -> Peaks:
    """The peaks of maps of which nothing has been read yet.

    Args:
        num_people: n.
        num_keypoints: K.
        device: of the result.
    """
    value = torch.full((num_people, num_keypoints), -1.0, device=device)
    zeros = torch.zeros(num_people, num_keypoints, 2, device=device)
    return Peaks(value, cell=zeros.long(), rise=zeros)


def find_peaks(maps: Tensor, rows: slice = slice(None)) -> Peaks:
    """The peaks of some rows of maps.

    Args:
        maps: (n, K, H, W), fastest where memory has them as (H, W, n, K).
        rows: among which the peak is; those around them are only looked at as its neighbours.
    """
    num_people, num_keypoints, height, width = maps.shape
    person = torch.arange(num_people, device=maps.device)[:, None]
    keypoint = torch.arange(num_keypoints, device=maps.device)

    # first the row: faster than a maximum over all cells
    of_rows = maps.permute(2, 3, 0, 1)[rows].amax(1)
    value, y = of_rows.max(0)
    y = y + range(height)[rows].start
    x = maps[person, keypoint, y].argmax(-1)

    right = maps[person, keypoint, y, (x + 1).clamp(max=width - 1)]
    left = maps[person, keypoint, y, (x - 1).clamp(min=0)]
    lower = maps[person, keypoint, (y + 1).clamp(max=height - 1), x]
    upper = maps[person, keypoint, (y - 1).clamp(min=0), x]
    rise = torch.stack([right - left, lower - upper], -1)
    return Peaks(value, cell=torch.stack([x, y], -1), rise=rise)


def higher_peaks(one: Peaks, other: Peaks) -> Peaks:
    """The higher peak of each map; ``one`` of two that are equal, and a NaN before any number.

    Args:
        one: of n people.
        other: of the same.
    """
    better = (other.value > one.value) | other.value.isnan()
    return Peaks(
        value=torch.where(better, other.value, one.value),
        cell=torch.where(better[..., None], other.cell, one.cell),
        rise=torch.where(better[..., None], other.rise, one.rise),
    )
