"""Lists from a file to arrays, with NaN for whatever is no number."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from cid_mmpose.data.values import FARTHEST, is_coordinate


def number_rows(rows: Sequence[Any], width: int) -> np.ndarray:
    """Rows that may be anything -> (len(rows), width) float64.

    A row that is no list of ``width`` entries is NaN throughout; an entry that is no coordinate is NaN. Text is not
    read as a number: no part of the training does.
    """
    made = np.full((len(rows), width), np.nan)
    right = [number for number, row in enumerate(rows) if isinstance(row, (list, tuple)) and len(row) == width]
    if right and width:
        made[right] = _same_width([rows[number] for number in right])
    made[~(np.abs(made) < FARTHEST)] = np.nan
    return made


def _same_width(rows: list) -> np.ndarray:
    """At once where all entries are numbers, which is far faster, else one by one; numpy would take true for 1."""
    try:
        made = np.array(rows)
    except ValueError:  # an entry is a list
        made = np.array(None)
    if made.ndim == 2 and made.dtype.kind in 'iuf' and not any(bool in map(type, row) for row in rows):
        return made
    return np.array([[as_number(value) for value in row] for row in rows])


def as_number(value: Any) -> float:
    """The value if it is a finite number, else NaN."""
    return float(value) if is_coordinate(value) else math.nan
