"""What is not a person: walls, floors, furniture, poles, plants, and things coloured or shaped like limbs and heads.

Sizes are fractions of the image's height; outlines and strokes are in px.
"""

from collections.abc import Callable

import cv2
import numpy as np

from .outfit import SKIN, cloth_colour
from .paint import Stroke, draw, strokes
from .shapes import ROUND, capsules

MAX_CLUTTER = 12  # pieces of furniture and distractors behind the people


def paint_backdrop(rng: np.random.Generator, width: int, height: int) -> np.ndarray:
    """An empty scene, (height, width, 3) uint8, BGR.

    Args:
        rng: source of chance.
        width: in px.
        height: in px.
    """
    image = _mottled(rng, width, height)

    if rng.random() < 0.6:
        _floor(rng, image)

    add_texture = TEXTURES[rng.integers(len(TEXTURES))]
    add_texture(rng, image)

    number = rng.integers(3, MAX_CLUTTER + 1)
    for _ in range(number):
        size = rng.uniform(0.06, 0.45)
        piece = sample_piece(rng, width, height, size)
        draw(image, piece)
    return image


def sample_piece(rng: np.random.Generator, width: int, height: int, size: float) -> list[Stroke]:
    """One piece of furniture or one distractor, somewhere in the image.

    Args:
        rng: source of chance.
        width: of the image, in px.
        height: of the image, in px.
        size: about how large, as a fraction of the image's height.
    """
    where = rng.uniform(-0.05, 1.05, 2) * [width, height]
    make_piece = PIECES[rng.integers(len(PIECES))]
    return make_piece(rng, where, size * height)


def crate(where: np.ndarray, width: float, height: float, colour: tuple) -> list[Stroke]:
    """A box seen from a little above: front, top and edge.

    Args:
        where: (2,) px, the middle of its front's upper edge.
        width: px.
        height: px.
        colour: BGR of the front.
    """
    x, y = where
    half = width / 2
    deep = 0.25 * width
    front = np.array([[x - half, y], [x + half, y], [x + half, y + height], [x - half, y + height]])
    top = np.array([[x - half, y], [x + half, y], [x + 0.8 * half, y - deep], [x - 0.8 * half, y - deep]])
    top_colour = _shaded(colour, 1.25)
    return strokes([front, top], [colour, top_colour])


def _mottled(rng: np.random.Generator, width: int, height: int) -> np.ndarray:
    """A smooth wall or landscape: one colour that drifts, with patches of two sizes."""
    base = np.array(cloth_colour(rng))
    brightness = rng.normal(0, 30, (3, 3, 1))
    tint = rng.normal(0, 12, (3, 3, 3))
    coarse = base + brightness + tint

    roughness = rng.uniform(2, 22)
    fine = rng.normal(0, roughness, (24, 24, 1))

    small = cv2.resize(coarse, (96, 96), interpolation=cv2.INTER_LINEAR)
    fine = cv2.resize(fine, (96, 96), interpolation=cv2.INTER_LINEAR)
    small += fine[..., None]
    small = np.clip(small, 0, 255).astype(np.uint8)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)


def _floor(rng: np.random.Generator, image: np.ndarray) -> None:
    """A ground of another colour below a horizon, with lines running to a vanishing point."""
    height, width = image.shape[:2]
    horizon = rng.uniform(0.35, 0.85) * height
    colour = cloth_colour(rng)
    corners = np.array([[-1, horizon], [width, horizon], [width, height], [-1, height]])
    ground = strokes([corners], [colour])
    draw(image, ground)

    vanish = np.array([rng.uniform(0, width), horizon - 0.2 * height])
    line_colour = _shaded(colour, 0.85)
    number = rng.integers(2, 16)
    for x in np.linspace(-width, 2 * width, number):
        foot = np.array([x, height])
        start = vanish + (foot - vanish) * (horizon - vanish[1]) / (height - vanish[1])
        cv2.line(image, _px(start), _px(foot), line_colour, 1, cv2.LINE_AA)


def _plain(rng: np.random.Generator, image: np.ndarray) -> None:
    """No texture."""


def _planks(rng: np.random.Generator, image: np.ndarray) -> None:
    """Parallel lines at any angle."""
    height, width = image.shape[:2]
    angle = rng.uniform(0, np.pi)
    step = rng.uniform(0.03, 0.15) * height
    colour = cloth_colour(rng)

    cos, sin = np.cos(angle), np.sin(angle)
    along = np.array([cos, sin])
    across = np.array([-sin, cos])
    center = np.array([width / 2, height / 2])
    reach = np.hypot(width, height)
    for offset in np.arange(-reach / 2, reach / 2, step):
        middle = center + offset * across
        start = _px(middle - reach * along)
        end = _px(middle + reach * along)
        cv2.line(image, start, end, colour, 1, cv2.LINE_AA)


def _tiles(rng: np.random.Generator, image: np.ndarray) -> None:
    """Two sets of lines, upright and level."""
    height, width = image.shape[:2]
    step = rng.uniform(0.04, 0.16, 2) * height
    colour = cloth_colour(rng)

    columns = np.arange(0, width, step[0]).astype(int)
    for x in columns.tolist():
        cv2.line(image, (x, 0), (x, height), colour, 1)

    rows = np.arange(0, height, step[1]).astype(int)
    for y in rows.tolist():
        cv2.line(image, (0, y), (width, y), colour, 1)


def _speckle(rng: np.random.Generator, image: np.ndarray) -> None:
    """Foliage or gravel: many small blobs."""
    height, width = image.shape[:2]
    colours = [cloth_colour(rng) for _ in range(3)]
    number = 120
    centers = rng.uniform(0, 1, (number, 2)) * [width, height]
    radii = rng.uniform(0.004, 0.03, number) * height
    stretch = rng.normal(size=(number, 2))

    outlines = capsules(centers, centers + radii[:, None] * stretch, radii, 0.6 * radii)
    blobs = strokes(list(outlines), colours * (number // len(colours)))
    draw(image, blobs)


def _box(rng: np.random.Generator, where: np.ndarray, size: float) -> list[Stroke]:
    """A crate, table or cupboard."""
    width = size * rng.uniform(0.5, 1.6)
    height = size * rng.uniform(0.4, 1.6)
    colour = cloth_colour(rng)
    return crate(where, width, height, colour)


def _frame(rng: np.random.Generator, where: np.ndarray, size: float) -> list[Stroke]:
    """A window, door, sign or poster: a panel with a border and a bar."""
    half = 0.5 * size * rng.uniform(0.4, 1.4, 2)
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
    border = where + corners * half
    panel = where + corners * half * 0.85
    bar = where + corners * half * [0.05, 0.85]

    border_colour = cloth_colour(rng)
    panel_colour = cloth_colour(rng)
    return strokes([border, panel, bar], [border_colour, panel_colour, border_colour])


def _pole(rng: np.random.Generator, where: np.ndarray, size: float) -> list[Stroke]:
    """A pole or branch, as thick as a limb and sometimes of its colour."""
    lean = rng.normal(0, 0.15)
    direction = np.array([np.sin(lean), np.cos(lean)])
    length = size * rng.uniform(0.8, 2.5)
    radius = np.array([rng.uniform(0.02, 0.07) * size])
    colour = _limb_colour(rng)

    start = where[None]
    outlines = capsules(start, start + length * direction, radius, radius)
    return strokes(list(outlines), [colour])


def _jointed(rng: np.random.Generator, where: np.ndarray, size: float) -> list[Stroke]:
    """Two or three limb-like pieces joined at the ends: branches, pipes, mannequin parts."""
    number = int(rng.integers(2, 4))
    steps = rng.normal(size=(number, 2)) * 0.4 * size
    colour = _limb_colour(rng)

    ends = where + np.cumsum(np.vstack([[0, 0], steps]), axis=0)
    radii = np.linspace(0.09, 0.05, number) * size
    outlines = capsules(ends[:-1], ends[1:], radii, 0.8 * radii)
    return strokes(list(outlines), [colour] * number)


def _ball(rng: np.random.Generator, where: np.ndarray, size: float) -> list[Stroke]:
    """A head-sized ball without a face: lamp, balloon, fruit."""
    radius = 0.2 * size
    colour = _limb_colour(rng)
    outline = where + radius * ROUND.T
    glow = where - 0.3 * radius + 0.4 * radius * ROUND.T
    return strokes([outline, glow], [colour, _shaded(colour, 1.2)])


def _plant(rng: np.random.Generator, where: np.ndarray, size: float) -> list[Stroke]:
    """Leaves around a point."""
    number = int(rng.integers(5, 11))
    angles = rng.uniform(-np.pi, 0, number)
    lengths = rng.uniform(0.3, 0.8, number) * size
    green = np.array([40, 110, 60]) + rng.uniform(-30, 40, 3)
    shades = rng.uniform(0.7, 1.2, number)

    directions = np.stack([np.cos(angles), np.sin(angles)], 1)
    tips = where + lengths[:, None] * directions
    starts = np.repeat(where[None], number, 0)
    radii = np.full(number, 0.07 * size)
    leaves = capsules(starts, tips, radii, 0.3 * radii)
    colours = [_shaded(green, shade) for shade in shades]
    return strokes(list(leaves), colours)


def _limb_colour(rng: np.random.Generator) -> tuple:
    """Skin for one in three, else any cloth."""
    if rng.random() < 0.35:
        return SKIN[rng.integers(len(SKIN))]
    return cloth_colour(rng)


def _shaded(colour, factor: float) -> tuple:
    """The BGR colour times ``factor``, within 0..255."""
    return tuple(int(min(max(factor * c, 0), 255)) for c in colour)


def _px(point: np.ndarray) -> tuple[int, int]:
    """Whole (x, y) px of a (2,) point, as OpenCV takes it."""
    x, y = np.clip(point, -9999, 9999).astype(int).tolist()
    return x, y


TEXTURES: list[Callable] = [_plain, _planks, _tiles, _speckle]
PIECES: list[Callable] = [_box, _box, _frame, _frame, _pole, _jointed, _ball, _plant]
