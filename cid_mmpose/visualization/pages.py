"""Pages of panels with titles, colour bars and bar charts, by matplotlib: panels in, an image out."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from .maps import SIGNED, Scale

WIDTH = 1200  # px of a page
DPI = 100
EDGE = 12  # px around a page and between its panels
HEADING = 24  # px a line
TITLE = 20  # px
BAR = 8  # px, height of a colour bar
TICKS = 18  # px, below a colour bar
CHART_LEFT = 40  # px, for the numbers beside a bar chart
CHART_BELOW = 32  # px, for those below it
FONT = 9  # points
INK = '#202020'
WHITE = 255


class Panel(NamedTuple):
    """A picture with a title."""

    title: str  # may hold matplotlib's mathematics
    picture: np.ndarray  # (h, w, 3) uint8 BGR, shown pixel by pixel
    scale: Scale | None = None  # whose colour bar stands between title and picture


class Chart(NamedTuple):
    """Bars with a title, in the place of a picture."""

    title: str
    values: np.ndarray  # (D,)
    limit: float  # the axis goes from -limit to limit
    size: tuple[int, int]  # width and height of the place, px
    xlabel: str = ''


def slot_width(columns: int) -> int:
    """Pixels that a panel has in a row of so many."""
    return (WIDTH - EDGE) // columns - EDGE


def page(rows: Sequence[Sequence[Panel | Chart | None]], heading: Sequence[str] = ()) -> np.ndarray:
    """Rows of panels below a heading.

    Args:
        rows: each with at least one panel; None leaves a place empty.
        heading: lines.

    Returns:
        (h, WIDTH, 3) uint8 BGR.
    """
    places = []
    below = EDGE + HEADING * len(heading)
    for row in rows:
        above = max(_above(panel) for panel in row)  # pictures of a row begin on one line
        places.append((below, above))
        below += above + max(_size(panel)[1] for panel in row) + EDGE

    figure = Figure(figsize=(WIDTH / DPI, below / DPI), dpi=DPI)
    canvas = FigureCanvasAgg(figure)
    for number, line in enumerate(heading):
        middle = EDGE / 2 + HEADING * (number + 0.5)
        weight = 'bold' if number == 0 else 'normal'
        figure.text(EDGE / WIDTH, 1 - middle / below, line, va='center', fontsize=FONT + 2, color=INK, weight=weight)
    for (top, above), row in zip(places, rows):
        slot = slot_width(len(row))
        for column, panel in enumerate(row):
            if panel is not None:
                _Place(figure, below, EDGE + column * (slot + EDGE), top, above).put(panel)
    canvas.draw()
    rgba = np.asarray(canvas.buffer_rgba())
    return np.ascontiguousarray(rgba[..., 2::-1])


def trimmed(drawn: np.ndarray) -> np.ndarray:
    """A page without what is white at its right, but for the edge.

    Args:
        drawn: (h, WIDTH, 3) of ``page``.
    """
    used = np.flatnonzero((drawn != WHITE).any(axis=(0, 2)))
    return drawn[:, : used.max(initial=0) + 1 + EDGE]


def _size(panel: Panel | Chart | None) -> tuple[int, int]:
    """Width and height of the picture, px."""
    if panel is None:
        return 0, 0
    if isinstance(panel, Chart):
        return panel.size
    return panel.picture.shape[1], panel.picture.shape[0]


def _above(panel: Panel | Chart | None) -> int:
    """Height of title and colour bar, px."""
    has_bar = isinstance(panel, Panel) and panel.scale is not None
    return TITLE + BAR + TICKS if has_bar else TITLE


class _Place:
    """Where a panel goes on a page.

    Args:
        figure: the page.
        page_height: px.
        left: of the panel, px.
        top: of the panel, px from the top of the page.
        above: between its top and that of the picture, px.
    """

    def __init__(self, figure: Figure, page_height: int, left: int, top: int, above: int) -> None:
        self.figure = figure
        self.page_height = page_height
        self.left = left
        self.top = top
        self.above = above

    def put(self, panel: Panel | Chart) -> None:
        """Draws the panel."""
        width, height = _size(panel)
        self._write(panel.title, 0, TITLE / 2, FONT + 1)
        if isinstance(panel, Chart):
            _draw_chart(self._axes(CHART_LEFT, self.above, width - CHART_LEFT, height - CHART_BELOW), panel)
            return
        if panel.scale is not None:
            self._draw_bar(panel.scale, width)
        self._show(panel.picture, self.above)

    def _draw_bar(self, scale: Scale, width: int) -> None:
        """A horizontal colour bar with its values."""
        levels = np.linspace(scale.low, scale.high, width)
        self._show(np.broadcast_to(scale.paint(levels), (BAR, width, 3)), TITLE)
        places = dict(left=0.0, center=0.5, right=1.0)
        for alignment, share in places.items():
            value = scale.low + share * (scale.high - scale.low)
            text = f'{value:.0f}' if abs(value) >= 100 else f'{value:.3g}'
            self._write(text, share * width, TITLE + BAR + TICKS / 2, FONT - 1, alignment)

    def _write(self, text: str, x: float, y: float, size: float, alignment: str = 'left') -> None:
        """Text whose middle line is ``y`` px below the panel's top."""
        across, up = (self.left + x) / WIDTH, 1 - (self.top + y) / self.page_height
        self.figure.text(across, up, text, ha=alignment, va='center', fontsize=size, color=INK)

    def _show(self, picture: np.ndarray, top: int) -> None:
        """A picture at the left of the panel, pixel by pixel."""
        bottom = self.page_height - self.top - top - len(picture)
        self.figure.figimage(picture[..., ::-1], self.left, bottom, origin='upper')

    def _axes(self, left: int, top: int, width: int, height: int) -> Axes:
        """Axes at a place in px from the panel's corner."""
        bottom = self.page_height - self.top - top - height
        rectangle = (
            (self.left + left) / WIDTH,
            bottom / self.page_height,
            width / WIDTH,
            height / self.page_height,
        )
        return self.figure.add_axes(rectangle)


def _draw_chart(axes: Axes, chart: Chart) -> None:
    """Bars from 0, blue below it and red above, as in ``SIGNED``."""
    below, above = SIGNED[0, ::-1] / 255, SIGNED[-1, ::-1] / 255
    colours = [above if value > 0 else below for value in chart.values]
    axes.bar(np.arange(len(chart.values)), chart.values, width=0.8, color=colours)
    limit = max(chart.limit, 1e-6)
    axes.set_ylim(-limit, limit)
    axes.set_xlim(-1, len(chart.values))
    axes.axhline(0, color=INK, linewidth=0.6)
    axes.locator_params(axis='both', nbins=5)
    axes.tick_params(labelsize=FONT - 1, length=2, pad=2, colors=INK)
    axes.set_xlabel(chart.xlabel, fontsize=FONT - 1, labelpad=1, color=INK)
    for side in ('top', 'right'):
        axes.spines[side].set_visible(False)
