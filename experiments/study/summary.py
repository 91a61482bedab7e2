"""Rows of tables: the mean and the standard deviation of the runs of a row."""

from collections.abc import Sequence
from statistics import fmean, stdev
from typing import NamedTuple

from .lines import key_of
from .plans import Plan

COLUMNS = {  # heading -> figure and bin
    'AP': ('ap', 'all'),
    'AP50': ('ap50', 'all'),
    'AP75': ('ap75', 'all'),
    'easy': ('ap', 'easy'),
    'medium': ('ap', 'medium'),
    'hard': ('ap', 'hard'),
    'missed, %': ('missed', 'all'),
    'wrong person, %': ('wrong', 'all'),
}
SHARES = {'missed': 'people', 'wrong': 'keypoints'}  # count -> what it is a share of


class Value(NamedTuple):
    """Of the runs of a row."""

    mean: float
    deviation: float | None  # None of one run
    runs: int

    def __str__(self) -> str:
        if self.deviation is None:
            return f'{self.mean:.1f}'
        return f'{self.mean:.1f} ± {self.deviation:.1f}'


def value(numbers: Sequence[float]) -> Value:
    """Mean and standard deviation (of a sample, n - 1) of at least one number."""
    return Value(fmean(numbers), stdev(numbers) if len(numbers) > 1 else None, len(numbers))


def figure(line: dict, name: str, place: str = 'all') -> float | None:
    """A figure of a run: AP in [0, 100], or the share in % of people missed or keypoints on the wrong person.

    Args:
        line: of the run.
        name: 'ap', 'ap50', 'ap75', 'missed' or 'wrong'.
        place: the bin.

    Returns:
        None where the bin has no images or nothing to count.
    """
    figures = line['bins'].get(place)
    if figures is None:
        return None
    if name not in SHARES:
        return figures[name]
    whole = figures[SHARES[name]]
    return 100 * figures[name] / whole if whole else None


def values_of(lines: Sequence[dict], name: str, place: str = 'all') -> Value | None:
    """The figure of all runs of a row; None if none has it.

    Args:
        lines: of the runs.
        name: as for ``figure``.
        place: the bin.
    """
    numbers = [number for line in lines if (number := figure(line, name, place)) is not None]
    return value(numbers) if numbers else None


def by_row(plan: Plan, lines: Sequence[dict]) -> dict[str, list[dict]]:
    """Row -> lines of its runs, in the order of the plan; rows that wait are empty.

    Args:
        plan: of a study.
        lines: of all studies: a run that two of them have is done once.
    """
    taken = {line['key']: line for line in lines}
    rows: dict[str, list[dict]] = {}
    for run in plan.runs:
        of_row = rows.setdefault(run.row, [])
        line = taken.get(key_of(run))
        if line:
            of_row.append(line)
    for waiting in plan.waiting:
        rows.setdefault(waiting.row, [])
    return rows


def hours(lines: Sequence[dict], kind: str) -> float:
    """What runs took together.

    Args:
        lines: of the runs.
        kind: 'all_seconds', on the clock, or 'cpu_seconds', of the processes that train alone.
    """
    return sum(line[kind] for line in lines) / 3600
