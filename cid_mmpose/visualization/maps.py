"""Heatmaps on images and sheets of images: arrays in, arrays out. All images are uint8 BGR (h, w, 3)."""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

MARGIN = 4  # pixels between the images of a sheet
LEVELS = np.arange(256, dtype=np.uint8)
HEAT = cv2.applyColorMap(LEVELS[None], cv2.COLORMAP_JET)[0]  # (256, 3) BGR, blue to red, as the paper's figures 3 and 4
SIGNED_ANCHORS = np.array([(172, 102, 33), (247, 247, 247), (43, 24, 178)])  # BGR: blue below 0, white, red above
SIGNED = np.stack([np.interp(LEVELS, (0, 127.5, 255), channel) for channel in SIGNED_ANCHORS.T], 1).astype(np.uint8)


class Scale(NamedTuple):
    """Which value has which colour; values outside count as the ends."""

    low: float
    high: float
    colours: np.ndarray = HEAT  # (256, 3) uint8 BGR

    def paint(self, values: np.ndarray) -> np.ndarray:
        """Values of any shape -> their colours, (..., 3) uint8 BGR."""
        levels = (values - self.low) / max(self.high - self.low, 1e-6) * 255
        return self.colours[levels.clip(0, 255).astype(np.uint8)]


SCORES = Scale(0, 1)


class Grid(NamedTuple):
    """Where the cells of a map lie in an image: the middle of cell c at ``start + (c + 0.5) * step``, in x and y.

    Keypoints are in the same pixels, so a keypoint and the cell that it was read from are drawn on one place.
    """

    start: np.ndarray  # (2,) px
    step: np.ndarray  # (2,) px a cell

    @classmethod
    def of_input(cls, stride: int, meta: dict) -> 'Grid':
        """That of an image which was scaled and padded to the network's input.

        Args:
            stride: pixels of the input a cell.
            meta: ``input_size``, ``input_center`` and ``input_scale``, as MMPose packs them with an image.
        """
        scale = np.asarray(meta['input_scale'], float)
        start = np.asarray(meta['input_center'], float) - scale / 2
        return cls(start, stride * scale / np.asarray(meta['input_size']))

    def middles(self, cells: np.ndarray) -> np.ndarray:
        """Cells (..., 2) -> the pixels of their middles."""
        return self.start + (cells + 0.5) * self.step

    def cells(self, places: np.ndarray) -> np.ndarray:
        """Pixels (..., 2) -> cells, in fractions: the inverse of ``middles``."""
        return (places - self.start) / self.step - 0.5


def spread(heatmap: np.ndarray, grid: Grid, size: tuple[int, int]) -> np.ndarray:
    """A map brought over an image, linear between the middles of its cells.

    Args:
        heatmap: (H, W).
        grid: where its cells lie.
        size: (width, height) of the image.

    Returns:
        (height, width) float; beyond the middles of the outer cells their values.
    """
    values = np.asarray(heatmap, float)
    for axis, side in zip((1, 0), size):
        last = values.shape[axis] - 1
        cell = (np.arange(side) - grid.start[1 - axis]) / grid.step[1 - axis] - 0.5
        cell = cell.clip(0, last)
        low = np.floor(cell).astype(int)
        high = np.minimum(low + 1, last)
        share = cell - low
        if axis == 0:
            share = share[:, None]
        values = (1 - share) * values.take(low, axis) + share * values.take(high, axis)
    return values


def overlay(image: np.ndarray, heatmap: np.ndarray, scale: Scale = SCORES, grid: Grid | None = None) -> np.ndarray:
    """Half an image, half the colours of a map.

    Args:
        image: (h, w, 3).
        heatmap: (H, W).
        scale: of its values.
        grid: where its cells lie in the image; None where they fill it.
    """
    height, width = image.shape[:2]
    if grid is None:
        rows, columns = heatmap.shape
        step = np.array([width / columns, height / rows])
        grid = Grid(np.array([-0.5, -0.5]), step)  # the first pixel begins half a pixel before its middle
    colours = scale.paint(spread(heatmap, grid, (width, height)))
    return cv2.addWeighted(image, 0.5, colours, 0.5, 0)


def sheet(images: Sequence[np.ndarray], columns: int) -> np.ndarray:
    """Puts at least one image side by side in rows of ``columns``; smaller ones keep their size, on white."""
    height = max(image.shape[0] for image in images) + MARGIN
    width = max(image.shape[1] for image in images) + MARGIN
    rows = -(-len(images) // columns)
    canvas = np.full((rows * height, min(columns, len(images)) * width, 3), 255, np.uint8)
    for number, image in enumerate(images):
        row, column = divmod(number, columns)
        top = row * height
        left = column * width
        canvas[top : top + image.shape[0], left : left + image.shape[1]] = image
    return canvas
