"""Whether the numbers of a file are pixels, as COCO has them, or something else that the whole file gives away.

A person alone may lie anywhere; but where everybody's keypoints lie within one pixel, they are shares of the image.
Such a file trains nobody, or people of the wrong size, and its evaluation gives 0, all without an error.
"""

from collections.abc import Sequence

import numpy as np

from cid_mmpose.errors import BadInput

from .problems import is_crowd, labelled_keypoints, sides_of

ONE = 1.001  # pixels; shares of an image are rounded
SLACK = 1.0  # pixels by which a box may leave its image: annotations are rounded
FEW_KEYPOINTS = 2  # so many labelled keypoints may lie within a pixel in a whole file of them
FEWEST_CORNERS = 3  # people; of fewer boxes nobody can tell
SHARES = 'look like shares of the sides of the image; give pixels'


def check_units(people: Sequence[dict], images: Sequence[dict], path: str) -> None:
    """BadInput if boxes or keypoints are plainly not in pixels.

    Args:
        people: annotations without problems (``problems.py``).
        images: of the file.
        path: of the file, for the message.
    """
    labelled = []
    for annotation in people:
        if not is_crowd(annotation) and labelled_keypoints(annotation):
            labelled.append(annotation)
    shapes = {image['id']: sides_of(image) for image in images}

    text = problem_of_units(labelled, shapes)
    if text:
        raise BadInput(f'{path}: {text}')


def problem_of_units(people: Sequence[dict], shapes: dict[int, Sequence[float]]) -> str:
    """What the boxes or keypoints of a file are instead of pixels, as "field 'x' ..."; '' if they may be pixels.

    Args:
        people: with labelled keypoints and boxes that have a size.
        shapes: id of an image -> (H, W) in pixels; NaN if unknown.
    """
    if not people:
        return ''
    boxes = np.array([person['bbox'] for person in people], float)
    if _all_within_one(boxes):
        return f"field 'bbox' of all {len(people)} labelled people lies between 0 and 1: they {SHARES}"

    of_many = []
    for person in people:
        points = _labelled_xy(person)
        if len(points) > FEW_KEYPOINTS:
            of_many.append(points)
    if of_many and _all_within_one(np.concatenate(of_many)):
        return f"field 'keypoints' of all {len(people)} labelled people lies between 0 and 1: they {SHARES}"

    leaving = _corners_for_sides(people, shapes)
    if leaving:
        return (
            f"field 'bbox' of {leaving} of {len(people)} labelled people leaves the image: they look like the "
            'corners x1, y1, x2, y2; give x, y, width, height'
        )
    return ''


def _labelled_xy(person: dict) -> np.ndarray:
    """(n, 2) float64 x and y of the labelled keypoints, as in the file."""
    values = np.array(person['keypoints'], float).reshape(-1, 3)
    return values[values[:, 2] > 0, :2]


def _all_within_one(values: np.ndarray) -> bool:
    """Whether all numbers lie between 0 and 1."""
    return bool((values >= 0).all() and (values <= ONE).all())


def _corners_for_sides(people: Sequence[dict], shapes: dict[int, Sequence[float]]) -> int:
    """How many boxes leave their image, if most do and all would lie in it as x1, y1, x2, y2; else 0."""
    boxes = np.array([person['bbox'] for person in people], float)
    sides = np.array([shapes[person['image_id']] for person in people], float)[:, ::-1]
    if len(people) < FEWEST_CORNERS or np.isnan(sides).any():
        return 0

    low, last = boxes[:, :2], boxes[:, 2:]
    limit = sides + SLACK
    could_be_corners = (last > low).all() and (last <= limit).all()
    leaves = (low + last > limit).any(1)
    if could_be_corners and leaves.mean() > 0.5:
        return int(leaves.sum())
    return 0
