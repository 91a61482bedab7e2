"""What each rule costs by itself: what somebody who cannot reproduce CID should check first."""

from collections.abc import Sequence
from typing import NamedTuple

from .claims import NOT_RUN, Difference, paired_difference
from .plans import OPTIONS, OPTIONS_OF_VARIED, REFERENCES, TRAIN
from .summary import figure

ALL_OF_MMPOSE = 'recipe mmpose'  # many rules at once
SMALL_START = "the authors' weights before training"  # right for a pretrained backbone and a long training
WHOSE = {  # row -> whose rule it is; the others are MMPose's
    'seeds are not moved': 'nobody',
    'the mean of the loss of each person (eq. 16)': 'paper',
    'the mask learns as fast as the rest': 'both codes',
    'people below 20 x 20 px have no roots': "authors', with a larger limit",
    SMALL_START: 'both codes',
}


class Cost(NamedTuple):
    """AP that a rule costs; less than 0 where it gains."""

    lost: Difference
    row: str

    @property
    def is_told(self) -> bool:
        """Whether its interval lies beside 0."""
        return self.lost.low > 0 or self.lost.high < 0


def costs_of(rows: dict[str, list[dict]]) -> list[Cost]:
    """The cost of each rule whose runs are there, the largest first.

    Args:
        rows: row -> lines of its runs, the references among them.
    """
    found = []
    for row, lines in rows.items():
        if not lines or row in REFERENCES.values():
            continue
        values = _by_seed(lines)
        reference = _by_seed(rows[REFERENCES[lines[0]['config']]])
        seeds = sorted(values.keys() & reference.keys())
        if len(seeds) >= 3:
            lost = paired_difference([reference[seed] for seed in seeds], [values[seed] for seed in seeds])
            found.append(Cost(lost, row))
    return sorted(found, reverse=True)


def _by_seed(lines: Sequence[dict]) -> dict[int, float]:
    return {line['seed']: figure(line, 'ap') for line in lines}


def what_to_check(rows: dict[str, list[dict]]) -> str:
    """The rules in the order of the AP that they cost, those that cannot be told from 0 apart.

    Args:
        rows: as for ``costs_of``.
    """
    title = '### What to check first\n'
    costs = costs_of(rows)
    if not costs:
        return f'{title}\nThe rules in the order of the AP that they cost: *{NOT_RUN}*.\n'

    by_row = {cost.row: cost for cost in costs}
    single = [cost for cost in costs if cost.row not in (ALL_OF_MMPOSE, SMALL_START)]
    told = [cost for cost in single if cost.is_told]
    others = [cost for cost in single if not cost.is_told]
    written = [
        title,
        'Reference less row, seed by seed: the runs of a seed have the same weights before training and the same '
        'images. In brackets the 95% confidence interval (t of pairs).\n',
    ]
    if ALL_OF_MMPOSE in by_row:
        written.append(
            f"All of MMPose's rules at once cost {by_row[ALL_OF_MMPOSE].lost} AP. By themselves, in order:\n"
        )
    written += _table(told)
    if others:
        written.append('These cannot be told from 0; do not begin with them:\n')
        written += _table(others)
    if SMALL_START in by_row:
        written.append(
            f'Apart from these: {SMALL_START} (`model.head.init_std=0.001`) cost {by_row[SMALL_START].lost} AP here, '
            'where the backbone has random weights too and the run is short. With pretrained weights and a long '
            'training they are what the authors have; the table of methods has them after twice as many iterations.\n'
        )
    return '\n'.join(written)


def _table(costs: Sequence[Cost]) -> list[str]:
    if not costs:
        return ['None.\n']
    written = ['| rule | option | whose | AP lost |', '|---|---|---|---|']
    for cost in costs:
        nothing = cost.lost == Difference(0.0, 0.0, 0.0)
        lost = 'none: the runs are the same to the last digit' if nothing else str(cost.lost)
        written.append(f'| {cost.row} | {option_of(cost.row)} | {WHOSE.get(cost.row, "MMPose")} | {lost} |')
    return [*written, '']


def option_of(row: str) -> str:
    """What ``--cfg-options`` takes for a rule, without the place of the steps of training.

    Args:
        row: of the study.
    """
    options = {**OPTIONS, **OPTIONS_OF_VARIED}.get(row, {})
    if any(name.endswith('encoder.type') for name in options):
        return '`StillHeatmap` of `experiments/study/parts.py`'
    return ' '.join(f'`{name.removeprefix(f"{TRAIN}.")}={value}`' for name, value in options.items())
