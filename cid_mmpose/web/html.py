"""Parts of the page as HTML; images lie inside it, so that no file is written for the browser to fetch."""

import base64
from dataclasses import replace
from html import escape
from typing import NamedTuple

import cv2
import numpy as np

from cid_mmpose.inference.explained import Explained
from cid_mmpose.inference.explained_pages import Side, region_of
from cid_mmpose.inference.people import People
from cid_mmpose.visualization.crops import crop_of
from cid_mmpose.visualization.maps import Scale
from cid_mmpose.visualization.options import least_keypoint_score
from cid_mmpose.visualization.pages import Chart, Panel
from cid_mmpose.visualization.panels import (
    all_heatmaps_panel,
    features_panel,
    heatmap_panels,
    limits_of,
    mask_panel,
    similarity_panel,
    weights_panel,
)
from cid_mmpose.visualization.skeleton import limb_width

LONGEST = 1600  # px of the picture's longer side; larger images are shown smaller
STAGE = 360, 300  # px of a stage's picture, at most
HEATMAP = 180, 160  # px of a keypoint's
QUALITY = 90  # of JPEG, in [0, 100]
CHART = 320, 180  # px
BAR_STEPS = 32  # colours of a colour bar
WHITE = (255, 255, 255)
DARK = (25, 25, 25)


class Line(NamedTuple):
    """The one line that says what was done, or why not."""

    text: str
    is_error: bool = False

    def html(self) -> str:
        """The line; an error is read out by screen readers at once."""
        kind = 'class="cid-error" role="alert"' if self.is_error else 'role="status"'
        return f'<p {kind}>{escape(" ".join(self.text.split()))}</p>'


def picture_html(people: People, chosen: int | None, min_score: float) -> str:
    """The image with everyone drawn, numbered, and a box around the one who was chosen.

    Args:
        people: with their image.
        chosen: number of a person; None for nobody.
        min_score: that people had to have.
    """
    width, height = people.image_size
    smaller = reduced(people)
    drawn = smaller.draw(labels='number', min_keypoint_score=least_keypoint_score(min_score))
    if chosen is not None:
        _draw_box(drawn, smaller.boxes[chosen])
    alt = f'{len(people)} people with their skeletons'
    return (
        f'<img class="cid-people" src="{jpeg_url(drawn)}" alt="{alt}" data-width="{width}" data-height="{height}" '
        'draggable="false">'
    )


def reduced(people: People) -> People:
    """The people on a smaller image if theirs is larger than a page shows: it is drawn on at each move of a slider.

    Args:
        people: with their image.
    """
    width, height = people.image_size
    factor = LONGEST / max(width, height)
    if factor >= 1 or people.image is None:
        return people
    size = max(1, round(width * factor)), max(1, round(height * factor))
    factors = np.array(size) / (width, height)

    def moved(places: np.ndarray) -> np.ndarray:
        """Pixels (..., 2) of the image -> of the smaller one; the middle of a pixel is whole in both."""
        return (places + 0.5) * factors - 0.5

    return replace(
        people,
        keypoints=moved(people.keypoints),
        boxes=moved(people.boxes.reshape(-1, 2, 2)).reshape(-1, 4),
        centers=moved(people.centers),
        image=cv2.resize(people.image, size, interpolation=cv2.INTER_AREA),
        image_size=size,
    )


def _draw_box(image: np.ndarray, box: np.ndarray) -> None:
    height, width = image.shape[:2]
    line = max(2, round(limb_width(max(height, width), np.hypot(height, width)) / 3))
    left, top, right, bottom = np.rint(np.clip(box, 0, [width - 1, height - 1] * 2)).astype(int).tolist()
    for colour, thickness in ((DARK, line + 2), (WHITE, line)):
        cv2.rectangle(image, (left, top), (right, bottom), colour, thickness, cv2.LINE_AA)


def person_label(people: People, number: int) -> str:
    """How a person is called in the list.

    Args:
        people: who are shown.
        number: of one.
    """
    return f'{number}: {people.scores[number]:.2f}'


def maps_html(seen: Explained, person: int) -> str:
    """What CID sees of a person: the stages, and the heatmap of each keypoint (figure 4 of the paper).

    Args:
        seen: of the people who are shown.
        person: number of one.
    """
    region = region_of([Side('', seen, person)])
    crop = crop_of(seen.image, seen.grid, region, STAGE)
    small = crop_of(seen.image, seen.grid, region, HEATMAP)
    people, maps = seen.people, seen.maps
    limits = limits_of(maps, seen.grid, people.image_size)
    # in the colours of the large picture, without numbers: those may change as the sliders move
    drawn = people.draw(labels='none', min_keypoint_score=least_keypoint_score(seen.min_score))
    with_people = crop_of(drawn, seen.grid, region, STAGE)
    stages = (
        ('the person', Panel('', with_people.image)),
        ('similarity map <i>M</i><sub>sim</sub> (eq. 10)', similarity_panel(maps, person, crop, limits)),
        ('spatial mask <i>M</i> (eq. 10)', mask_panel(maps, person, crop)),
        ('channel weights (eq. 11)', weights_panel(maps, person, CHART, limits)),
        ('feature map |<i>F</i><sup>(i)</sup>| (eq. 12)', features_panel(maps, person, crop, limits)),
        ('all heatmaps <i>H</i><sup>(i)</sup> (eq. 1)', all_heatmaps_panel(maps, person, crop)),
    )
    figures = [_figure(title, panel) for title, panel in stages if panel is not None]
    heatmaps = heatmap_panels(maps, person, small, people.keypoints[person], people.names)
    of_keypoints = [_figure(escape(panel.title), panel) for panel in heatmaps]
    return (
        f'<h2>The person in the box, score {people.scores[person]:.2f}</h2>'
        f'<div class="cid-stages">{"".join(figures)}</div>'
        '<h3>The heatmap of each keypoint, with the height of its peak</h3>'
        f'<div class="cid-heatmaps">{"".join(of_keypoints)}</div>'
    )


def _figure(title: str, panel: Panel | Chart) -> str:
    """A panel below its title, which is HTML."""
    if isinstance(panel, Chart):
        shown = _bars(panel)
    else:
        height, width = panel.picture.shape[:2]
        bar = '' if panel.scale is None else _colour_bar(panel.scale)
        shown = f'{bar}<img src="{jpeg_url(panel.picture)}" alt="" width="{width}" height="{height}">'
    return f'<figure><figcaption>{title}</figcaption>{shown}</figure>'


def _colour_bar(scale: Scale) -> str:
    """The colours of a scale between its ends."""
    colours = scale.paint(np.linspace(scale.low, scale.high, BAR_STEPS))
    stops = ', '.join(f'rgb({red} {green} {blue})' for blue, green, red in colours.tolist())
    bar = f'<span class="cid-colours" style="background: linear-gradient(to right, {stops})"></span>'
    return f'<span class="cid-scale">{scale.low:.3g}{bar}{scale.high:.3g}</span>'


def _bars(chart: Chart) -> str:
    """Bars up and down from a line in the middle, in the colours of the text so that they suit a dark page too."""
    width, height = chart.size
    middle = height / 2
    step = width / len(chart.values)
    limit = max(chart.limit, 1e-6)
    bars = []
    for number, value in enumerate(chart.values.tolist()):
        length = min(abs(value) / limit, 1) * middle
        top = middle - length if value > 0 else middle
        kind = 'cid-above' if value > 0 else 'cid-below'
        bars.append(
            f'<rect class="{kind}" x="{(number + 0.1) * step:.1f}" y="{top:.1f}" '
            f'width="{0.8 * step:.1f}" height="{length:.1f}"/>'
        )
    line = f'<line x1="0" x2="{width}" y1="{middle}" y2="{middle}"/>'
    start = f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(chart.xlabel)}">'
    return (
        f'{start}{line}{"".join(bars)}</svg>'
        f'<span class="cid-scale">{escape(chart.xlabel)}, from {-limit:.3g} to {limit:.3g}</span>'
    )


def jpeg_url(image: np.ndarray) -> str:
    """An image (h, w, 3) uint8 BGR as a URL that holds it."""
    _, data = cv2.imencode('.jpg', image, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return f'data:image/jpeg;base64,{base64.b64encode(data).decode()}'
