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


class Staging(NamedTuple):
    """People and things in their places, before they are drawn."""

    persons: list[Person]  # far to near
    layers: list[Layer]  # far to near


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
    image = finish(image, rng)

    boxes = _boxes(persons, width, height)
    areas = _seen_areas(owners, len(persons))
    return Scene(image, keypoints, boxes, areas, owners)


def stage(
    rng: np.random.Generator,
    width: int,
    height: int,
    people: tuple[int, int],
    person_height: tuple[float, float],
    overlap: float,
    turn: float,
) -> Staging:
    """People and things in their places.

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
    figures = []
    for _ in range(number):
        yaw = _yaw(rng) * turn / 180
        figures.append(sample_figure(rng, yaw, tilt))

    smallest, largest = np.log(person_height)
    statures = height * np.exp(rng.uniform(smallest, largest, number))
    persons = place(rng, figures, statures, width, height, overlap)

    layers = []
    for index, person in enumerate(persons):
        seat = _seat(rng, person)
        layers.append(Layer(seat, NOBODY))
        layers.append(Layer(person_strokes(person), index))

    for _ in range(rng.integers(0, PROPS + 1)):
        size = rng.uniform(0.1, 0.3)
        prop = sample_piece(rng, width, height, size)
        position = rng.integers(len(layers) + 1)
        layers.insert(position, Layer(prop, NOBODY))
    return Staging(persons, layers)


def leave_out(persons: list[Person], layers: list[Layer], hidden: np.ndarray) -> Staging:
    """The same scene without some people; the others are numbered anew.

    Args:
        persons: who is there.
        layers: what is drawn.
        hidden: (n,) indices of those who go.
    """
    gone = set(hidden.tolist())
    kept_persons = []
    new_number = {NOBODY: NOBODY}
    for index, person in enumerate(persons):
        if index not in gone:
            new_number[index] = len(kept_persons)
            kept_persons.append(person)

    kept_layers = []
    for layer in layers:
        if layer.person in new_number:
            kept_layers.append(Layer(layer.strokes, new_number[layer.person]))
    return Staging(kept_persons, kept_layers)


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
    last = [width - 1, height - 1]
    numbers = np.arange(17)
    keypoints = np.zeros((len(persons), 17, 3))
    for index, person in enumerate(persons):
        places = person.figure.keypoints * person.scale + person.origin
        inside = ((places >= 0) & (places <= last)).all(1)

        pixels = np.rint(np.clip(places, 0, last)).astype(int)
        codes = owners[pixels[:, 1], pixels[:, 0]].astype(int)
        part = codes - 1 - index * len(PARTS)
        own = (part >= 0) & (part < len(PARTS))
        part[~own] = 0
        seen = own & person.figure.witness[numbers, part]

        keypoints[index, inside, :2] = places[inside]
        visibility = np.where(seen, SEEN, HIDDEN)
        keypoints[index, inside, 2] = visibility[inside]
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
    low = boxes[:, None, None, :2]
    high = low + boxes[:, None, None, 2:]
    xy = keypoints[None, ..., :2]
    labelled = keypoints[..., 2] > 0
    inside = ((xy >= low) & (xy <= high)).all(-1) & labelled[None]

    counts = inside.sum(-1)  # (N boxes, N owners)
    others = counts.sum(1) - np.diagonal(counts)
    own = np.maximum(labelled.sum(1), 1)
    mean = np.mean(others / own)
    return float(min(mean, 1.0))


def _yaw(rng: np.random.Generator) -> float:
    """Which way a person faces, in radians within (-pi, pi]: often the camera (0), else anywhere."""
    draws = rng.random(2)
    if draws[0] < FRONT_SHARE:
        yaw = rng.normal(0, 0.5)
    else:
        yaw = 2 * np.pi * draws[1]
    wrapped = np.angle(np.exp(1j * yaw))
    return float(wrapped)


def _seat(rng: np.random.Generator, person: Person) -> list[Stroke]:
    """Something under a person who sits; nothing for the others."""
    if not person.figure.seat:
        return []
    where = person.origin + person.scale * np.array([0, 0.05])
    width = 0.34 * person.scale
    height = person.scale * (person.figure.extent[3] - 0.06)
    return crate(where, width, height, cloth_colour(rng))


def person_strokes(person: Person) -> list[Stroke]:
    """Everything that is painted of one person, in order: per part its contours, its fillings, its marks.

    Args:
        person: who, and where.
    """
    parts = person.figure.parts
    colours = person.figure.outfit.colours
    line = max(1, round(CONTOUR * person.scale))

    outlines = []
    for part in parts:
        outlines += [shape.outline for shape in part.shapes + part.marks]
    # all in one call, which costs little more than that of one outline
    points = iter(to_fixed(outlines, person.scale, person.origin))

    strokes = []
    for part in parts:
        contours, fillings, marks = [], [], []
        for shape in part.shapes:
            filling = Stroke(next(points), _tinted(colours, shape), part.kind)
            fillings.append(filling)
            if shape.edge:
                contours.append(Stroke(filling.points, _darker(filling.colour), part.kind, line=line))
        for shape in part.marks:
            marks.append(Stroke(next(points), _tinted(colours, shape), part.kind, mark=True))
        strokes += contours + fillings + marks
    return strokes


def _tinted(colours: dict[str, tuple], shape: Shape) -> tuple:
    """The BGR colour that fills a shape."""
    blue, green, red = colours[shape.role]
    shade = shape.shade
    return min(shade * blue, 255), min(shade * green, 255), min(shade * red, 255)


def _darker(colour: tuple) -> tuple:
    """The BGR colour of the contour around a filling."""
    blue, green, red = colour
    return CONTOUR_SHADE * blue, CONTOUR_SHADE * green, CONTOUR_SHADE * red


def _boxes(persons: list[Person], width: int, height: int) -> np.ndarray:
    """(N, 4) x, y, width, height of each body, clothes and hidden parts included, inside the image."""
    corners = np.zeros((len(persons), 4))
    for index, person in enumerate(persons):
        corners[index] = person.figure.extent * person.scale + np.tile(person.origin, 2)

    corners = np.clip(corners, 0, [width - 1, height - 1] * 2)
    low, high = corners[:, :2], corners[:, 2:]
    return np.concatenate([low, high - low], axis=1)


def _seen_areas(owners: np.ndarray, number: int) -> np.ndarray:
    """(N,) px of each person that are seen.

    Args:
        owners: (H, W) owner map, see ``Scene``.
        number: N.
    """
    codes = np.bincount(owners.ravel(), minlength=1 + number * len(PARTS))
    of_parts = codes[1:].reshape(-1, len(PARTS))  # (N, parts)
    return of_parts.sum(1).astype(float)
