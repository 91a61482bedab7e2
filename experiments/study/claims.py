"""What the paper claims, and whether the figures bear it out: by rule, from the confidence interval of a difference."""

from collections.abc import Sequence
from statistics import fmean
from typing import NamedTuple

from .differences import Difference, difference
from .plans import FUSED, OURS, SEEDS

ALIKE = 2.0  # AP: methods that the paper calls about as good must not differ by more
LEVEL = 10.0  # AP: how far two rows may lie apart on easy images for their losses by crowding to be compared
HALF = 0.5  # of the paper's difference: what is surely smaller than this is not what the paper found
HOLDS, IN_PART, FAILS, UNKNOWN = (
    'holds',
    'holds, but by less than half',
    'does not hold here',
    'cannot be told at this size',
)
VERDICTS = (HOLDS, IN_PART, FAILS, UNKNOWN)
NOT_RUN = 'not yet run'
OF_PAPER, OF_CODE = 'What the paper says', 'About this implementation'  # whose claim it is


class Claim(NamedTuple):
    """One row is better than another, or as good."""

    study: str
    text: str  # without figures of the paper, which ``aside`` has
    better: str  # row
    worse: str  # row
    aside: str = ''
    kind: str = 'more'  # or 'alike'; or 'hard': the difference on hard images is larger than on easy ones
    paper: float | None = None  # the difference that the paper has
    whose: str = OF_PAPER


MMPOSE, SAME_START = "MMPose's CID", "MMPose's CID with our first weights"
DEKR, EMBEDDING = "MMPose's DEKR", "MMPose's associative embedding"
MMPOSE_RULES = 'ours, recipe mmpose'
FAST = 'fast mask'


def of_code(study: str, text: str, better: str, worse: str, kind: str = 'more') -> Claim:
    """A claim that is ours."""
    return Claim(study, text, better, worse, kind=kind, whose=OF_CODE)


CLAIMS = (
    Claim('crowds', 'The contrastive loss makes spatial recalibration alone work', 'spatial, contrastive loss',
          'spatial', '17.9 to 64.6', paper=46.7),
    Claim('crowds', 'The contrastive loss makes spatial recalibration with a fast mask work',
          f'spatial, contrastive loss, {FAST}', f'spatial, {FAST}', '17.9 to 64.6', paper=46.7),
    Claim('crowds', 'The contrastive loss improves channel recalibration', 'channel, contrastive loss', 'channel',
          '64.9 to 65.3', paper=0.4),
    Claim('crowds', 'The contrastive loss improves fused recalibration', FUSED, 'fused', '65.3 to 66.0', paper=0.7),
    Claim('crowds', 'With the contrastive loss, fused is better than channel alone', FUSED, 'channel, contrastive loss',
          '66.0, 65.3', paper=0.7),
    Claim('crowds', 'With the contrastive loss, fused is better than spatial alone', FUSED, 'spatial, contrastive loss',
          '66.0, 64.6', paper=1.4),
    Claim('crowds', 'Without that loss, fused is better than channel alone', 'fused', 'channel', '65.3, 64.9',
          paper=0.4),
    Claim('crowds', 'Without that loss, channel alone is far better than spatial alone', 'channel', 'spatial',
          '64.9, 17.9', paper=47.0),
    of_code('crowds', 'A slow mask saves spatial recalibration alone', 'spatial, contrastive loss',
            f'spatial, contrastive loss, {FAST}'),
    Claim('channels', '16 channels are better than 8', '16 channels', '8 channels', '64.4, 62.8', paper=1.6),
    Claim('channels', '32 channels are better than 16', '32 channels', '16 channels', '66.0, 64.4', paper=1.6),
    Claim('channels', '64 channels are as good as 32', '64 channels', '32 channels', '66.1, 66.0', 'alike', 0.1),
    Claim('methods', 'CID is better than DEKR at equal iterations', OURS, DEKR, 'CrowdPose: 71.3, 65.7', paper=5.6),
    Claim('methods', 'CID is better than DEKR at equal time', OURS, f'{DEKR}, equal time'),
    Claim('methods', 'CID gains more over DEKR where people stand close', OURS, DEKR,
          'CrowdPose: hard 63.9, 57.5; easy 77.4, 73.0', 'hard', 2.0),
    Claim('methods', 'CID is better than associative embedding at equal iterations', OURS, EMBEDDING,
          'COCO test-dev: 68.9, 62.8 with HourGlass', paper=6.1),
    Claim('methods', 'CID is better than associative embedding at equal time', OURS, f'{EMBEDDING}, equal time'),
    of_code('methods', "Ours is better than MMPose's port with first weights of the same size, at equal iterations",
            OURS, SAME_START),
    of_code('methods', "Ours is better than MMPose's port with first weights of the same size, at equal time",
            OURS, f'{SAME_START}, equal time'),
    of_code('methods', "By MMPose's rules ours is as good as the port with first weights of the same size, at equal "
            'iterations', MMPOSE_RULES, SAME_START, 'alike'),
    of_code('methods', "By MMPose's rules ours is better than that port at equal time", f'{MMPOSE_RULES}, equal time',
            f'{SAME_START}, equal time'),
    of_code('methods', "Ours, as it is set up here, is better than MMPose's port as it is, at equal iterations",
            OURS, MMPOSE),
    of_code('methods', "Ours, as it is set up here, is better than MMPose's port as it is, at equal time",
            OURS, f'{MMPOSE}, equal time'),
    of_code('real', 'Weights of drawn people help on real images', 'from the weights of SynthCrowd',
            'from random weights'),
)  # fmt: skip


def verdict(found: Difference, kind: str, paper: float | None = None) -> str:
    """Whether a claim holds: ``texts.SETTING`` has the rule.

    Args:
        found: better less worse.
        kind: of the claim.
        paper: the difference that the paper has.
    """
    if kind == 'alike':
        if -ALIKE <= found.low and found.high <= ALIKE:
            return HOLDS
        return FAILS if found.low > ALIKE or found.high < -ALIKE else UNKNOWN
    smaller = paper is not None and found.high < HALF * paper
    if found.low > 0:
        return IN_PART if smaller else HOLDS
    return FAILS if found.high < 0 or smaller else UNKNOWN


def value_of(line: dict, kind: str) -> float:
    """What a claim compares: AP of all images, or AP of hard ones less that of easy ones."""
    bins = line['bins']
    if kind == 'hard':
        return bins['hard']['ap'] - bins['easy']['ap']
    return bins['all']['ap']


class Judged(NamedTuple):
    """What is to be said of a claim."""

    said: str  # one of ``VERDICTS``, or ``NOT_RUN``
    found: Difference | None  # None before all runs are there


def judge(claim: Claim, rows: dict[str, list[dict]]) -> Judged:
    """Whether a claim holds by the runs of its rows.

    Args:
        claim: which.
        rows: row -> lines of its runs.
    """
    of_rows = [rows.get(row, []) for row in (claim.better, claim.worse)]
    if min(len(lines) for lines in of_rows) < len(SEEDS):
        return Judged(NOT_RUN, None)
    found = difference(*([value_of(line, claim.kind) for line in lines] for lines in of_rows))
    if claim.kind == 'hard' and abs(_easy(of_rows[0]) - _easy(of_rows[1])) > LEVEL:
        return Judged(UNKNOWN, found)  # who finds few people anywhere has little to lose in crowds
    return Judged(verdict(found, claim.kind, claim.paper), found)


def _easy(lines: Sequence[dict]) -> float:
    return fmean(line['bins']['easy']['ap'] for line in lines)


def sentence(claim: Claim, rows: dict[str, list[dict]]) -> str:
    """The claim and what is to be said of it.

    Args:
        claim: which.
        rows: row -> lines of its runs.
    """
    aside = f' (paper: {claim.aside})' if claim.aside else ''
    said, found = judge(claim, rows)
    if found is None:
        return f'{claim.text}{aside}. *{said}*'
    of_what = 'the gain on hard images less that on easy ones is' if claim.kind == 'hard' else 'the difference is'
    of_paper = f" The paper's is {claim.paper:+.1f}." if claim.paper is not None else ''
    return (
        f'{claim.text}{aside}. **{said[0].upper()}{said[1:]}**: {of_what} {found.mean:+.1f} AP '
        f'({found.low:+.1f} to {found.high:+.1f}).{of_paper}'
    )
