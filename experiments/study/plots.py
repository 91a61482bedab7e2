"""Plots of the lines: figures against crowding and number of people, the pilot, and what each rule costs."""

import hashlib
import io
import json
import re
from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from cid_mmpose.files import write_whole

from .plans import STUDIES
from .rules import costs_of
from .summary import by_row, values_of

DEGREES = {'easy': 'easy\nup to 0.1', 'medium': 'medium\nup to 0.8', 'hard': 'hard\nabove'}  # bin -> label
OF_SEEDS = 'bars are standard deviations of the runs of a row'
BARS = {  # study -> what the bars of its plot are
    'pilot': OF_SEEDS,
    'crowds': OF_SEEDS,
    'methods': OF_SEEDS,
    'options': 'points are the AP that a rule costs, bars 95% confidence intervals',
}
STYLES = {  # a part of a row's name -> how its line is drawn; all that fit
    'spatial': dict(color='tab:red'),
    'channel': dict(color='tab:green'),
    'fused': dict(color='tab:blue'),
    'ours, reference': dict(color='tab:blue'),
    'ours, recipe mmpose': dict(color='tab:cyan'),
    "MMPose's CID": dict(color='tab:orange'),
    'with our first weights': dict(color='tab:red'),
    "MMPose's DEKR": dict(color='tab:green'),
    "MMPose's associative embedding": dict(color='tab:brown'),
    'contrastive loss': dict(marker='o'),
    'fast mask': dict(linestyle=':'),
    "fast mask, the authors' weights": dict(linestyle='-.'),
    'equal time': dict(linestyle='--', markerfacecolor='white'),
}
Rows = dict[str, list[dict]]


def write_plots(lines: Sequence[dict], folder: Path) -> dict[str, str]:
    """Draws what there are lines for.

    Args:
        lines: of the runs.
        folder: for the images.

    Returns:
        Study -> the path of its plot, from the folder above.
    """
    plots = {}
    kinds = {'pilot': draw_pilot, 'crowds': draw_rows, 'methods': draw_rows, 'options': draw_costs}
    for name, draw in kinds.items():
        rows = by_row(STUDIES[name].plan(lines), lines)
        drawn = {row: of_row for row, of_row in rows.items() if of_row}
        if drawn and (name != 'options' or costs_of(rows)):
            file = folder / f'evidence_{name}.png'
            write_whole(file, _png(draw(drawn), fingerprint(drawn)))
            plots[name] = f'{folder.name}/{file.name}'
    return plots


def draw_rows(rows: Rows) -> Figure:
    """AP, people missed and keypoints on the wrong person against crowding, and AP against the number of people."""
    figure = Figure(figsize=(11, 8), layout='constrained')
    FigureCanvasAgg(figure)
    axes = figure.subplots(2, 2)
    numbers = sorted({place for of_row in rows.values() for line in of_row for place in line['bins']} & _numbers())
    titles = {'ap': 'AP', 'wrong': 'keypoints on the wrong person, %', 'missed': 'people missed, %'}
    for axis, (name, title) in zip((axes[0, 0], axes[1, 0], axes[1, 1]), titles.items()):
        draw_bins(axis, rows, name, DEGREES)
        axis.set(ylabel=title, xlabel='crowding, by the crowd index')
    draw_bins(axes[0, 1], rows, 'ap', {place: place.removesuffix(' people') for place in numbers})
    axes[0, 1].set(ylabel='AP', xlabel='people in the image')
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc='outside lower center', ncols=3, fontsize='medium')
    return figure


def draw_bins(axis: Axes, rows: Rows, name: str, places: dict[str, str]) -> None:
    """A line with error bars for each row: the mean and the standard deviation over its runs.

    Args:
        axis: to draw on.
        rows: row -> lines.
        name: of a figure, as ``summary.figure`` takes it.
        places: bin -> label, from left to right.
    """
    for number, (row, lines) in enumerate(rows.items()):
        values = [values_of(lines, name, place) for place in places]
        there = [(position, value) for position, value in enumerate(values) if value]
        aside = 0.4 * (number / len(rows) - 0.5)  # so that error bars do not cover each other
        axis.errorbar(
            [position + aside for position, _ in there],
            [value.mean for _, value in there],
            [value.deviation or 0.0 for _, value in there],
            capsize=2,
            label=row,
            **style_of(row),
        )
    axis.set_xticks(range(len(places)), list(places.values()))
    axis.set_ylim(bottom=-0.02 * axis.get_ylim()[1])  # bars at 0 are seen whole
    axis.grid(alpha=0.3)


def style_of(row: str) -> dict:
    """How the line of a row is drawn: of several ``STYLES`` for one thing the last counts."""
    chosen = dict(marker='s', linewidth=1.2, markersize=5)
    for part, style in STYLES.items():
        if part in row:
            chosen.update(style)
    return chosen


def draw_costs(rows: Rows) -> Figure:
    """The AP that each rule costs, with its interval, the largest on top."""
    costs = costs_of(rows)[::-1]
    figure = Figure(figsize=(9, 0.8 + 0.33 * len(costs)), layout='constrained')
    FigureCanvasAgg(figure)
    axis = figure.subplots()
    means = [cost.lost.mean for cost in costs]
    below = [cost.lost.mean - cost.lost.low for cost in costs]
    above = [cost.lost.high - cost.lost.mean for cost in costs]
    axis.errorbar(means, range(len(costs)), xerr=[below, above], linestyle='', marker='o', capsize=3)
    axis.axvline(0, color='gray', linewidth=1)
    axis.set_yticks(range(len(costs)), [cost.row for cost in costs])
    axis.set(xlabel='AP lost')
    axis.grid(alpha=0.3, axis='x')
    return figure


def draw_pilot(rows: Rows) -> Figure:
    """AP against the length of a run, a line for each kind of row."""
    figure = Figure(figsize=(7, 4), layout='constrained')
    FigureCanvasAgg(figure)
    axis = figure.subplots()
    kinds = dict.fromkeys(row.partition(',')[0] for row in rows)
    for kind in kinds:
        of_kind = {row: lines for row, lines in rows.items() if row.partition(',')[0] == kind}
        lengths = [int(re.findall(r'\d+', row)[0]) for row in of_kind]
        values = [values_of(lines, 'ap') for lines in of_kind.values()]
        deviations = [value.deviation or 0.0 for value in values]
        axis.errorbar(lengths, [value.mean for value in values], deviations, marker='o', capsize=3, label=kind)
    axis.set(xlabel='iterations', ylabel='AP')
    axis.set_ylim(bottom=0)
    axis.grid(alpha=0.3)
    axis.legend()
    return figure


def _numbers() -> set[str]:
    return {f'{number} people' for number in range(1, 10)}


def fingerprint(rows: Rows) -> str:
    """What a plot carries, so that it can be told whether it is that of the lines.

    Args:
        rows: row -> lines.
    """
    bins = {row: [line['bins'] for line in lines] for row, lines in rows.items()}
    return hashlib.sha1(json.dumps(bins, sort_keys=True).encode()).hexdigest()


def _png(figure: Figure, about: str) -> bytes:
    """The figure as a file; without the name of the program, so that the same lines give the same bytes."""
    file = io.BytesIO()
    figure.savefig(file, dpi=100, format='png', metadata={'Software': None, 'Description': about})
    return file.getvalue()
