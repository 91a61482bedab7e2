"""Plots of the lines: AP and keypoints on the wrong person against crowding and number of people, and the pilot."""

import io
import re
from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from cid_mmpose.files import write_whole

from .plans import METHODS, STUDIES
from .summary import by_row, values_of

DEGREES = ('easy', 'medium', 'hard')
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
    for name, draw in {'pilot': draw_pilot, 'crowds': draw_rows, 'methods': draw_rows}.items():
        rows = by_row(STUDIES[name].plan(lines), lines)
        drawn = {row: of_row for row, of_row in rows.items() if of_row and (name != 'methods' or row in METHODS)}
        if drawn:
            file = folder / f'evidence_{name}.png'
            write_whole(file, draw(drawn))
            plots[name] = f'{folder.name}/{file.name}'
    return plots


def draw_rows(rows: Rows) -> bytes:
    """AP, people missed and keypoints on the wrong person against crowding, and AP against the number of people."""
    figure = Figure(figsize=(11, 7), layout='constrained')
    FigureCanvasAgg(figure)
    axes = figure.subplots(2, 2)
    numbers = sorted({place for of_row in rows.values() for line in of_row for place in line['bins']} & _numbers())
    titles = {'ap': 'AP', 'wrong': 'keypoints on the wrong person, %', 'missed': 'people missed, %'}
    for axis, (name, title) in zip((axes[0, 0], axes[1, 0], axes[1, 1]), titles.items()):
        draw_bins(axis, rows, name, DEGREES)
        axis.set(ylabel=title, xlabel='crowd index')
    draw_bins(axes[0, 1], rows, 'ap', numbers)
    axes[0, 1].set(ylabel='AP', xlabel='people in the image')
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc='outside lower center', ncols=4, fontsize='small')
    return _png(figure)


def draw_bins(axis: Axes, rows: Rows, name: str, places: Sequence[str]) -> None:
    """A line with error bars for each row: the mean and the standard deviation over its runs.

    Args:
        axis: to draw on.
        rows: row -> lines.
        name: of a figure, as ``summary.figure`` takes it.
        places: bins, from left to right.
    """
    for number, (row, lines) in enumerate(rows.items()):
        values = [values_of(lines, name, place) for place in places]
        there = [(position, value) for position, value in enumerate(values) if value]
        aside = 0.04 * (number - len(rows) / 2)  # so that error bars do not cover each other
        axis.errorbar(
            [position + aside for position, _ in there],
            [value.mean for _, value in there],
            [value.deviation or 0.0 for _, value in there],
            marker='o',
            capsize=3,
            label=row,
        )
    axis.set_xticks(range(len(places)), [place.removesuffix(' people') for place in places])
    axis.set_ylim(bottom=0)
    axis.grid(alpha=0.3)


def draw_pilot(rows: Rows) -> bytes:
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
    return _png(figure)


def _numbers() -> set[str]:
    return {f'{number} people' for number in range(1, 10)}


def _png(figure: Figure) -> bytes:
    """The figure as a file; without the name of the program, so that the same lines give the same bytes."""
    file = io.BytesIO()
    figure.savefig(file, dpi=80, format='png', metadata={'Software': None})
    return file.getvalue()
