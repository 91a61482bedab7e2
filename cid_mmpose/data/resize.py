"""How an image becomes the network's input: one function, for training's stack and for programs without it.

numpy and OpenCV only. The pixels are those of MMPose's ``BottomupResize``.
"""

from typing import NamedTuple

import cv2
import numpy as np

MODES = ('expand', 'fit')


class Resizing(NamedTuple):
    """How images are resized.

    ``input_size``: (w, h) in pixels. ``factor``: the sides of the network's input are multiples of it. ``mode``:
    'expand' lets the longer side go beyond ``input_size``, 'fit' leaves the input as large as that. ``padding``: the
    color (BGR) around the image.
    """

    input_size: tuple[int, int]
    factor: int
    mode: str
    padding: tuple[float, float, float] = (0, 0, 0)


class Placing(NamedTuple):
    """Where an image lies in the network's input."""

    size: tuple[int, int]  # (w, h) of the input in pixels
    center: np.ndarray  # (2,) float32, middle of the image in its pixels
    scale: np.ndarray  # (2,) float32, what the input covers, in pixels of the image

    def to_image(self, points: np.ndarray) -> np.ndarray:
        """Points (..., 2) in pixels of the input -> in pixels of the image."""
        share = points / self.size
        return share * self.scale + self.center - 0.5 * self.scale


def placing_of(image_size: tuple[int, int], how: Resizing) -> Placing:
    """Where an image will lie.

    Args:
        image_size: (w, h) in pixels.
        how: it is resized.

    Raises:
        ValueError: the mode is unknown, or 'fit' is asked for a size that is no multiple of the factor.
    """
    width, height = image_size
    ratio = width / height
    full = _multiples(how.input_size, how.factor)
    if how.mode == 'expand':
        resized = (max(full[0], full[1] * ratio), max(full[1], full[0] / ratio))
        size = _multiples(resized, how.factor)
    elif how.mode == 'fit':
        if full != tuple(how.input_size):
            raise ValueError(f'input_size {how.input_size} must be of multiples of {how.factor}')
        resized = (min(full[0], full[1] * ratio), min(full[1], full[0] / ratio))
        size = full
    else:
        raise ValueError(f'mode must be one of {MODES}, got {how.mode!r}')

    center = np.array([width / 2, height / 2], np.float32)
    scale = np.array([width * size[0] / resized[0], height * size[1] / resized[1]], np.float32)
    return Placing(size, center, scale)


def place(image: np.ndarray, placing: Placing, padding: tuple[float, float, float]) -> np.ndarray:
    """The network's input.

    Args:
        image: (h, w, 3) uint8 or float32.
        placing: of ``placing_of``.
        padding: the color around the image.

    Returns:
        (h', w', 3), of the type of the image.
    """
    matrix = cv2.getAffineTransform(_corner(placing.center, placing.scale[0]), _corner_of_input(placing.size))
    return cv2.warpAffine(image, matrix, placing.size, flags=cv2.INTER_LINEAR, borderValue=padding)


def _multiples(size: tuple[float, float], factor: int) -> tuple[int, int]:
    """(w, h), each side rounded up to a multiple."""
    width, height = (int(np.ceil(side / factor) * factor) for side in size)
    return width, height


def _corner(middle: np.ndarray, width: np.float32) -> np.ndarray:
    """Three points (3, 2) float32 that fix where a rectangle lies: its middle, the left one at the height of that, and
    the one that turns the same way downwards from the left one.
    """
    half = np.float32(width) * np.float32(0.5)
    x, y = np.float32(middle)
    return np.array([[x, y], [x - half, y], [x - half, y + half]], np.float32)


def _corner_of_input(size: tuple[int, int]) -> np.ndarray:
    width, height = size
    return _corner(np.array([width * 0.5, height * 0.5], np.float32), np.float32(width))
