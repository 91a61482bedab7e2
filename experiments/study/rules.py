"""What each rule costs by itself: what somebody who cannot reproduce CID should check first."""

from collections.abc import Sequence
from typing import NamedTuple

from .claims import NOT_RUN
from .differences import Difference, paired_difference
from .plans import OPTIONS, OPTIONS_OF_VARIED, PAIR, REFERENCES, SEEDS, TRAIN
from .summary import figure

ALL_OF_MMPOSE = 'recipe mmpose'  # many rules at once
FIRST_WEIGHTS = "the authors' weights before training"  # right for a pretrained backbone and a long training
WHOSE = {  # row -> whose rule it is; the others are MMPose's
    'seeds are not moved': 'nobody',
    'fractional Gaussians': 'MMPose, with the rounding',
    'cells rounded to the nearest': 'MMPose, with the Gaussians',
    'the mean of the loss of each person (eq. 16)': 'paper',
    'the mask learns as fast as the rest': 'both codes',
    'people below 20 x 20 px have no roots': "authors', with a larger limit",
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
        reference = _by_seed(rows.get(REFERENCES[lines[0]['config']], []))
        seeds = sorted(values.keys() & reference.keys())
        if len(seeds) >= len(SEEDS):
            lost = paired_difference([reference[seed] for seed in seeds], [values[seed] for seed in seeds])
            found.append(Cost(lost, row))
    return sorted(found, reverse=True)


def _by_seed(lines: Sequence[dict]) -> dict[int, float]:
    return {line['seed']: figure(line, 'ap') for line in lines}


def single_costs(rows: dict[str, list[dict]]) -> list[Cost]:
    """The costs of single rules, without rows of several at once and without that of the weights before training.

    Args:
        rows: as for ``costs_of``.
    """
    return [cost for cost in costs_of(rows) if cost.row not in (ALL_OF_MMPOSE, PAIR, FIRST_WEIGHTS)]


def what_to_check(rows: dict[str, list[dict]]) -> str:
    """The rules in the order of the AP that they cost, those that cannot be told from 0 apart.

    Args:
        rows: as for ``costs_of``.
    """
    title = '### What to check first\n'
    lost = {cost.row: cost.lost for cost in costs_of(rows)}
    if not lost:
        return f'{title}\nThe rules in the order of the AP that they cost: *{NOT_RUN}*.\n'

    costs = single_costs(rows)
    written = [
        title,
        'Reference less row, seed by seed: the runs of a seed have the same weights before training and the same '
        'images. In brackets the 95% confidence interval (t of pairs). All rows are compared with the same three runs '
        'of the reference: an unlucky one moves all of them together. *Option* makes ours follow the rule, so leave it '
        f'out; those of steps stand below `{TRAIN}`. Each rule by itself:\n',
        *_table([cost for cost in costs if cost.is_told]),
        'These cannot be told from 0; do not begin with them:\n',
        *_table([cost for cost in costs if not cost.is_told]),
        'Apart from these:\n',
    ]
    if ALL_OF_MMPOSE in lost:
        written.append(f'- The recipe mmpose, as far as these images let it act, costs {lost[ALL_OF_MMPOSE]} AP.')
    if PAIR in lost:
        written.append(
            f"- MMPose's Gaussians and its rounding together cost {lost[PAIR]} AP: its Gaussians put the peak of half "
            'of the keypoints a cell to the upper left, its rounding that of half of them a cell to the lower right.'
        )
    if FIRST_WEIGHTS in lost:
        written.append(
            f"- The authors' weights before training (`model.head.init_std=0.001`) cost {lost[FIRST_WEIGHTS]} AP, "
            'where the backbone has random weights too and the run is short. With pretrained weights and a long '
            'training they are what the authors have.'
        )
    waiting = [row for row in rows if row not in lost and row not in REFERENCES.values()]
    if waiting:
        written.append(f'- *{NOT_RUN}* with all seeds: {"; ".join(waiting)}.')
    return '\n'.join(written) + '\n'


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
