"""Annotations as COCO's evaluation needs them: the people alone, with the fields that it reads and no others."""

import logging
from collections.abc import Sequence

from mmengine.logging import print_log
from xtcocotools.coco import COCO

from cid_mmpose.data.annotations import check_keypoints, people_categories
from cid_mmpose.data.problems import (
    NO_IMAGE,
    check_entries,
    is_crowd,
    of_people,
    problem_of_area,
    problem_of_box,
    problem_of_keypoints,
    problems_of,
    say_problems,
    sides_of,
)
from cid_mmpose.data.units import check_units
from cid_mmpose.data.values import is_coordinate
from cid_mmpose.errors import BadInput

# keypoints left out of 'num_keypoints' in CrowdPose's files, which hold the count of the 12 others for everybody
HEAD = ('top_head', 'head', 'neck')


def prepare(coco: COCO, path: str, names: Sequence[str], *, use_area: bool, crowd: bool) -> int:
    """Makes a read annotation file fit for evaluation, in place.

    What remains are the fields that the evaluation reads: hotcoco refuses files for what some tools write into others.
    The people of other categories go, because the evaluation would give each category an AP and return the mean.

    Args:
        coco: the file as read.
        path: its name, for messages.
        names: (K,) keypoints of the configuration, in order.
        use_area: whether the evaluation reads 'area'.
        crowd: whether it is CrowdPose's, by 'crowdIndex'.

    Returns:
        The category id that its people then have.

    Raises:
        BadInput: nobody is annotated, the file cannot be trusted (``check_entries``), the keypoints are those of
            another data set, or 'area' or 'crowdIndex' is missing.
    """
    data = coco.dataset
    if 'annotations' not in data:
        raise BadInput(
            f"{path}: field 'annotations' is missing, so there is nothing to compare with; set ann_file of "
            'the data set to an annotated file, or submission of the metric to write results for a server'
        )
    check_entries(data, path)
    categories = people_categories(data['categories'], path)
    check_keypoints(data, path, categories, names)
    if crowd:
        check_crowd_index(data['images'], path)

    people = of_people(data, categories)
    problems = problems_of(dict(data, annotations=people), len(names))
    if problems:
        print_log(f'{say_problems(problems, len(people), path)}; not asked for', 'current', logging.WARNING)
    usable = [annotation for annotation in people if annotation['id'] not in problems]
    check_units(usable, data['images'], path)
    if use_area:
        check_areas(usable, data['images'], path)

    category = categories[0]  # of all: there is one figure for everybody
    made = []
    for annotation in people:
        problem = problems.get(annotation['id'])
        if problem != NO_IMAGE:
            row = evaluated(annotation, names, asked_for=problem is None, crowd=crowd)
            made.append(dict(row, category_id=category))
    check_anybody(made, path)

    coco.dataset = dict(
        images=[_image(image) for image in data['images']],
        annotations=numbered(made),
        categories=[dict(id=category, name='person')],
    )
    coco.createIndex()
    return category


def evaluated(annotation: dict, names: Sequence[str], *, asked_for: bool, crowd: bool) -> dict:
    """An annotation with what the evaluation reads, no more and no less.

    Args:
        annotation: of a person or a crowd.
        names: (K,) keypoints, in order.
        asked_for: False for one with a problem: a person there need not be found, and may be.
        crowd: whether the evaluation is CrowdPose's. It does not ask for people whose 'num_keypoints' is 0, among them
            those with nothing but head and neck labelled; COCO's counts the labelled keypoints by itself.
    """
    keypoints = [0] * 3 * len(names)
    if asked_for and not problem_of_keypoints(annotation, len(names)):
        keypoints = list(annotation['keypoints'])
        keypoints[2::3] = [round_visibility(value) for value in keypoints[2::3]]

    box = [0, 0, 0, 0]
    if not problem_of_box(annotation):
        box = list(annotation['bbox'])

    area = annotation.get('area', 0)
    if not is_coordinate(area) or area <= 0:
        area = 0

    return dict(
        id=annotation['id'],
        image_id=int(annotation['image_id']),
        iscrowd=int(asked_for and is_crowd(annotation)),
        bbox=box,
        area=area,
        keypoints=keypoints,
        num_keypoints=count_labelled(keypoints, names, crowd=crowd),
    )


def count_labelled(keypoints: Sequence[float], names: Sequence[str], *, crowd: bool) -> int:
    """Number of labelled keypoints as the evaluation counts them.

    Args:
        keypoints: x, y and visibility of each, one after the other.
        names: (K,) keypoints, in order.
        crowd: whether the evaluation is CrowdPose's, which leaves out head and neck.
    """
    count = 0
    for name, visibility in zip(names, keypoints[2::3]):
        left_out = crowd and name in HEAD
        if visibility > 0 and not left_out:
            count += 1
    return count


def round_visibility(value: float) -> int:
    """0, 1 or 2 for any visibility: above 0 is labelled, as everywhere here."""
    if value in (1, 2):
        return int(value)
    if value > 0:
        return 2
    return 0


def numbered(annotations: list[dict]) -> list[dict]:
    """The annotations, with ids of their own where one is negative: the evaluation takes -1 for 'matches nobody'."""
    if all(annotation['id'] >= 0 for annotation in annotations):
        return annotations
    return [dict(annotation, id=number) for number, annotation in enumerate(annotations, 1)]


def _image(image: dict) -> dict:
    """The fields of an image that the evaluation reads."""
    made = dict(id=image['id'], file_name=image['file_name'], width=int(image['width']), height=int(image['height']))
    if is_coordinate(image.get('crowdIndex')):
        made.update(crowdIndex=image['crowdIndex'])
    return made


def check_anybody(annotations: list[dict], path: str) -> None:
    """BadInput if there is no person to compare with.

    Args:
        annotations: of ``evaluated``.
        path: for the message.
    """
    for annotation in annotations:
        if annotation['num_keypoints'] and not annotation['iscrowd']:
            return
    raise BadInput(
        f'{path}: holds nobody to compare with, that is no person with labelled keypoints who is not a '
        'crowd; set ann_file of the data set to another file'
    )


def check_areas(annotations: list[dict], images: list[dict], path: str) -> None:
    """BadInput if an area is missing, or nobody could match by it, or everybody.

    Args:
        annotations: of people and crowds, without problems.
        images: of the file.
        path: for the message.
    """
    shapes = {image['id']: sides_of(image) for image in images}
    for annotation in annotations:
        problem = problem_of_area(annotation, shapes[annotation['image_id']])
        if problem:
            raise BadInput(
                f'{path}: annotation {annotation["id"]}: {problem}; mend the file, or set use_area=False of '
                'the metric to estimate it from the box'
            )


def check_crowd_index(images: list[dict], path: str) -> None:
    """BadInput if an image has no crowd index, by which CrowdPose tells easy, medium and hard ones apart."""
    without = [image['id'] for image in images if not is_coordinate(image.get('crowdIndex'))]
    if without:
        raise BadInput(
            f"{path}: field 'crowdIndex' is missing from {len(without)} of {len(images)} images, first from "
            f'image {without[0]}; AP(E), AP(M) and AP(H) need it: use the official CrowdPose file, or set '
            "iou_type='keypoints' of the metric to do without them"
        )
