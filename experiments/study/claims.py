"""What the paper claims, and whether the figures bear it out: by rule, from the confidence interval of a difference."""

from collections.abc import Sequence
from statistics import fmean, stdev
from typing import NamedTuple

from scipy import stats

from .plans import FUSED, OURS, SEEDS

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
    paper: float | None = None  # the difference that the paper has


MMPOSE, SAME_START = "MMPose's CID", "MMPose's CID with our first weights"
CLAIMS = (
    Claim('crowds', 'The contrastive loss makes spatial recalibration alone work (paper: 17.9 to 64.6).',
          'spatial, contrastive loss', 'spatial', paper=46.7),
    Claim('crowds', "It does so where the mask learns as fast as the rest, as in the authors' code.",
          'spatial, contrastive loss, fast mask', 'spatial, fast mask', paper=46.7),
    Claim('crowds', 'The contrastive loss improves channel recalibration (64.9 to 65.3).',
          'channel, contrastive loss', 'channel', paper=0.4),
    Claim('crowds', 'The contrastive loss improves fused recalibration (65.3 to 66.0).', FUSED, 'fused', paper=0.7),
    Claim('crowds', 'With the contrastive loss, fused is better than channel alone (66.0, 65.3).',
          FUSED, 'channel, contrastive loss', paper=0.7),
    Claim('crowds', 'With the contrastive loss, fused is better than spatial alone (66.0, 64.6).',
          FUSED, 'spatial, contrastive loss', paper=1.4),
    Claim('crowds', 'Without it, fused is better than channel alone (65.3, 64.9).', 'fused', 'channel', paper=0.4),
    Claim('crowds', 'Without it, channel alone is far better than spatial alone (64.9, 17.9).',
          'channel', 'spatial', paper=47.0),
    Claim('crowds', 'Spatial recalibration alone collapses where its mask learns as fast as the rest.',
          'spatial, contrastive loss', 'spatial, contrastive loss, fast mask'),
    Claim('channels', '16 channels are better than 8 (64.4, 62.8).', '16 channels', '8 channels', paper=1.6),
    Claim('channels', '32 channels are better than 16 (66.0, 64.4).', '32 channels', '16 channels', paper=1.6),
    Claim('channels', '64 channels are no better than 32 (66.1, 66.0).', '64 channels', '32 channels', 'alike', 0.1),
    Claim('methods', 'CID is better than DEKR at equal iterations (CrowdPose: 71.3, 65.7).',
          OURS, "MMPose's DEKR", paper=5.6),
    Claim('methods', 'At equal time too.', OURS, "MMPose's DEKR, equal time"),
    Claim('methods', 'It gains more over DEKR where people stand close (CrowdPose hard 63.9, 57.5; easy 77.4, 73.0).',
          OURS, "MMPose's DEKR", 'hard', 2.0),
    Claim('methods', 'CID is better than associative embedding at equal iterations (COCO test-dev: 68.9, 62.8).',
          OURS, "MMPose's associative embedding", paper=6.1),
    Claim('methods', 'At equal time too.', OURS, "MMPose's associative embedding, equal time"),
    Claim('methods', "Our reference is better than MMPose's port with first weights of the same size, at equal "
          'iterations.', OURS, SAME_START),
    Claim('methods', 'At equal time too.', OURS, f'{SAME_START}, equal time'),
    Claim('methods', "Our recipe mmpose is as good as MMPose's port with first weights of the same size.",
          'ours, recipe mmpose', SAME_START, 'alike'),
    Claim('methods', "Our reference, as it is set up here, is better than MMPose's port with its own first weights, at "
          'equal iterations.', OURS, MMPOSE),
    Claim('methods', 'At equal time too.', OURS, f'{MMPOSE}, equal time'),
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
    if min(len(of_row) for of_row in values) < len(SEEDS):
        return f'{claim.text} *{NOT_RUN}*'
    found = difference(*values)
    said = verdict(found, claim.kind)
    of_what = 'the gain on hard images is larger than on easy ones by' if claim.kind == 'hard' else 'the difference is'
    aside = claim.paper is not None and not found.low <= claim.paper <= found.high
    of_paper = f"; the paper's {claim.paper:+.1f} lies outside" if aside else ''
    return (
        f'{claim.text} **{said[0].upper()}{said[1:]}**: {of_what} {found.mean:+.1f} AP '
        f'({found.low:+.1f} to {found.high:+.1f}{of_paper}).'
    )
