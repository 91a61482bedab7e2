"""Sizes of maps inside a graph, where the size of the images is not fixed: a number there is a tensor of one value."""

import torch
from torch import Tensor


def as_tensor(length: int, device: torch.device) -> Tensor:
    """A side of a map as a tensor of one value, int64: the exporter has no division and no rest by a symbolic number.

    Args:
        length: cells, at least 1.
        device: of the result.
    """
    return torch.arange(length, device=device)[-1] + 1


def cells_of(index: Tensor, width: int) -> Tensor:
    """Numbers of cells of a flattened map -> the cells.

    Args:
        index: (...) int64.
        width: W of the map.

    Returns:
        (..., 2) int64, (x, y).
    """
    cells_in_row = as_tensor(width, index.device)
    y = torch.div(index, cells_in_row, rounding_mode='floor')
    x = index - y * cells_in_row
    return torch.stack([x, y], -1)
