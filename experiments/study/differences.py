"""By how much the runs of one row are above those of another, with the confidence interval."""

from collections.abc import Sequence
from statistics import fmean, stdev
from typing import NamedTuple

from scipy import stats

CONFIDENCE = 0.95


class Difference(NamedTuple):
    """How much larger the mean of some runs is than that of others."""

    mean: float
    low: float  # of the confidence interval
    high: float

    def __str__(self) -> str:
        return f'{self.mean:+.1f} ({self.low:+.1f} to {self.high:+.1f})'


def difference(better: Sequence[float], worse: Sequence[float]) -> Difference:
    """The difference of two means with its confidence interval, of which neither spread is taken to be the other's.

    Args:
        better: at least two values.
        worse: at least two values.

    Source: Welch's t-test.
    """
    variances = [stdev(values) ** 2 / len(values) for values in (better, worse)]
    mean = fmean(better) - fmean(worse)
    spread = sum(variances) ** 0.5
    if spread == 0:
        return Difference(mean, mean, mean)
    freedom = sum(variances) ** 2 / sum(
        variance**2 / (len(values) - 1) for variance, values in zip(variances, (better, worse))
    )
    half = stats.t.ppf((1 + CONFIDENCE) / 2, freedom) * spread
    return Difference(mean, mean - half, mean + half)


def paired_difference(better: Sequence[float], worse: Sequence[float]) -> Difference:
    """The difference of two rows whose runs belong together, seed by seed, with its confidence interval.

    Args:
        better: at least two values.
        worse: as many, in the same order of seeds.

    Source: the t-test of pairs.
    """
    of_seeds = [one - other for one, other in zip(better, worse, strict=True)]
    mean = fmean(of_seeds)
    half = stats.t.ppf((1 + CONFIDENCE) / 2, len(of_seeds) - 1) * stdev(of_seeds) / len(of_seeds) ** 0.5
    return Difference(mean, mean - half, mean + half)
