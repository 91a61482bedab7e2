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
    TEXTURES[rng.integers(len(TEXTURES))](rng, image)
    for _ in range(rng.integers(3, MAX_CLUTTER + 1)):
        draw(image, sample_piece(rng, width, height, rng.uniform(0.06, 0.45)))
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
    return PIECES[rng.integers(len(PIECES))](rng, where, size * height)


def crate(where: np.ndarray, width: float, height: float, colour: tuple) -> list[Stroke]:
    """A box seen from a little above: front, top and edge.

    Args:
        where: (2,) px, the middle of its front's upper edge.
        width: px.
        height: px.
        colour: BGR of the front.
    """
    x, y = where
    half, deep = width / 2, 0.25 * width
    front = np.array([[x - half, y], [x + half, y], [x + half, y + height], [x - half, y + height]])
    top = np.array([[x - half, y], [x + half, y], [x + 0.8 * half, y - deep], [x - 0.8 * half, y - deep]])
    return strokes([front, top], [colour, _shaded(colour, 1.25)])


def _mottled(rng: np.random.Generator, width: int, height: int) -> np.ndarray:
    """A smooth wall or landscape: one colour that drifts, with patches of two sizes."""
    base = np.array(cloth_colour(rng))
    coarse = base + rng.normal(0, 30, (3, 3, 1)) + rng.normal(0, 12, (3, 3, 3))
    fine = rng.normal(0, rng.uniform(2, 22), (24, 24, 1))
    small = cv2.resize(coarse, (96, 96), interpolation=cv2.INTER_LINEAR)
    small += cv2.resize(fine, (96, 96), interpolation=cv2.INTER_LINEAR)[..., None]
    small = np.clip(small, 0, 255).astype(np.uint8)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)


def _floor(rng: np.random.Generator, image: np.ndarray) -> None:
    """A ground of another colour below a horizon, with lines running to a vanishing point."""
    height, width = image.shape[:2]
    horizon, colour = rng.uniform(0.35, 0.85) * height, cloth_colour(rng)
    corners = np.array([[-1, horizon], [width, horizon], [width, height], [-1, height]])
    draw(image, strokes([corners], [colour]))
    vanish = np.array([rng.uniform(0, width), horizon - 0.2 * height])
    for x in np.linspace(-width, 2 * width, rng.integers(2, 16)):
        foot = np.array([x, height])
        start = vanish + (foot - vanish) * (horizon - vanish[1]) / (height - vanish[1])
        cv2.line(image, _px(start), _px(foot), _shaded(colour, 0.85), 1, cv2.LINE_AA)


def _plain(rng: np.random.Generator, image: np.ndarray) -> None:
    """No texture."""


def _planks(rng: np.random.Generator, image: np.ndarray) -> None:
    """Parallel lines at any angle."""
    height, width = image.shape[:2]
    angle, step, colour = rng.uniform(0, np.pi), rng.uniform(0.03, 0.15) * height, cloth_colour(rng)
    along, across = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
    reach = np.hypot(width, height)
    for offset in np.arange(-reach / 2, reach / 2, step):
        middle = np.array([width / 2, height / 2]) + offset * across
        cv2.line(image, _px(middle - reach * along), _px(middle + reach * along), colour, 1, cv2.LINE_AA)


def _tiles(rng: np.random.Generator, image: np.ndarray) -> None:
    """Two sets of lines, upright and level."""
    height, width = image.shape[:2]
    step, colour = rng.uniform(0.04, 0.16, 2) * height, cloth_colour(rng)
    for x in np.arange(0, width, step[0]):
        cv2.line(image, (int(x), 0), (int(x), height), colour, 1)
    for y in np.arange(0, height, step[1]):
        cv2.line(image, (0, int(y)), (width, int(y)), colour, 1)


def _speckle(rng: np.random.Generator, image: np.ndarray) -> None:
    """Foliage or gravel: many small blobs."""
    height, width = image.shape[:2]
    number = 120
    colours = [cloth_colour(rng) for _ in range(3)]
    centers = rng.uniform(0, 1, (number, 2)) * [width, height]
    radii = rng.uniform(0.004, 0.03, number) * height
    outlines = capsules(centers, centers + radii[:, None] * rng.normal(size=(number, 2)), radii, 0.6 * radii)
    draw(image, strokes(list(outlines), [colours[i % 3] for i in range(number)]))


def _box(rng: np.random.Generator, where: np.ndarray, size: float) -> list[Stroke]:
    """A crate, table or cupboard."""
    width, height = size * rng.uniform(0.5, 1.6), size * rng.uniform(0.4, 1.6)
    return crate(where, width, height, cloth_colour(rng))


def _frame(rng: np.random.Generator, where: np.ndarray, size: float) -> list[Stroke]:
    """A window, door, sign or poster: a panel with a border and a bar."""
    half = 0.5 * size * rng.uniform(0.4, 1.4, 2)
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
    bar = where + corners * half * [0.05, 0.85]
    outer, inner = cloth_colour(rng), cloth_colour(rng)
    return strokes([where + corners * half, where + corners * half * 0.85, bar], [outer, inner, outer])


def _pole(rng: np.random.Generator, where: np.ndarray, size: float) -> list[Stroke]:
    """A pole or branch, as thick as a limb and sometimes of its colour."""
    lean = rng.normal(0, 0.15)
    along = size * rng.uniform(0.8, 2.5) * np.array([np.sin(lean), np.cos(lean)])
    radius = np.array([rng.uniform(0.02, 0.07) * size])
    return strokes(list(capsules(where[None], where[None] + along, radius, radius)), [_limb_colour(rng)])


def _jointed(rng: np.random.Generator, where: np.ndarray, size: float) -> list[Stroke]:
    """Two or three limb-like pieces joined at the ends: branches, pipes, mannequin parts."""
    number = int(rng.integers(2, 4))
    steps = rng.normal(size=(number, 2)) * 0.4 * size
    ends = where + np.cumsum(np.vstack([[0, 0], steps]), axis=0)
    radii = np.linspace(0.09, 0.05, number) * size
    colour = _limb_colour(rng)
    return strokes(list(capsules(ends[:-1], ends[1:], radii, 0.8 * radii)), [colour] * number)


def _ball(rng: np.random.Generator, where: np.ndarray, size: float) -> list[Stroke]:
    """A head-sized ball without a face: lamp, balloon, fruit."""
    radius = np.array([0.2 * size])
    center, colour = where[None], _limb_colour(rng)
    glow = center - 0.3 * radius
    return strokes([center + radius * ROUND.T, glow + 0.4 * radius * ROUND.T], [colour, _shaded(colour, 1.2)])


def _plant(rng: np.random.Generator, where: np.ndarray, size: float) -> list[Stroke]:
    """Leaves around a point."""
    number = int(rng.integers(5, 11))
    angles, reach = rng.uniform(-np.pi, 0, number), rng.uniform(0.3, 0.8, number) * size
    tips = where + reach[:, None] * np.stack([np.cos(angles), np.sin(angles)], 1)
    radii = np.full(number, 0.07 * size)
    green = np.array([40, 110, 60]) + rng.uniform(-30, 40, 3)
    colours = [_shaded(green, shade) for shade in rng.uniform(0.7, 1.2, number)]
    return strokes(list(capsules(np.repeat(where[None], number, 0), tips, radii, 0.3 * radii)), colours)


def _limb_colour(rng: np.random.Generator) -> tuple:
    """Skin for one in three, else any cloth."""
    return SKIN[rng.integers(len(SKIN))] if rng.random() < 0.35 else cloth_colour(rng)


def _shaded(colour, factor: float) -> tuple:
    """The BGR colour times ``factor``, within 0..255."""
    return tuple(int(min(max(factor * c, 0), 255)) for c in colour)


def _px(point: np.ndarray) -> tuple:
    return int(np.clip(point[0], -9999, 9999)), int(np.clip(point[1], -9999, 9999))


TEXTURES: list[Callable] = [_plain, _planks, _tiles, _speckle]
PIECES: list[Callable] = [_box, _box, _frame, _frame, _pole, _jointed, _ball, _plant]
