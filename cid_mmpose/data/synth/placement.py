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
    order = np.argsort(-statures, kind='stable')  # the large first: the small find room between them
    horizon, eye = rng.uniform(0.0, 0.4) * height, rng.uniform(0.8, 1.3)
    boxes = np.zeros((0, 4))
    persons = []
    for index in order:
        figure, scale = figures[index], float(statures[index])
        options = _options(rng, figure.extent * scale, horizon + eye * scale, width, height, len(figures))
        options = np.concatenate([options, _beside(rng, options, boxes, width, overlap)])
        wanted = overlap * rng.uniform(0.3, 0.9)
        covers = _covers(options, boxes)
        cost = np.abs(covers.max(1, initial=0.0) - wanted) + PILE_COST * covers.sum(1)
        box = options[int(np.argmin(cost))]
        boxes = np.concatenate([boxes, box[None]])
        persons.append(Person(figure, box[:2] - figure.extent[:2] * scale, scale))
    # On one ground, who stands lower in the image is nearer; the height speaks for those whose feet are cut off.
    near = boxes[:, 3] + FEET_WEIGHT * statures[order]
    return [persons[i] for i in np.argsort(near, kind='stable')]


def _options(
    rng: np.random.Generator, extent: np.ndarray, ground: float, width: int, height: int, number: int
) -> np.ndarray:
    """Candidate boxes, (CANDIDATES, 4), for a figure whose outlines span ``extent`` (4,) px around its pelvis."""
    size = extent[2:] - extent[:2]
    draws = rng.random((CANDIDATES, 3))
    left = -0.15 * size[0] + draws[:, 0] * np.maximum(width - 0.7 * size[0], 1)
    # Few people share the ground; a crowd spreads over the image as on steps or a slope.
    slope = min(0.05 + number / 20, 1.0)
    bottom = (1 - slope) * ground + slope * (size[1] + draws[:, 1] * max(height - size[1], 0))
    cut = 0.35 * rng.random() * size[1] if rng.random() < CUT_SHARE else 0.0
    top = np.minimum(bottom, height - 1 + cut) - size[1]
    top = np.maximum(top, np.minimum(-0.04 * size[1], height - 1 - size[1]) + draws[:, 2] * 0.02 * height)
    corner = np.stack([left, top], axis=1)
    return np.concatenate([corner, corner + size], axis=1)


def _beside(rng: np.random.Generator, options: np.ndarray, boxes: np.ndarray, width: int, overlap: float) -> np.ndarray:
    """Candidates (n, 4) moved beside earlier people, for crowded images; none when there is nobody yet."""
    if not len(boxes) or rng.random() >= overlap:
        return options[:0]
    others = boxes[rng.integers(len(boxes), size=len(options))]
    center = 0.5 * (options[:, 0] + options[:, 2])
    reach = rng.uniform(0.1, 0.8, len(options)) * (options[:, 2] - options[:, 0])
    wanted = 0.5 * (others[:, 0] + others[:, 2]) + np.where(rng.random(len(options)) < 0.5, -1, 1) * reach
    shift = np.clip(wanted, 0.05 * width, 0.95 * width) - center
    return options + shift[:, None] * [1, 0, 1, 0]


def _covers(options: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """(n, m) share of the smaller box that each option has in common with each earlier box."""
    low = np.maximum(options[:, None, :2], boxes[None, :, :2])
    high = np.minimum(options[:, None, 2:], boxes[None, :, 2:])
    common = np.prod(np.maximum(high - low, 0), axis=2)
    areas = [np.prod(b[:, 2:] - b[:, :2], axis=1) for b in (options, boxes)]
    return common / np.minimum(areas[0][:, None], areas[1][None])
