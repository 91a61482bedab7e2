"""Heatmaps on images and sheets of images: arrays in, arrays out. All images are uint8 BGR (h, w, 3)."""

from collections.abc import Sequence

import cv2
import numpy as np

MARGIN = 4  # pixels between the images of a sheet
BLACK = (0, 0, 0)
WHITE = (255, 255, 255)


def overlay(image: np.ndarray, heatmap: np.ndarray, top: float = 1.0) -> np.ndarray:
    """Lays a heatmap (H, W) over an image (h, w, 3), blue for 0 to red for ``top`` and above."""
    heat = cv2.resize(heatmap.astype(np.float32), image.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    levels = heat / max(top, 1e-6) * 255
    levels = levels.clip(0, 255).astype(np.uint8)
    colours = cv2.applyColorMap(levels, cv2.COLORMAP_JET)
    return cv2.addWeighted(image, 0.5, colours, 0.5, 0)


def caption(image: np.ndarray, text: str) -> np.ndarray:
    """A copy with ``text`` in white on a dark line at the top left."""
    image = image.copy()
    for colour, width in ((BLACK, 3), (WHITE, 1)):
        cv2.putText(image, text, (4, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.42, colour, width, cv2.LINE_AA)
    return image


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
