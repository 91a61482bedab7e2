"""The studies: which trainings each consists of.

What a run is must not change under its name: lines are found again by config, options and seed (``lines.key_of``).
"""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import mean
from typing import Any, NamedTuple

from cid_mmpose.errors import BadInput

CONFIGS = Path(__file__).resolve().parent / 'configs'
SEEDS = (0, 1, 2)
ITERATIONS = 1200  # seeds of most rows are 0.2 to 2.5 AP apart after as many
OF_REAL = 400  # iterations of fine-tuning on a few dozen images
SLOW = 2.0  # times the time of ours: such a method's learning rate is chosen from runs as long in time as ours
RATES = (1e-3, 2e-3, 4e-3)  # of Adam; each method takes the best of these
VALIDATION = 2  # seed of the images on which learning rates are chosen; training has 0, testing 1
SEED_OF_RATES = 10
OF_PACE = 'its iterations come from `cid study pace`'  # why a row waits
FUSED = 'fused, contrastive loss'
FAST_MASK = {'optim_wrapper.paramwise_cfg.custom_keys.spatial.lr_mult': 1.0}  # the mask learns as fast as the rest
SMALL_START = {'model.head.init_std': 0.001}  # the authors' weights of GFD before training
PAIR = 'fractional Gaussians, cells rounded to the nearest'  # rules of MMPose that move a peak in opposite directions
TRAIN = 'train_dataloader.dataset.pipeline'

OURS = 'ours, reference'
METHODS = {  # row -> config and options
    OURS: ('crowd', {}),
    'ours, recipe mmpose': ('crowd', {'recipe': 'mmpose'}),
    "MMPose's CID": ('mmpose_cid', {}),
    "MMPose's CID with our first weights": ('mmpose_cid_start', {}),
    "MMPose's DEKR": ('mmpose_dekr', {}),
    "MMPose's associative embedding": ('mmpose_ae', {}),
}
ON_A_GPU = {  # row -> config and options; each has the same minutes
    'ours, bfloat16': ('gpu', {}),
    "MMPose's CID, bfloat16": ('gpu_mmpose', {}),
}
OF_OPTIONS = 600  # iterations of each rule's run: half, by the pilot enough to tell rows apart
REFERENCES = {'crowd': 'reference', 'varied': 'reference, varied images'}  # config -> what its rows are compared with
OPTIONS = {  # row -> what differs from the reference; from random weights
    REFERENCES['crowd']: {},
    'recipe mmpose': {'recipe': 'mmpose'},
    'fractional Gaussians': {'codec.gaussian': 'fractional'},
    'cells rounded to the nearest': {'codec.rounding': 'nearest'},
    PAIR: {
        'codec.gaussian': 'fractional',
        'codec.rounding': 'nearest',
    },
    'people who touch the map are drawn': {'codec.off_map': 'touching'},
    'two people may share a cell': {'codec.shared_cell': 'position'},
    'peaks at the border are not moved': {'codec.border': 'inner'},
    'coordinates of the middle of cells': {'model.head.cell_center': 0.5},
    'seeds are not moved': {
        f'{TRAIN}.GenerateTarget.encoder.type': 'cid_mmpose.StillHeatmap',
        f'{TRAIN}.GenerateTarget.encoder.small_person_area': 64.0,
    },
    "the authors' weights before training": SMALL_START,
    'the mean of the loss of each person (eq. 16)': {'model.head.person_loss.average': 'person'},
    'the mask learns as fast as the rest': FAST_MASK,
}
OPTIONS_OF_VARIED = {  # likewise, of the rules that need images that vary more; from the weights of table 1
    REFERENCES['varied']: {},
    'people below 20 x 20 px have no roots': {'codec.small_person_area': 400.0},  # nobody is below 8 x 8
    'augmentation from a normal distribution': {f'{TRAIN}.RandomAffine.distribution': 'trunc_norm'},
    'shift as a share of the sides': {f'{TRAIN}.RandomAffine.shift_of': 'sides'},
    'mirrored at the last pixel': {f'{TRAIN}.RandomMirror.mirror': 'input'},
    'no loss mask': {f'{TRAIN}.LossMask.regions': 'ignored'},
}


class Run(NamedTuple):
    """One training and its test."""

    study: str
    row: str
    config: str  # a file of ``configs``, without its ending
    options: dict[str, Any]  # dotted name -> value, put into the config
    seed: int
    start: 'Run | None' = None  # the run whose weights it begins with

    @property
    def needs_gpu(self) -> bool:
        """Whether it takes days without one."""
        return self.study == 'gpu'


class Waiting(NamedTuple):
    """A row whose runs are not known yet."""

    row: str
    why: str


class Plan(NamedTuple):
    """What a study consists of."""

    runs: list[Run]
    waiting: list[Waiting]


class Study(NamedTuple):
    """A question and the runs that answer it."""

    title: str
    plan: Callable[[Sequence[dict]], Plan]  # of the lines that are there


def length(iterations: int) -> dict[str, Any]:
    """The options that make a run so long."""
    names = (
        'train_cfg.max_iters',
        'train_cfg.val_interval',
        'param_scheduler.1.end',
        'default_hooks.checkpoint.interval',
    )
    return dict.fromkeys(names, iterations)


def rate(value: float) -> dict[str, Any]:
    """The option that sets the learning rate."""
    return {'optim_wrapper.optimizer.lr': value}


def runs_of(study: str, rows: dict[str, tuple[str, dict]], seeds: Sequence[int] = SEEDS) -> list[Run]:
    """Every row with every seed, all rows of the first seed first.

    Args:
        study: its name.
        rows: row -> config and options.
        seeds: of the weights and of the order of the images.
    """
    return [Run(study, row, config, options, seed) for seed in seeds for row, (config, options) in rows.items()]


def _pilot(lines: Sequence[dict]) -> Plan:
    rows = {}
    for iterations in (300, 600, 1200, 2400):
        rows[f'fused, {iterations} iterations'] = ('crowd', length(iterations))
        spatial = {'model.head.recalibration': 'spatial', **length(iterations)}
        rows[f'spatial, {iterations} iterations'] = ('crowd', spatial)
    return Plan(runs_of('pilot', rows, SEEDS[:2]), [])


def crowd_rows() -> dict[str, tuple[str, dict]]:
    """Table 1: which recalibration, with and without the contrastive loss, and what a mask does that learns fast."""
    rows = {}
    for recalibration in ('spatial', 'channel', 'fused'):
        chosen = {} if recalibration == 'fused' else {'model.head.recalibration': recalibration}
        options = {**chosen, **length(ITERATIONS)}
        kinds = {'': options}
        if recalibration == 'spatial':
            kinds[', fast mask'] = {**options, **FAST_MASK}
        for kind, of_kind in kinds.items():
            rows[f'{recalibration}, contrastive loss{kind}'] = ('crowd', of_kind)
            rows[f'{recalibration}{kind}'] = ('crowd', {**of_kind, 'model.head.contrastive_loss.loss_weight': 0.0})
    return rows


def rows_from_small_weights() -> dict[str, tuple[str, dict]]:
    """Spatial recalibration alone as the authors train it: a fast mask, and their weights before training."""
    options = {'model.head.recalibration': 'spatial', **FAST_MASK, **SMALL_START, **length(ITERATIONS)}
    without = {'model.head.contrastive_loss.loss_weight': 0.0}
    return {
        "spatial, contrastive loss, fast mask, the authors' weights": ('crowd', options),
        "spatial, fast mask, the authors' weights": ('crowd', {**options, **without}),
    }


def _crowds(lines: Sequence[dict]) -> Plan:
    once = runs_of('crowds', rows_from_small_weights(), SEEDS[:1])
    return Plan(runs_of('crowds', crowd_rows()) + once, [])


def _channels(lines: Sequence[dict]) -> Plan:
    rows = {}
    for channels in (8, 16, 32, 64):
        chosen = {} if channels == 32 else {'model.head.gfd_channels': channels}
        rows[f'{channels} channels'] = ('crowd', {**chosen, **length(ITERATIONS)})
    return Plan(runs_of('channels', rows), [])


def rate_row(method: str, value: float) -> str:
    """The name of the row of a method with a learning rate."""
    return f'{method}, {value:g}'


def _rates(lines: Sequence[dict]) -> Plan:
    rows, waiting = {}, []
    for method, (config, options) in METHODS.items():
        pace = relative_pace(method, lines)
        if pace is None:
            waiting.append(Waiting(method, OF_PACE))
            continue
        iterations = equal_time(pace) if pace > SLOW else ITERATIONS
        for value in RATES:
            tested = {'test_dataloader.dataset.seed': VALIDATION}
            rows[rate_row(method, value)] = (config, {**options, **length(iterations), **rate(value), **tested})
    return Plan(runs_of('rates', rows, (SEED_OF_RATES,)), waiting)


def best_rate(method: str, lines: Sequence[dict]) -> float | None:
    """The learning rate with which a method has the highest AP in the study ``rates``; None before all were tried."""
    found = {}
    for value in RATES:
        row = rate_row(method, value)
        values = [line['bins']['all']['ap'] for line in lines if (line['study'], line.get('row')) == ('rates', row)]
        if not values:
            return None
        found[value] = mean(values)
    return max(found, key=lambda value: found[value])


def relative_pace(method: str, lines: Sequence[dict]) -> float | None:
    """Seconds that a method takes for an iteration, over those of ours, as ``cid study pace`` measured them."""
    paces = [line['pace'] for line in lines if line['study'] == 'pace']
    if not paces:
        return None
    return paces[0][method] / paces[0][OURS]


def equal_time(pace: float) -> int:
    """Iterations of a method in the time of ours.

    Args:
        pace: as ``relative_pace``.
    """
    return round(ITERATIONS / pace)


def _methods(lines: Sequence[dict]) -> Plan:
    rows, waiting = {}, []
    for method, (config, options) in METHODS.items():
        best = best_rate(method, lines)
        if best is None:
            waiting.append(Waiting(method, 'its learning rate comes from `cid study rates`'))
            continue
        rows[method] = (config, {**options, **length(ITERATIONS), **rate(best)})
        if method == OURS:
            continue  # the time of the others is its time

        of_time = f'{method}, equal time'
        pace = relative_pace(method, lines)
        if pace is None:
            waiting.append(Waiting(of_time, OF_PACE))
        else:
            rows[of_time] = (config, {**options, **length(equal_time(pace)), **rate(best)})
    return Plan(runs_of('methods', rows), waiting)


def _options(lines: Sequence[dict]) -> Plan:
    runs = []
    for seed in SEEDS:
        start = trained_run(seed)
        for row, options in OPTIONS.items():
            runs.append(Run('options', row, 'crowd', {**options, **length(OF_OPTIONS)}, seed))
        for row, options in OPTIONS_OF_VARIED.items():
            runs.append(Run('options', row, 'varied', {**options, **length(OF_OPTIONS)}, seed, start))
    return Plan(runs, [])


def trained_run(seed: int) -> Run:
    """The run of table 1 with whose weights others begin: fused, with the contrastive loss.

    Args:
        seed: its own.
    """
    config, options = crowd_rows()[FUSED]
    return Run('crowds', FUSED, config, options, seed)


def _real(lines: Sequence[dict]) -> Plan:
    runs = []
    for seed in SEEDS:
        tuned = {**length(OF_REAL), **rate(1e-3)}
        runs.append(Run('real', 'from the weights of SynthCrowd', 'real', tuned, seed, trained_run(seed)))
        runs.append(Run('real', 'from random weights', 'real', length(OF_REAL), seed))
    return Plan(runs, [])


def _gpu(lines: Sequence[dict]) -> Plan:
    return Plan(runs_of('gpu', ON_A_GPU, SEEDS[:1]), [])


STUDIES = dict(
    pilot=Study('How long a run has to be', _pilot),
    crowds=Study('Table 1 of the paper: what GFD recalibrates, and the contrastive loss', _crowds),
    channels=Study('Table 2 of the paper: channels of GFD', _channels),
    rates=Study('The learning rate of each method', _rates),
    methods=Study('Methods at equal iterations and at equal time', _methods),
    options=Study('Each rule by itself', _options),
    real=Study('Real images', _real),
    gpu=Study('A few minutes of a GPU', _gpu),
)


def plan_of(name: str, lines: Sequence[dict], seeds: Sequence[int] | None = None, only: str | None = None) -> Plan:
    """The runs of a study.

    Args:
        name: of the study.
        lines: of the runs that are done, from which some studies take what others found.
        seeds: of which runs; None for all.
        only: regular expression that is found in the names of the rows; None for all.

    Raises:
        BadInput: ``only`` is no regular expression, or no row has such a name or seed.
    """
    plan = STUDIES[name].plan(lines)
    try:
        pattern = re.compile(only or '')
    except re.error as error:
        raise BadInput(f'--only {only}: is no regular expression ({error}); name a part of a row') from None
    runs = [run for run in plan.runs if pattern.search(run.row) and (seeds is None or run.seed in seeds)]
    waiting = [row for row in plan.waiting if pattern.search(row.row)]
    if not runs and not waiting:
        known = '; '.join(dict.fromkeys(run.row for run in plan.runs))
        raise BadInput(f'study {name}: no run has such a row and seed; its rows are {known}')
    return Plan(runs, waiting)
