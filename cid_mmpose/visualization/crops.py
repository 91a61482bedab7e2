"""Parts of an image at the size of a panel, and what is drawn on them. All images are uint8 BGR (h, w, 3)."""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from .maps import Grid
from .text import DARK, text_size, write

CONTEXT = 2.2  # longer sides of a person's box that are shown around the middle of it
LEAST = 0.25  # of the image's longer side that is shown of it
WHITE = (255, 255, 255)
MARK = 6  # px, radius of the ring around a place
LABEL = 10  # px, height of the capitals of its number


class Crop(NamedTuple):
    """A part of an image, scaled."""

    image: np.ndarray  # (h, w, 3)
    grid: Grid  # of the maps, in px of the crop
    start: np.ndarray  # (2,) px of the image, corner of the part
    factor: np.ndarray  # (2,) px of the crop a px of the image

    def grey(self) -> np.ndarray:
        """The image without colours, (h, w, 3), so that those of a map over it are read rightly."""
        return cv2.cvtColor(cv2.cvtColor(self.image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)

    def places(self, places: np.ndarray) -> np.ndarray:
        """Pixels of the image (..., 2) -> pixels of the crop; the middle of a pixel is whole in both."""
        return (np.asarray(places, float) - self.start + 0.5) * self.factor - 0.5


class Region(NamedTuple):
    """A part of an image in whole px; right and bottom lie outside."""

    left: int
    top: int
    right: int
    bottom: int


def around(box: np.ndarray, size: tuple[int, int]) -> Region:
    """The part of an image that shows a person and who is near.

    Args:
        box: (4,) x1, y1, x2, y2 px.
        size: (width, height) of the image.
    """
    middle = (box[:2] + box[2:]) / 2
    side = int(np.ceil(max(CONTEXT * (box[2:] - box[:2]).max(), LEAST * max(size))))
    starts = []
    ends = []
    for center, whole in zip(middle, size):
        length = min(side, whole)
        start = int(np.clip(round(center - length / 2), 0, whole - length))
        starts.append(start)
        ends.append(start + length)
    return Region(*starts, *ends)


def crop_of(image: np.ndarray, grid: Grid, region: Region, room: tuple[int, int]) -> Crop:
    """A part of an image, as large as fits.

    Args:
        image: the whole.
        grid: of the maps, in its px.
        region: the part.
        room: (width, height) px that the crop may take.
    """
    part = image[region.top : region.bottom, region.left : region.right]
    height, width = part.shape[:2]
    factor = min(room[0] / width, room[1] / height)
    size = max(1, round(width * factor)), max(1, round(height * factor))
    way = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    scaled = cv2.resize(part, size, interpolation=way)

    start = np.array([region.left, region.top], float)
    factors = np.array(size) / (width, height)
    moved = Grid((grid.start - start + 0.5) * factors - 0.5, grid.step * factors)
    return Crop(scaled, moved, start, factors)


def mark(image: np.ndarray, places: np.ndarray, texts: Sequence[str] = (), radius: int = MARK) -> None:
    """Draws a ring around each place, and a text beside it.

    Args:
        image: changed.
        places: (N, 2) px.
        texts: N, in ASCII, or none.
        radius: of the rings, px.
    """
    for x, y in places:
        center = round(float(x)), round(float(y))
        for colour, width in ((DARK, 3), (WHITE, 1)):
            cv2.circle(image, center, radius, colour, width, cv2.LINE_AA)
    for (x, y), text in zip(places, texts):
        width, height = text_size(text, LABEL)
        left = min(round(float(x)) + radius, image.shape[1] - width)
        top = min(round(float(y)) - height, image.shape[0] - height)
        write(image, text, max(0, left), max(0, top), LABEL, WHITE)
