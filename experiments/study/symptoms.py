"""What a training that went wrong looks like, by the rows that show it: where to look first."""

from collections.abc import Sequence
from typing import NamedTuple

from .plans import REFERENCES, STUDIES
from .summary import by_row, values_of

FIGURES = {  # column -> figure and bin
    'AP': ('ap', 'all'),
    'AP50': ('ap50', 'all'),
    'AP75': ('ap75', 'all'),
    'easy': ('ap', 'easy'),
    'wrong person, %': ('wrong', 'all'),
}


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
        "GFD's mask is 1 in every cell: `cid explain` says so. Let the layers of `spatial` learn at a hundredth of the "
        'rate, as the configs of `make demo` do. With fused recalibration it costs less, because channels alone can '
        'tell people apart',
    ),
    Symptom(
        'people are found and told apart, but AP75 is a fraction of what it should be',
        'options',
        'cells rounded to the nearest',
        REFERENCES['crowd'],
        'half a cell between targets and what is read: `codec.rounding`, a resize that aligns corners, '
        '`cell_center` of a checkpoint',
    ),
    Symptom(
        'people are found late and AP75 is low, also of who stands alone',
        'options',
        'fractional Gaussians',
        REFERENCES['crowd'],
        "Gaussians of other sizes than the authors': `codec.gaussian`, and sides of boxes on the map (4 px a cell)",
    ),
    Symptom(
        'the loss falls, and after hundreds of iterations nobody is told apart yet',
        'options',
        "the authors' weights before training",
        REFERENCES['crowd'],
        'the first weights of 0.001, where the backbone has random weights too: wait some thousand iterations, or set '
        '`head.init_std=None`',
    ),
)


def symptoms(lines: Sequence[dict]) -> str:
    """A table of the symptoms, with the figures of both rows; those whose runs are missing are left out.

    Args:
        lines: of all studies.
    """
    titles = ['what is seen', *FIGURES, 'look at']
    written = ['| ' + ' | '.join(titles) + ' |', '|---' * len(titles) + '|']
    for symptom in SYMPTOMS:
        rows = by_row(STUDIES[symptom.study].plan(lines), lines)
        sick, healthy = rows[symptom.row], rows[symptom.healthy]
        if not sick or not healthy:
            continue
        cells = []
        for name, place in FIGURES.values():
            there, beside = (values_of(of_row, name, place) for of_row in (sick, healthy))
            cells.append(f'{there.mean:.1f} ({beside.mean:.1f})' if there and beside else '')
        seen = f'{symptom.seen} (*{symptom.row}*, beside *{symptom.healthy}*)'
        written.append('| ' + ' | '.join([seen, *cells, symptom.look_at]) + ' |')
    if len(written) == 2:
        return ''
    return '\n'.join(['By what is seen, in brackets the figures of the row beside it:\n', *written]) + '\n'
