"""Whether the numbers of a file are pixels, as COCO has them, or something else that the whole file gives away.

A person alone may lie anywhere; but where everybody's keypoints lie within one pixel, they are shares of the image. Such
a file trains nobody, or people of the wrong size, and its evaluation gives 0, all without an error.
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
    labelled = [annotation for annotation in people if not is_crowd(annotation) and labelled_keypoints(annotation)]
    text = problem_of_units(labelled, {image['id']: sides_of(image) for image in images})
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
    if _all_within_one([person['bbox'] for person in people]):
        return f"field 'bbox' of all {len(people)} labelled people lies between 0 and 1: they {SHARES}"
    of_many = [labelled for labelled in map(_labelled_xy, people) if len(labelled) > FEW_KEYPOINTS]
    if of_many and _all_within_one([xy for labelled in of_many for xy in labelled]):
        return f"field 'keypoints' of all {len(people)} labelled people lies between 0 and 1: they {SHARES}"
    leaving = _corners_for_sides(people, shapes)
    if leaving:
        return (
            f"field 'bbox' of {leaving} of {len(people)} labelled people leaves the image: they look like the "
            'corners x1, y1, x2, y2; give x, y, width, height'
        )
    return ''


def _labelled_xy(person: dict) -> list[Sequence[float]]:
    values = np.reshape(person['keypoints'], (-1, 3))
    return values[values[:, 2] > 0, :2].tolist()


def _all_within_one(rows: Sequence[Sequence[float]]) -> bool:
    values = np.array(rows, float)
    return bool((values >= 0).all() and (values <= ONE).all())


def _corners_for_sides(people: Sequence[dict], shapes: dict[int, Sequence[float]]) -> int:
    """How many boxes leave their image, if most do and all would lie in it as x1, y1, x2, y2; else 0."""
    boxes = np.array([person['bbox'] for person in people], float)
    sides = np.array([shapes[person['image_id']] for person in people], float)[:, ::-1]
    if len(people) < FEWEST_CORNERS or np.isnan(sides).any():
        return 0
    low, last = boxes[:, :2], boxes[:, 2:]
    could_be_corners = (last > low).all() and (last <= sides + SLACK).all()
    leaves = (low + last > sides + SLACK).any(1)
    return int(leaves.sum()) if could_be_corners and leaves.mean() > 0.5 else 0
