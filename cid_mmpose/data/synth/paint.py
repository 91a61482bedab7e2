"""Drawing with sub-pixel outlines: strokes into an image and into an owner map, and the camera's finish.

Pixel rule: the integer coordinate (x, y) is the center of pixel [y, x], as in COCO's keypoints and in OpenCV.
"""

from collections.abc import Iterable
from typing import NamedTuple

import cv2
import numpy as np

SHIFT = 4  # outlines are drawn to 1 / 16 px
FARTHEST = 2**18  # in 1 / 16 px; points are drawn no farther away
NOBODY = -1  # part of a stroke that owns no pixels of a person


class Stroke(NamedTuple):
    """One polygon on its way to the image."""

    points: np.ndarray  # (P, 2) int32, (x, y) in 1 / 16 px
    colour: tuple  # BGR, 0..255
    part: int = NOBODY  # index into parts.PARTS
    mark: bool = False  # painted only, of any shape; the pixels keep their owner. Else the polygon is convex
    line: int = 0  # px; 0 fills the polygon, else its border alone is drawn, this wide


def strokes(outlines: list[np.ndarray], colours: Iterable[tuple], scale: float = 1.0, origin=(0.0, 0.0)) -> list:
    """Strokes of a thing that nobody owns: furniture, or a distractor.

    Args:
        outlines: (P, 2) polygons.
        colours: one BGR per polygon.
        scale: px per unit of the outlines.
        origin: (2,) px, where their zero goes.
    """
    polygons = to_fixed(outlines, scale, origin)
    return [Stroke(points, colour) for points, colour in zip(polygons, colours)]


def to_fixed(outlines: list[np.ndarray], scale: float, origin) -> list[np.ndarray]:
    """Scaled and moved outlines in 1 / 16 px, int32, one array per outline.

    Args:
        outlines: (P, 2) polygons.
        scale: px per unit of the outlines.
        origin: (2,) px, where their zero goes.
    """
    if not outlines:
        return []
    points = (np.concatenate(outlines) * scale + origin) * 2**SHIFT
    points = np.clip(points, -FARTHEST, FARTHEST)
    points = np.rint(points).astype(np.int32)
    ends = np.cumsum([len(outline) for outline in outlines])
    return np.split(points, ends[:-1])


def draw(image: np.ndarray, things: Iterable[Stroke]) -> None:
    """Paint strokes in order, in place.

    Args:
        image: (H, W, 3) uint8, BGR.
        things: what to paint.
    """
    for stroke in things:
        if stroke.line:
            cv2.polylines(image, [stroke.points], True, stroke.colour, stroke.line, cv2.LINE_AA, SHIFT)
        elif stroke.mark:
            cv2.fillPoly(image, [stroke.points], stroke.colour, cv2.LINE_AA, SHIFT)
        else:
            cv2.fillConvexPoly(image, stroke.points, stroke.colour, cv2.LINE_AA, SHIFT)


def claim(owners: np.ndarray, things: Iterable[Stroke], first_code: int) -> None:
    """Write who is seen at each pixel, in place: ``first_code + part`` for people, 0 for everything else.

    Args:
        owners: (H, W) uint16.
        things: what is drawn.
        first_code: code of this person's part 0.
    """
    for stroke in things:
        code = 0 if stroke.part == NOBODY else first_code + stroke.part
        if stroke.line:
            cv2.polylines(owners, [stroke.points], True, code, stroke.line, cv2.LINE_8, SHIFT)
        elif not stroke.mark:
            cv2.fillConvexPoly(owners, stroke.points, code, cv2.LINE_8, SHIFT)


def finish(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Light, colour cast, focus and sensor noise, (H, W, 3) uint8.

    Args:
        image: (H, W, 3) uint8, BGR.
        rng: source of chance.
    """
    image = _lit(image, rng)

    gamma = rng.uniform(0.8, 1.25)
    cast = rng.uniform(0.92, 1.08, (1, 3))
    ramp = np.linspace(0, 1, 256)[:, None] ** gamma * cast * 255
    table = np.clip(ramp, 0, 255).astype(np.uint8)
    image = cv2.LUT(image, table[None])

    blur = rng.random()
    grain = rng.uniform(4, 22)
    if blur < 0.4:
        sigma = (0.4 + 1.5 * blur) * image.shape[0] / 512 + 0.05
        image = cv2.GaussianBlur(image, (0, 0), sigma)

    random_bytes = rng.bytes(image.size)
    noise = np.frombuffer(random_bytes, np.uint8).reshape(image.shape)
    return cv2.addWeighted(image, 1, noise, grain / 255, -grain / 2)


def _lit(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The image under a light that changes smoothly over it, (H, W, 3) uint8."""
    height, width = image.shape[:2]
    light = rng.uniform(0.75, 1.2) * rng.uniform(0.8, 1.2, (3, 3))
    light = np.clip(128 * light, 40, 255).astype(np.uint8)  # 128 leaves the image as it is
    field = cv2.resize(light, (width, height), interpolation=cv2.INTER_LINEAR)
    return cv2.multiply(image, cv2.merge([field] * 3), scale=1 / 128)
