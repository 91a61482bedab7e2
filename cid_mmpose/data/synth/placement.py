"""Where people stand: heights, positions on a common ground, and how much they cover each other.

Boxes are (x1, y1, x2, y2) in px.
"""

from typing import NamedTuple

import numpy as np

from .figure import Figure

CANDIDATES = 48  # positions tried for each person
PILE_COST = 0.12  # how much standing on several others at once counts against a position
FEET_WEIGHT = 0.25  # in the depth order, how much one px of standing height counts against one px of lower feet
CUT_SHARE = 0.2  # share of people whose feet the lower border may cut off


class Person(NamedTuple):
    """A figure with its place in the image: outline * scale + origin gives px."""

    figure: Figure
    origin: np.ndarray  # (2,) px, the pelvis
    scale: float  # px per stature


def place(
    rng: np.random.Generator, figures: list[Figure], statures: np.ndarray, width: int, height: int, overlap: float
) -> list[Person]:
    """Persons from far to near; nearer ones are larger on average and stand lower.

    Args:
        rng: source of chance.
        figures: who.
        statures: (N,) standing heights in px.
        width: of the image, in px.
        height: of the image, in px.
        overlap: 0 keeps people apart where there is room, 1 puts each in front of or behind another.
    """
    horizon = rng.uniform(0.0, 0.4) * height
    eye = rng.uniform(0.8, 1.3)
    boxes = np.zeros((0, 4))
    persons = []
    order = np.argsort(-statures, kind='stable')  # the large first: the small find room between them
    for index in order:
        figure = figures[index]
        scale = float(statures[index])
        extent = figure.extent * scale
        ground = horizon + eye * scale
        options = _options(rng, extent, ground, width, height, len(figures))
        beside = _beside(rng, options, boxes, width, overlap)
        options = np.concatenate([options, beside])

        wanted = overlap * rng.uniform(0.3, 0.9)
        covers = _covers(options, boxes)
        cost = np.abs(covers.max(1, initial=0.0) - wanted) + PILE_COST * covers.sum(1)
        best = int(np.argmin(cost))
        box = options[best]
        boxes = np.concatenate([boxes, box[None]])
        persons.append(Person(figure, box[:2] - extent[:2], scale))

    # On one ground, who stands lower in the image is nearer; the height speaks for those whose feet are cut off.
    nearness = boxes[:, 3] + FEET_WEIGHT * statures[order]
    from_far = np.argsort(nearness, kind='stable')
    return [persons[index] for index in from_far]


def _options(
    rng: np.random.Generator, extent: np.ndarray, ground: float, width: int, height: int, number: int
) -> np.ndarray:
    """Candidate boxes, (CANDIDATES, 4), for a figure whose outlines span ``extent`` (4,) px around its pelvis."""
    size = extent[2:] - extent[:2]
    figure_width, figure_height = size
    draws = rng.random((CANDIDATES, 3))
    left = -0.15 * figure_width + draws[:, 0] * max(width - 0.7 * figure_width, 1)

    # Few people share the ground; a crowd spreads over the image as on steps or a slope.
    slope = min(0.05 + number / 20, 1.0)
    anywhere = figure_height + draws[:, 1] * max(height - figure_height, 0)
    bottom = (1 - slope) * ground + slope * anywhere

    cut = 0.0
    if rng.random() < CUT_SHARE:
        cut = 0.35 * rng.random() * figure_height
    lowest = height - 1 + cut
    top = np.minimum(bottom, lowest) - figure_height

    highest = min(-0.04 * figure_height, height - 1 - figure_height)
    top = np.maximum(top, highest + draws[:, 2] * 0.02 * height)
    corner = np.stack([left, top], axis=1)
    return np.concatenate([corner, corner + size], axis=1)


def _beside(rng: np.random.Generator, options: np.ndarray, boxes: np.ndarray, width: int, overlap: float) -> np.ndarray:
    """Candidates (n, 4) moved beside earlier people, for crowded images; none when there is nobody yet."""
    if not len(boxes) or rng.random() >= overlap:
        return options[:0]
    number = len(options)
    others = boxes[rng.integers(len(boxes), size=number)]
    distance = rng.uniform(0.1, 0.8, number) * (options[:, 2] - options[:, 0])
    direction = np.where(rng.random(number) < 0.5, -1, 1)

    center = 0.5 * (options[:, 0] + options[:, 2])
    other_center = 0.5 * (others[:, 0] + others[:, 2])
    wanted = np.clip(other_center + direction * distance, 0.05 * width, 0.95 * width)
    shift = wanted - center
    return options + shift[:, None] * [1, 0, 1, 0]


def _covers(options: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """(n, m) share of the smaller box that each option has in common with each earlier box."""
    low = np.maximum(options[:, None, :2], boxes[None, :, :2])
    high = np.minimum(options[:, None, 2:], boxes[None, :, 2:])
    common = np.prod(np.maximum(high - low, 0), axis=2)
    option_areas = np.prod(options[:, 2:] - options[:, :2], axis=1)
    box_areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    return common / np.minimum(option_areas[:, None], box_areas[None])
