"""Words on an image, readable on any background."""

from itertools import product
from typing import NamedTuple

import cv2
import numpy as np

from .colours import Colour

FONT = cv2.FONT_HERSHEY_SIMPLEX
CAPITAL = 21  # px, height of the font's capitals at scale 1
STROKE = 0.1  # width of its lines, in heights of capitals
DARK = (25, 25, 25)


class Rectangle(NamedTuple):
    """Of an image, px; right and bottom lie outside."""

    left: int
    top: int
    right: int
    bottom: int

    def meets(self, other: 'Rectangle') -> bool:
        """Whether two share a pixel."""
        apart_in_x = self.right <= other.left or other.right <= self.left
        apart_in_y = self.bottom <= other.top or other.bottom <= self.top
        return not (apart_in_x or apart_in_y)


def text_size(text: str, height: float) -> tuple[int, int]:
    """Width and height of a text with its edge, px.

    Args:
        text: in ASCII.
        height: of its capitals, px.
    """
    (width, _), _ = cv2.getTextSize(text, FONT, height / CAPITAL, _stroke(height))
    margin = _margin(height)
    return width + 2 * margin, round(height) + 2 * margin


def write(canvas: np.ndarray, text: str, left: int, top: int, height: float, colour: Colour) -> None:
    """Writes a text with a dark edge.

    Args:
        canvas: (h, w, 3) uint8 BGR, changed.
        text: in ASCII.
        left: of the text with its edge, px.
        top: likewise.
        height: of its capitals, px.
        colour: of the letters.
    """
    stroke = _stroke(height)
    margin = _margin(height)
    start = left + margin, top + margin + round(height)
    scale = height / CAPITAL
    # the edge is the text itself around its place: wider lines, as OpenCV 4 has them, are no wider in OpenCV 5
    for x, y in product((-stroke, 0, stroke), repeat=2):
        cv2.putText(canvas, text, (start[0] + x, start[1] + y), FONT, scale, DARK, stroke, cv2.LINE_AA)
    cv2.putText(canvas, text, start, FONT, scale, colour, stroke, cv2.LINE_AA)


def _stroke(height: float) -> int:
    return max(1, round(STROKE * height))


def _margin(height: float) -> int:
    """From the letters to the end of their edge and what is smoothed around it, px."""
    return 2 * _stroke(height) + 2
