"""What a training that went wrong looks like, by the rows that show it: where to look first."""

from collections.abc import Sequence
from typing import NamedTuple

from .plans import REFERENCES, STUDIES
from .summary import COLUMNS, by_row, values_of

SHOWN = ('AP', 'AP75', 'easy', 'wrong person, %')  # of the columns


class Symptom(NamedTuple):
    """What is seen, a row in which it is, and one beside it in which it is not."""

    seen: str
    study: str
    row: str
    healthy: str  # the other row
    look_at: str


SYMPTOMS = (
    Symptom(
        'who stands alone is right; in crowds keypoints lie on others and most people are missed',
        'crowds',
        'spatial, fast mask',
        'spatial',
        "GFD's mask is 0 or 1 in nearly every cell: `cid explain` says so. Let the layers of `spatial` learn at a "
        'hundredth of the rate, as the configs of `make demo` do. With fused recalibration it cost little here',
    ),
    Symptom(
        'people are told apart; AP75 falls far more than AP, and who stands alone loses too',
        'options',
        'cells rounded to the nearest',
        REFERENCES['crowd'],
        'half a cell between targets and what is read: `codec.rounding`, and scaling of your own that puts pixels '
        'elsewhere than the codec does (the latter was not tried)',
    ),
    Symptom(
        'people are told apart; AP75 falls more than AP, and who stands alone loses too',
        'options',
        'fractional Gaussians',
        REFERENCES['crowd'],
        "peaks beside the keypoint's cell, and Gaussians of other sizes: `codec.gaussian`, and the sides of boxes on "
        'the map (4 px a cell)',
    ),
    Symptom(
        'the loss falls, and after hundreds of iterations hardly anybody is found, also of those who stand alone',
        'options',
        "the authors' weights before training",
        REFERENCES['crowd'],
        'the first weights of 0.001, where the backbone has random weights too: train longer, or set '
        '`head.init_std=None`',
    ),
)


def symptoms(lines: Sequence[dict]) -> str:
    """A table of the symptoms, with the figures of both rows; those whose runs are missing are left out.

    Args:
        lines: of all studies.
    """
    written = []
    for symptom in SYMPTOMS:
        rows = by_row(STUDIES[symptom.study].plan(lines), lines)
        sick, healthy = rows[symptom.row], rows[symptom.healthy]
        if sick and healthy:
            shown = f'*{symptom.row}*, beside *{symptom.healthy}*'
            figures = [_beside(sick, healthy, column) for column in SHOWN]
            written.append(_row([f'{symptom.seen} ({shown})', *figures, symptom.look_at]))
    if not written:
        return ''

    titles = ['what is seen', *SHOWN, 'look at']
    about = '### By what is seen\n\nMeans of the runs of a row, in brackets those of the one beside it.\n'
    return '\n'.join([about, _row(titles), '|---' * len(titles) + '|', *written]) + '\n'


def _beside(sick: Sequence[dict], healthy: Sequence[dict], column: str) -> str:
    """The mean of a figure over the runs of a row, and that of another in brackets."""
    means = []
    for lines in (sick, healthy):
        found = values_of(lines, *COLUMNS[column])
        means.append(f'{found.mean:.1f}' if found else '')
    return f'{means[0]} ({means[1]})'


def _row(cells: Sequence[str]) -> str:
    return '| ' + ' | '.join(cells) + ' |'
