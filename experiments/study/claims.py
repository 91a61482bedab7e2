"""What the paper claims, and whether the figures bear it out: by rule, from the confidence interval of a difference."""

from collections.abc import Sequence
from statistics import fmean, stdev
from typing import NamedTuple

from scipy import stats

from .plans import FUSED

CONFIDENCE = 0.95
ALIKE = 2.0  # AP: methods that the paper calls about as good must not differ by more
HOLDS, FAILS, UNKNOWN = 'holds', 'does not hold', 'cannot be told at this size'
NOT_RUN = 'not yet run'


class Difference(NamedTuple):
    """How much larger the mean of some runs is than that of others."""

    mean: float
    low: float  # of the confidence interval
    high: float


class Claim(NamedTuple):
    """One row is better than another, or as good."""

    study: str
    text: str
    better: str  # row
    worse: str  # row
    kind: str = 'more'  # or 'alike'; or 'hard': the difference on hard images is larger than on easy ones


CLAIMS = (
    Claim('crowds', 'The contrastive loss makes spatial recalibration alone work (paper: 17.9 to 64.6).',
          'spatial, contrastive loss', 'spatial'),
    Claim('crowds', 'It improves channel recalibration (64.9 to 65.3).', 'channel, contrastive loss', 'channel'),
    Claim('crowds', 'It improves the fused one (65.3 to 66.0).', FUSED, 'fused'),
    Claim('crowds', 'With it, fused is better than channel alone (66.0, 65.3).', FUSED, 'channel, contrastive loss'),
    Claim('crowds', 'With it, fused is better than spatial alone (66.0, 64.6).', FUSED, 'spatial, contrastive loss'),
    Claim('crowds', 'Without it, fused is better than channel alone (65.3, 64.9).', 'fused', 'channel'),
    Claim('crowds', 'Without it, channel alone is far better than spatial alone (64.9, 17.9).', 'channel', 'spatial'),
    Claim('crowds', 'Spatial recalibration alone collapses where its mask learns as fast as the rest.',
          'spatial, contrastive loss', 'spatial, contrastive loss, fast mask'),
    Claim('channels', '16 channels are better than 8 (64.4, 62.8).', '16 channels', '8 channels'),
    Claim('channels', '32 channels are better than 16 (66.0, 64.4).', '32 channels', '16 channels'),
    Claim('channels', '64 channels are no better than 32 (66.1, 66.0).', '64 channels', '32 channels', 'alike'),
    Claim('methods', 'CID is better than DEKR (CrowdPose: 71.3, 65.7).', 'ours, reference', "MMPose's DEKR"),
    Claim('methods', 'It gains more over DEKR where people stand close (CrowdPose hard 63.9, 57.5; easy 77.4, 73.0).',
          'ours, reference', "MMPose's DEKR", 'hard'),
    Claim('methods', 'CID is better than associative embedding (COCO test-dev: 68.9, 62.8).',
          'ours, reference', "MMPose's associative embedding"),
    Claim('methods', "Ours, by the authors' rules, is better than MMPose's port at equal iterations.",
          'ours, reference', "MMPose's CID"),
    Claim('methods', 'And at equal time.', 'ours, reference, equal time', "MMPose's CID, equal time"),
    Claim('methods', 'Also where both begin with the same weights, at equal iterations.',
          'ours, reference', "MMPose's CID with our first weights"),
    Claim('methods', 'And at equal time.', 'ours, reference, equal time',
          "MMPose's CID with our first weights, equal time"),
    Claim('real', 'Weights of drawn people help on real images.', 'from the weights of SynthCrowd',
          'from random weights'),
)  # fmt: skip


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


def verdict(found: Difference, kind: str) -> str:
    """Whether a claim holds.

    'more' and 'hard' hold if all of the confidence interval is above 0, and do not if all of it is below. 'alike' holds
    if all of it is within ``ALIKE`` of 0, and does not if none of it is.

    Args:
        found: better less worse.
        kind: of the claim.
    """
    if kind == 'alike':
        if -ALIKE <= found.low and found.high <= ALIKE:
            return HOLDS
        return FAILS if found.low > ALIKE or found.high < -ALIKE else UNKNOWN
    if found.low > 0:
        return HOLDS
    return FAILS if found.high < 0 else UNKNOWN


def value_of(line: dict, kind: str) -> float:
    """What a claim compares: AP of all images, or AP of hard ones less that of easy ones."""
    bins = line['bins']
    if kind == 'hard':
        return bins['hard']['ap'] - bins['easy']['ap']
    return bins['all']['ap']


def sentence(claim: Claim, rows: dict[str, list[dict]]) -> str:
    """The claim and what is to be said of it.

    Args:
        claim: which.
        rows: row -> lines of its runs.
    """
    values = []
    for row in (claim.better, claim.worse):
        values.append([value_of(line, claim.kind) for line in rows.get(row, [])])
    if min(len(of_row) for of_row in values) < 2:
        return f'{claim.text} *{NOT_RUN}*'
    found = difference(*values)
    runs = ' and '.join(str(len(of_row)) for of_row in values)
    said = verdict(found, claim.kind)
    return (
        f'{claim.text} **{said[0].upper()}{said[1:]}**: the difference is {found.mean:+.1f} AP '
        f'({found.low:+.1f} to {found.high:+.1f}; {runs} runs).'
    )
