"""A plot of the losses, the learning rate and the AP at the end of a run."""

import json
import os.path as osp
from collections.abc import Sequence
from glob import glob

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from mmengine.dist import master_only
from mmengine.hooks import Hook
from mmengine.runner import IterBasedTrainLoop, Runner

from cid_mmpose.registry import HOOKS

LOSS_CURVE = 'loss_curve.png'  # in the run's work folder
SMOOTHED = 20  # the thick line of a loss is the mean over one part in so many of the run
Curves = dict[str, list[tuple[int, float]]]  # name -> (iteration, value), in order


@HOOKS.register_module()
class LossCurveHook(Hook):
    """Draws ``loss_curve.png`` into the work folder when training ends.

    It reads the JSON lines that ``LocalVisBackend`` keeps, of this run and of those it resumes. The commands see to it
    that this backend is there beside those of the user.
    """

    priority = 'VERY_LOW'

    @master_only
    def after_train(self, runner: Runner) -> None:
        """Reads every run in the work folder and draws the plot."""
        files = sorted(glob(osp.join(runner.work_dir, '*', 'vis_data', 'scalars.json')))  # folders are named by time
        by_iteration = isinstance(runner.train_loop, IterBasedTrainLoop)
        curves = read_curves(files, 1 if by_iteration else len(runner.train_dataloader))
        if curves:
            draw_curves(curves, osp.join(runner.work_dir, LOSS_CURVE))


def read_curves(files: Sequence[str], iterations: int) -> Curves:
    """Losses, ``lr`` and the metrics named AP, over the iterations of all these runs.

    Args:
        files: ``scalars.json`` of each run, oldest first.
        iterations: of an epoch, by which metrics are logged; 1 where they are logged by iteration.

    A run that was resumed begins before the end of the last one: from there on, the later run counts.
    """
    kept: list[dict] = []
    for file in files:
        rows = [_at_iteration(row, iterations) for row in _complete_rows(file)]
        if rows:
            start = min(row['at'] for row in rows)
            before = [row for row in kept if row['at'] < start]
            kept = before + rows
    curves: Curves = {}
    for row in kept:
        for name in row:
            if 'loss' in name or name == 'lr' or name.split('/')[-1] == 'AP':
                curves.setdefault(name, []).append((row['at'], row[name]))
    return curves


def _complete_rows(file: str) -> list[dict]:
    """The lines of a file that a killed run may have left in the middle of a line."""
    rows = []
    with open(file, encoding='utf-8') as lines:
        for line in lines:
            try:
                rows.append(json.loads(line))
            except json.JSONDecodeError:
                continue
    return rows


def _at_iteration(row: dict, iterations: int) -> dict:
    """A row with the iteration it belongs to under ``at``; rows of a validation count in epochs."""
    if 'iter' in row:
        return dict(row, at=row['iter'])
    return dict(row, at=row['step'] * iterations)


def draw_curves(curves: Curves, path: str) -> None:
    """Writes a PNG: losses above on a log scale, thick ones smoothed; learning rate and AP below."""
    figure = Figure(figsize=(9, 7), layout='constrained')
    FigureCanvasAgg(figure)
    above, below = figure.subplots(2, 1, sharex=True)
    right = below.twinx()
    losses = {name: points for name, points in curves.items() if 'loss' in name}
    for number, (name, points) in enumerate(losses.items()):
        at, values = np.array(points).T
        above.plot(at, values, color=f'C{number}', alpha=0.3, linewidth=0.8)
        above.plot(at, smoothed(values), color=f'C{number}', label=name)
    for name in curves.keys() - losses.keys():
        at, values = np.array(curves[name]).T
        if name == 'lr':
            below.plot(at, values, '-')
        else:
            right.plot(at, values, 'o-r')

    above.set(ylabel='loss', yscale='log')
    above.legend()
    below.set(xlabel='iteration', ylabel='learning rate')
    right.set_ylabel('AP (dots)', color='r')
    right.set_ylim(0, 1)
    figure.savefig(path, dpi=100)


def smoothed(values: np.ndarray) -> np.ndarray:
    """(n,) -> (n,) mean over a window around each value that is narrower towards both ends.

    Args:
        values: (n,), n > 0.
    """
    half = len(values) // SMOOTHED // 2
    sums = np.concatenate([[0], np.cumsum(values)])
    at = np.arange(len(values))
    reach = np.minimum(half, np.minimum(at, at[::-1]))
    return (sums[at + reach + 1] - sums[at - reach]) / (2 * reach + 1)
