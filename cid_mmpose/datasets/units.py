"""Whether the numbers of a file are pixels, as COCO has them, or something else that only the whole file gives away.

A person alone may lie anywhere; but where everybody's joints lie within one pixel, they are shares of the picture. Such
a file trains nobody, or people of the wrong size, and its evaluation gives 0, all without an error.
"""
from typing import Dict, List, Sequence

import numpy as np

from cid_mmpose.errors import BadInput

from .problems import is_crowd, labelled_joints, sides_of

ONE = 1.001  # pixels; shares of a picture are rounded
SLACK = 1.0  # pixels by which a box may leave its picture: annotations are rounded
FEW_JOINTS = 2  # so many labelled joints may lie within a pixel in a whole file of them
FEWEST_CORNERS = 3  # people; of fewer boxes nobody can tell
SHARES = 'look like shares of the sides of the picture; give pixels'


def check_units(people: Sequence[dict], images: Sequence[dict], path: str) -> None:
    """BadInput if boxes or joints are plainly not in pixels.

    Args:
        people: annotations without problems (``problems.py``).
        images: of the file.
        path: of the file, for the message.
    """
    labelled = [annotation for annotation in people if not is_crowd(annotation) and labelled_joints(annotation)]
    text = problem_of_units(labelled, {image['id']: sides_of(image) for image in images})
    if text:
        raise BadInput(f'{path}: {text}')


def problem_of_units(people: Sequence[dict], shapes: Dict[int, Sequence[float]]) -> str:
    """What the boxes or joints of a file are instead of pixels, as "field 'x' ..."; '' if they may be pixels.

    Args:
        people: with labelled joints and boxes that have a size.
        shapes: id of a picture -> (H, W) in pixels; NaN if unknown.
    """
    if not people:
        return ''
    if _all_within_one([person['bbox'] for person in people]):
        return f"field 'bbox' of all {len(people)} labelled people lies between 0 and 1: they {SHARES}"
    of_many = [labelled for labelled in map(_labelled_xy, people) if len(labelled) > FEW_JOINTS]
    if of_many and _all_within_one([xy for labelled in of_many for xy in labelled]):
        return f"field 'keypoints' of all {len(people)} labelled people lies between 0 and 1: they {SHARES}"
    leaving = _corners_for_sides(people, shapes)
    if leaving:
        return (f"field 'bbox' of {leaving} of {len(people)} labelled people leaves the picture: they look like the "
                'corners x1, y1, x2, y2; give x, y, width, height')
    return ''


def _labelled_xy(person: dict) -> List[Sequence[float]]:
    values = np.reshape(person['keypoints'], (-1, 3))
    return values[values[:, 2] > 0, :2].tolist()


def _all_within_one(rows: Sequence[Sequence[float]]) -> bool:
    values = np.array(rows, float)
    return bool((values >= 0).all() and (values <= ONE).all())


def _corners_for_sides(people: Sequence[dict], shapes: Dict[int, Sequence[float]]) -> int:
    """How many boxes leave their picture, if most do and all would lie in it as x1, y1, x2, y2; else 0."""
    boxes = np.array([person['bbox'] for person in people], float)
    sides = np.array([shapes[person['image_id']] for person in people], float)[:, ::-1]
    if len(people) < FEWEST_CORNERS or np.isnan(sides).any():
        return 0
    low, last = boxes[:, :2], boxes[:, 2:]
    could_be_corners = (last > low).all() and (last <= sides + SLACK).all()
    leaves = (low + last > sides + SLACK).any(1)
    return int(leaves.sum()) if could_be_corners and leaves.mean() > 0.5 else 0
