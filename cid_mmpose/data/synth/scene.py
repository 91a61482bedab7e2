"""A whole image: people in depth order among furniture, who is seen at each pixel, and the exact annotation.

Legend: N people, K = 17 keypoints. Coordinates are (x, y) px; the integer coordinate is a pixel's center.
"""

from typing import NamedTuple

import numpy as np

from .backdrop import crate, paint_backdrop, sample_piece
from .figure import sample_figure
from .outfit import cloth_colour
from .paint import NOBODY, Stroke, claim, draw, finish, to_fixed
from .parts import PARTS
from .placement import Person, place
from .shapes import Shape

HIDDEN, SEEN = 1, 2  # COCO's visibility flags; 0 is outside the image
MIN_SEEN_KEYPOINTS = 2  # a person of whom fewer keypoints are seen is left out of the image
FRONT_SHARE = 0.45  # share of people who face the camera, more or less; the rest face anywhere
MAX_TILT = 0.35  # radians the camera looks down at most
CONTOUR = 0.008  # statures, width of the darker line around a part; half of it shows
CONTOUR_SHADE = 0.55  # its brightness against the part's
PROPS = 2  # pieces of furniture in front of somebody, at most


class Layer(NamedTuple):
    """What is drawn together: one person, or one thing."""

    strokes: list[Stroke]
    person: int  # the person's number, or NOBODY


class Scene(NamedTuple):
    """An image and what it shows; people are ordered from far to near."""

    image: np.ndarray  # (H, W, 3) uint8, BGR
    keypoints: np.ndarray  # (N, K, 3) float: x, y, COCO visibility; (0, 0, 0) outside the image
    boxes: np.ndarray  # (N, 4) float: x, y, width, height of the whole body inside the image
    areas: np.ndarray  # (N,) px of the silhouette that are seen
    owners: np.ndarray  # (H, W) uint16: 0 nobody, else 1 + person * len(PARTS) + part


def render_scene(
    rng: np.random.Generator,
    width: int,
    height: int,
    people: tuple[int, int],
    person_height: tuple[float, float],
    overlap: float,
    turn: float,
) -> Scene:
    """Draw one image.

    Args:
        rng: source of chance; the image depends on nothing else.
        width: px.
        height: px.
        people: fewest and most people, both included.
        person_height: smallest and largest standing height, as fractions of the image's height.
        overlap: 0 keeps people apart where there is room, 1 is a dense crowd.
        turn: degrees by which people turn away from the camera at most, 0 to 180.
    """
    persons, layers = stage(rng, width, height, people, person_height, overlap, turn)
    owners = owner_map(layers, width, height)
    keypoints = judge(persons, owners)
    seen = (keypoints[..., 2] == SEEN).sum(1) >= MIN_SEEN_KEYPOINTS
    if not seen.all():  # leaving somebody out only uncovers the others, so once is enough
        persons, layers = leave_out(persons, layers, np.flatnonzero(~seen))
        owners = owner_map(layers, width, height)
        keypoints = judge(persons, owners)
    image = paint_backdrop(rng, width, height)
    for layer in layers:
        draw(image, layer.strokes)
    areas = np.bincount(owners.ravel(), minlength=1 + len(persons) * len(PARTS))[1:].reshape(-1, len(PARTS)).sum(1)
    return Scene(finish(image, rng), keypoints, _boxes(persons, width, height), areas.astype(float), owners)


def stage(
    rng: np.random.Generator,
    width: int,
    height: int,
    people: tuple[int, int],
    person_height: tuple[float, float],
    overlap: float,
    turn: float,
) -> tuple[list[Person], list[Layer]]:
    """People and things in their places: the people, far to near, and all layers, far to near.

    Args:
        rng: source of chance.
        width: px.
        height: px.
        people: fewest and most people, both included.
        person_height: smallest and largest standing height, as fractions of the image's height.
        overlap: 0 keeps people apart where there is room, 1 is a dense crowd.
        turn: degrees by which people turn away from the camera at most, 0 to 180.
    """
    number = int(rng.integers(people[0], people[1] + 1))
    tilt = rng.uniform(0, MAX_TILT)
    figures = [sample_figure(rng, _yaw(rng) * turn / 180, tilt) for _ in range(number)]
    statures = height * np.exp(rng.uniform(*np.log(person_height), number))
    persons = place(rng, figures, statures, width, height, overlap)
    layers = []
    for index, person in enumerate(persons):
        layers += [Layer(_seat(rng, person), NOBODY), Layer(person_strokes(person), index)]
    for _ in range(rng.integers(0, PROPS + 1)):
        prop = sample_piece(rng, width, height, rng.uniform(0.1, 0.3))
        layers.insert(rng.integers(len(layers) + 1), Layer(prop, NOBODY))
    return persons, layers


def leave_out(persons: list[Person], layers: list[Layer], hidden: np.ndarray) -> tuple[list[Person], list[Layer]]:
    """The same scene without some people; the others are numbered anew.

    Args:
        persons: who is there.
        layers: what is drawn.
        hidden: (n,) indices of those who go.
    """
    keep = [index for index in range(len(persons)) if index not in set(hidden)]
    rank = {NOBODY: NOBODY, **{index: new for new, index in enumerate(keep)}}
    return (
        [persons[i] for i in keep],
        [Layer(layer.strokes, rank[layer.person]) for layer in layers if layer.person in rank],
    )


def owner_map(layers: list[Layer], width: int, height: int) -> np.ndarray:
    """Who is seen at each pixel, (height, width) uint16, see ``Scene``.

    Args:
        layers: what is drawn, far to near.
        width: px.
        height: px.
    """
    owners = np.zeros((height, width), np.uint16)
    for layer in layers:
        claim(owners, layer.strokes, 1 + max(layer.person, 0) * len(PARTS))
    return owners


def judge(persons: list[Person], owners: np.ndarray) -> np.ndarray:
    """Keypoints with visibility, (N, K, 3): whose part is seen at each keypoint's pixel decides.

    Args:
        persons: in the order of their numbers in the owner map.
        owners: (H, W) owner map, see ``Scene``.
    """
    height, width = owners.shape
    keypoints = np.zeros((len(persons), 17, 3))
    for index, person in enumerate(persons):
        places = person.figure.keypoints * person.scale + person.origin
        inside = ((places >= 0) & (places <= [width - 1, height - 1])).all(1)
        x, y = np.rint(np.clip(places, 0, [width - 1, height - 1])).astype(int).T
        part = owners[y, x].astype(int) - 1 - index * len(PARTS)
        own = (part >= 0) & (part < len(PARTS))
        seen = own & person.figure.witness[np.arange(17), np.where(own, part, 0)]
        keypoints[index, inside, :2] = places[inside]
        keypoints[index, :, 2] = np.where(inside, np.where(seen, SEEN, HIDDEN), 0)
    return keypoints


def crowd_index(boxes: np.ndarray, keypoints: np.ndarray) -> float:
    """How crowded an image is, in [0, 1]: 0 with nobody or with everybody apart.

    Per person, the number of other people's labelled keypoints inside the person's box over the number of the person's
    own labelled keypoints; the mean over people, at most 1. Source: Li et al., CrowdPose, CVPR 2019, eq. 1.

    Args:
        boxes: (N, 4) x, y, width, height in px.
        keypoints: (N, K, 3) x, y, visibility; 0 means not labelled.
    """
    if not len(boxes):
        return 0.0
    low, high = boxes[:, None, None, :2], (boxes[:, :2] + boxes[:, 2:])[:, None, None]
    labelled = keypoints[..., 2] > 0
    inside = ((keypoints[None, ..., :2] >= low) & (keypoints[None, ..., :2] <= high)).all(-1) & labelled[None]
    counts = inside.sum(-1)  # (N boxes, N owners)
    others = counts.sum(1) - np.diagonal(counts)
    return float(min(np.mean(others / np.maximum(labelled.sum(1), 1)), 1.0))


def _yaw(rng: np.random.Generator) -> float:
    """Which way a person faces, in radians within (-pi, pi]: often the camera (0), else anywhere."""
    draws = rng.random(2)
    yaw = rng.normal(0, 0.5) if draws[0] < FRONT_SHARE else 2 * np.pi * draws[1]
    return float(np.angle(np.exp(1j * yaw)))


def _seat(rng: np.random.Generator, person: Person) -> list[Stroke]:
    """Something under a person who sits; nothing for the others."""
    if not person.figure.seat:
        return []
    where = person.origin + person.scale * np.array([0, 0.05])
    return crate(where, 0.34 * person.scale, person.scale * (person.figure.extent[3] - 0.06), cloth_colour(rng))


def person_strokes(person: Person) -> list[Stroke]:
    """Everything that is painted of one person, in order: per part its contours, its fillings, its marks.

    Args:
        person: who, and where.
    """
    parts, colours = person.figure.parts, person.figure.outfit.colours
    points = iter(
        to_fixed([shape.outline for part in parts for shape in part.shapes + part.marks], person.scale, person.origin)
    )
    line = max(1, round(CONTOUR * person.scale))
    strokes = []
    for part in parts:
        solid = [Stroke(next(points), _tinted(colours, shape), part.kind) for shape in part.shapes]
        marks = [Stroke(next(points), _tinted(colours, shape), part.kind, mark=True) for shape in part.marks]
        strokes += [
            Stroke(stroke.points, tuple(CONTOUR_SHADE * c for c in stroke.colour), part.kind, line=line)
            for shape, stroke in zip(part.shapes, solid)
            if shape.edge
        ]
        strokes += solid + marks
    return strokes


def _tinted(colours: dict[str, tuple], shape: Shape) -> tuple:
    """The BGR colour that fills a shape."""
    return tuple(min(shape.shade * c, 255) for c in colours[shape.role])


def _boxes(persons: list[Person], width: int, height: int) -> np.ndarray:
    """(N, 4) x, y, width, height of each body, clothes and hidden parts included, inside the image."""
    extents = np.array([p.figure.extent * p.scale + np.tile(p.origin, 2) for p in persons]).reshape(-1, 4)
    extents = np.clip(extents, 0, [width - 1, height - 1] * 2)
    return np.concatenate([extents[:, :2], extents[:, 2:] - extents[:, :2]], axis=1)
