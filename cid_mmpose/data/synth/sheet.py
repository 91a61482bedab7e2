"""Images with their keypoints drawn, side by side, to look a data set over; and how fast they come."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from cid_mmpose.errors import BadInput

from .scene import SEEN, Scene

# COCO's limbs as pairs of keypoint numbers.
LIMBS = (
    (5, 7),
    (7, 9),
    (6, 8),
    (8, 10),
    (5, 6),
    (5, 11),
    (6, 12),
    (11, 12),
    (11, 13),
    (13, 15),
    (12, 14),
    (14, 16),
    (0, 1),
    (0, 2),
    (1, 3),
    (2, 4),
)
# BGR
LEFT = 80, 220, 60
RIGHT = 60, 60, 235
MIDDLE = 0, 200, 255
LINE = 215, 215, 215
FILLED = -1  # thickness by which OpenCV fills a circle
SHIFT = 4  # points are drawn to 1 / 16 px


class Speed(NamedTuple):
    """How fast a data set draws, on one core."""

    images: float  # per second, with their annotation
    people: float  # mean number in an image


def write_sheet(scene: Callable[[int], Scene], path: str, number: int = 16) -> None:
    """Write the first images of a data set as one PNG.

    Args:
        scene: gives the scene of an image's index.
        path: the file to write, ``.png``.
        number: how many images.

    Raises:
        BadInput: the path is no PNG's or its folder cannot be written to.
    """
    target = Path(path)
    if target.suffix.lower() != '.png' or not target.parent.is_dir():
        raise BadInput(f'{path}: cannot be written; name a .png file in a folder that exists')

    images, keypoints = [], []
    for index in range(number):
        drawn = scene(index)
        images.append(drawn.image)
        keypoints.append(drawn.keypoints)
    sheet = contact_sheet(images, keypoints)

    _, content = cv2.imencode('.png', sheet)
    try:
        target.write_bytes(content.tobytes())
    except OSError as error:
        raise BadInput(f'{path}: cannot be written ({error.strerror}); name a file you may write') from None


def drawing_speed(dataset) -> Speed:
    """How fast the images of a data set come.

    Args:
        dataset: a SynthCrowd; all its images are drawn once.
    """
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    start = time.perf_counter()
    people = []
    for index in range(len(dataset)):
        item = dataset.get_data_info(index)
        people.append(len(item['id']))
    seconds = time.perf_counter() - start
    cv2.setNumThreads(threads)
    return Speed(len(people) / seconds, float(np.mean(people)))


def contact_sheet(images: Sequence[np.ndarray], keypoints: Sequence[np.ndarray], columns: int = 4) -> np.ndarray:
    """One image made of many, (rows * H, columns * W, 3) uint8; cells without an image stay black.

    Keypoints that are seen are filled dots, hidden ones rings; the person's left is green, their right red.

    Args:
        images: (H, W, 3) uint8 BGR, all of one size, at least one.
        keypoints: per image (N, 17, 3) x, y in px and COCO visibility.
        columns: images in a row.
    """
    cells = [draw_keypoints(image, people) for image, people in zip(images, keypoints)]
    empty = np.zeros_like(cells[0])
    cells += [empty] * (-len(cells) % columns)

    rows = []
    for start in range(0, len(cells), columns):
        row = np.hstack(cells[start : start + columns])
        rows.append(row)
    return np.vstack(rows)


def draw_keypoints(image: np.ndarray, people: np.ndarray) -> np.ndarray:
    """A copy of the image with everybody's labelled keypoints and limbs.

    Args:
        image: (H, W, 3) uint8, BGR.
        people: (N, 17, 3) x, y in px and COCO visibility.
    """
    image = image.copy()
    radius = max(2, round(image.shape[0] / 170)) * 2**SHIFT
    for person in people:
        points = np.rint(person[:, :2] * 2**SHIFT).astype(int).tolist()
        spots = [tuple(point) for point in points]
        visibility = person[:, 2]
        for start, end in LIMBS:
            if visibility[start] and visibility[end]:
                cv2.line(image, spots[start], spots[end], LINE, 1, cv2.LINE_AA, SHIFT)
        for number, spot in enumerate(spots):
            if visibility[number]:
                thickness = FILLED if visibility[number] == SEEN else 1
                cv2.circle(image, spot, radius, _colour_of(number), thickness, cv2.LINE_AA, SHIFT)
    return image


def _colour_of(number: int) -> tuple:
    """BGR of a keypoint; in COCO's order odd numbers are the person's left."""
    if number == 0:
        return MIDDLE
    return LEFT if number % 2 else RIGHT
