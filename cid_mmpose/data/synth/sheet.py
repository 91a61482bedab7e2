"""Images with their keypoints drawn, side by side, to look a data set over; and how fast they come."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np

from cid_mmpose.errors import BadInput

from .scene import Scene

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
LEFT, RIGHT, MIDDLE, LINE = (80, 220, 60), (60, 60, 235), (0, 200, 255), (215, 215, 215)  # BGR


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
    scenes = [scene(index) for index in range(number)]
    sheet = contact_sheet([s.image for s in scenes], [s.keypoints for s in scenes])
    try:
        target.write_bytes(cv2.imencode('.png', sheet)[1].tobytes())
    except OSError as error:
        raise BadInput(f'{path}: cannot be written ({error.strerror}); name a file you may write') from None


def drawing_speed(dataset) -> tuple[float, float]:
    """Images per second with their annotation, on one core; and the mean number of people in them.

    Args:
        dataset: a SynthCrowd; all its images are drawn once.
    """
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    start = time.perf_counter()
    people = [len(dataset.get_data_info(index)['id']) for index in range(len(dataset))]
    seconds = time.perf_counter() - start
    cv2.setNumThreads(threads)
    return len(people) / seconds, float(np.mean(people))


def contact_sheet(images: Sequence[np.ndarray], keypoints: Sequence[np.ndarray], columns: int = 4) -> np.ndarray:
    """One image made of many, (rows * H, columns * W, 3) uint8; cells without an image stay black.

    Keypoints that are seen are filled dots, hidden ones rings; the person's left is green, their right red.

    Args:
        images: (H, W, 3) uint8 BGR, all of one size, at least one.
        keypoints: per image (N, 17, 3) x, y in px and COCO visibility.
        columns: images in a row.
    """
    cells = [draw_keypoints(image, people) for image, people in zip(images, keypoints)]
    cells += [np.zeros_like(cells[0])] * (-len(cells) % columns)
    return np.vstack([np.hstack(cells[start : start + columns]) for start in range(0, len(cells), columns)])


def draw_keypoints(image: np.ndarray, people: np.ndarray) -> np.ndarray:
    """A copy of the image with everybody's labelled keypoints and limbs.

    Args:
        image: (H, W, 3) uint8, BGR.
        people: (N, 17, 3) x, y in px and COCO visibility.
    """
    image = image.copy()
    radius = max(2, round(image.shape[0] / 170))
    for person in people:
        spots = [tuple(int(v) for v in np.rint(16 * keypoint[:2])) for keypoint in person]
        for start, end in LIMBS:
            if person[start, 2] and person[end, 2]:
                cv2.line(image, spots[start], spots[end], LINE, 1, cv2.LINE_AA, 4)
        for number, (spot, keypoint) in enumerate(zip(spots, person)):
            colour = MIDDLE if number == 0 else LEFT if number % 2 else RIGHT
            if keypoint[2]:
                cv2.circle(image, spot, 16 * radius, colour, -1 if keypoint[2] == 2 else 1, cv2.LINE_AA, 4)
    return image
