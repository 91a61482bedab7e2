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
    places = []
    right_rows = []
    for place, row in enumerate(rows):
        if isinstance(row, (list, tuple)) and len(row) == width:
            places.append(place)
            right_rows.append(row)
    if right_rows and width:
        made[places] = _same_width(right_rows)

    is_near = np.abs(made) < FARTHEST
    made[~is_near] = np.nan
    return made


def _same_width(rows: list) -> np.ndarray:
    """At once where all entries are numbers, which is far faster, else one by one; numpy would take true for 1."""
    try:
        made = np.array(rows)
    except ValueError:  # an entry is a list
        made = np.array(None)
    is_numeric = made.ndim == 2 and made.dtype.kind in 'iuf'
    if is_numeric and not _holds_bool(rows):
        return made

    numbers = []
    for row in rows:
        numbers.append(list(map(as_number, row)))
    return np.array(numbers)


def _holds_bool(rows: list) -> bool:
    """Whether an entry of a row is true or false."""
    for row in rows:
        if bool in map(type, row):
            return True
    return False


def as_number(value: Any) -> float:
    """The value if it is a finite number, else NaN."""
    return float(value) if is_coordinate(value) else math.nan
