"""OCHuman's own annotation file, ``ochuman.json``, and its people in COCO's format.

``images`` is a list of images with ``file_name``, ``width``, ``height`` and ``annotations``, a list of people with
``bbox`` (x1, y1, x2, y2 in pixels), ``max_iou`` (with another person's box, 0 to 1), ``keypoints`` (x, y, v of 19
keypoints, or null) and ``segms`` (outlines, or null). v is 0 for missing, 1 for visible, 2 for hidden by the person's
own body, 3 for hidden by another one's. Source: the README of OCHumanApi. Whatever is laid out otherwise is an error.
"""

import json
import re
from typing import Any

import numpy as np

from cid_mmpose.errors import BadInput

from .annotations import read_text
from .downloads import Download

KEYPOINTS = (
    'right_shoulder',
    'right_elbow',
    'right_wrist',
    'left_shoulder',
    'left_elbow',
    'left_wrist',
    'right_hip',
    'right_knee',
    'right_ankle',
    'left_hip',
    'left_knee',
    'left_ankle',
    'head',
    'neck',
    'right_ear',
    'left_ear',
    'nose',
    'right_eye',
    'left_eye',
)
COCO_KEYPOINTS = (
    'nose',
    'left_eye',
    'right_eye',
    'left_ear',
    'right_ear',
    'left_shoulder',
    'right_shoulder',
    'left_elbow',
    'right_elbow',
    'left_wrist',
    'right_wrist',
    'left_hip',
    'right_hip',
    'left_knee',
    'right_knee',
    'left_ankle',
    'right_ankle',
)
ORDER = [KEYPOINTS.index(name) for name in COCO_KEYPOINTS]
VISIBILITY = (0, 2, 1, 1)  # OCHuman's 0, 1, 2, 3 -> COCO's: 0 not labelled, 1 hidden, 2 visible
PERSON = dict(id=1, name='person', supercategory='person', keypoints=list(COCO_KEYPOINTS))
IMAGE_FIELDS = ('file_name', 'width', 'height', 'annotations')
PERSON_FIELDS = ('bbox', 'max_iou', 'keypoints', 'segms')
PIXEL = 1.0  # how far numbers of the two formats may be apart, which round and count border pixels in their own ways


def read_ochuman(file: Download) -> dict:
    """Reads ``ochuman.json``; BadInput if it is not laid out as the module says."""
    try:
        data = json.loads(read_text(file))
    except json.JSONDecodeError as error:
        raise BadInput(f'{file}: not valid JSON ({error}); the file may be cut off, download it again') from None
    if not isinstance(data, dict) or not isinstance(data.get('images'), list):
        raise _otherwise(file, "has no list 'images'")

    names = data.get('keypoint_names')
    if names is not None and list(map(_plain, names)) != list(map(_plain, KEYPOINTS)):
        raise _otherwise(file, f"has other 'keypoint_names': {names}")
    for image in data['images']:
        _check_image(image, file)
    return data


def _otherwise(file: Download, text: str) -> BadInput:
    """The error that a file is laid out otherwise than the module says."""
    return BadInput(f'{file}: {text}; it is not laid out as docs/data.md says of ochuman.json')


def _plain(name: Any) -> str:
    """'right_shoulder', 'Right Shoulder' and 'r_shoulder' are one name."""
    letters = re.sub('[^a-z]', '', str(name).lower())
    return letters.replace('right', 'r').replace('left', 'l')


def _check_image(image: Any, file: Download) -> None:
    """BadInput if an image or one of its people is laid out otherwise."""
    _check_fields(image, IMAGE_FIELDS, file, 'an image')
    for person in image['annotations'] or ():
        who = f'a person of {image["file_name"]}'
        _check_fields(person, PERSON_FIELDS, file, who)
        problem = _problem_of(person)
        if problem:
            raise _otherwise(file, f'{who} has {problem}')


def _check_fields(entry: Any, fields: tuple[str, ...], file: Download, what: str) -> None:
    """BadInput if an entry is no object with these fields."""
    for field in fields:
        if not isinstance(entry, dict) or field not in entry:
            raise _otherwise(file, f'{what} has no field {field!r}')


def _problem_of(person: dict) -> str:
    """What is wrong with a person that is to be converted; '' if nothing is."""
    if not is_complete(person):
        return ''

    keypoints = person['keypoints']
    if not _are_numbers(keypoints, 3 * len(KEYPOINTS)) or not set(keypoints[2::3]) <= {0, 1, 2, 3}:
        return f"'keypoints' that are not x, y and v (0 to 3) of {len(KEYPOINTS)} keypoints"

    box = person['bbox']
    if not _are_numbers(box, 4) or box[2] <= box[0] or box[3] <= box[1]:
        return f"a 'bbox' that is not x1, y1, x2, y2: {box}"

    overlap = person['max_iou']
    if not _are_numbers([overlap], 1) or not 0 <= overlap <= 1:
        return f"a 'max_iou' that is not from 0 to 1: {overlap}"
    return ''


def _are_numbers(values: Any, length: int) -> bool:
    """Whether this is a list of so many numbers."""
    if not isinstance(values, list) or len(values) != length:
        return False
    return all(isinstance(value, (int, float)) for value in values)


def is_complete(person: dict) -> bool:
    """Whether a person has keypoints, outlines and a box; the published COCO files hold only such people."""
    return bool(person['keypoints'] and person['segms'] and person['bbox'])


def convert(data: dict, max_iou: tuple[float, float], file_names: set[str] | None = None) -> dict:
    """People of ``ochuman.json`` as a COCO annotation file.

    Images without such a person are left out. ``area`` is that of the box, as in the published COCO files. Outlines
    stay behind: keypoints are neither trained nor evaluated with them.

    Args:
        data: of ``read_ochuman``.
        max_iou: range of the overlap, without its upper end unless that is 1.
        file_names: the images to take; all by default.
    """
    images = []
    people = []
    for image in data['images']:
        if file_names is not None and image['file_name'] not in file_names:
            continue
        chosen = _chosen(image, max_iou)
        if not chosen:
            continue

        image_id = len(images) + 1
        images.append(dict(id=image_id, file_name=image['file_name'], width=image['width'], height=image['height']))
        for person in chosen:
            annotation = dict(_to_coco(person), id=len(people) + 1, image_id=image_id)
            people.append(annotation)
    return dict(images=images, annotations=people, categories=[PERSON])


def _chosen(image: dict, max_iou: tuple[float, float]) -> list[dict]:
    """The complete people of an image in a range of overlap."""
    low, high = max_iou
    people = []
    for person in image['annotations'] or ():
        if not is_complete(person):
            continue
        overlap = person['max_iou']
        is_below = overlap < high or high == 1
        if low <= overlap and is_below:
            people.append(person)
    return people


def _to_coco(person: dict) -> dict:
    """An annotation of COCO, without ids of its own and of its image."""
    keypoints = []
    labelled = 0
    for place in ORDER:
        x, y, v = person['keypoints'][3 * place : 3 * place + 3]
        if v:
            keypoints += [x, y, VISIBILITY[int(v)]]
            labelled += 1
        else:
            keypoints += [0, 0, 0]

    x1, y1, x2, y2 = person['bbox']
    width = x2 - x1
    height = y2 - y1
    return dict(
        category_id=1,
        iscrowd=0,
        bbox=[x1, y1, width, height],
        area=width * height,
        keypoints=keypoints,
        num_keypoints=labelled,
    )


def first_difference(converted: dict, ready: dict) -> str:
    """The first image of a published COCO file whose people are not those that were converted; '' if all agree.

    Args:
        converted: a COCO annotation file.
        ready: another one; its keypoints and boxes may be ``PIXEL`` apart.
    """
    ours = _people_by_image(converted)
    theirs = _people_by_image(ready)
    for name in sorted(ours.keys() | theirs.keys()):
        one = ours.get(name, [])
        other = theirs.get(name, [])
        if len(one) != len(other) or not np.allclose(one, other, rtol=0, atol=PIXEL):
            return name
    return ''


def _people_by_image(data: dict) -> dict[str, list[list]]:
    """File name -> its people as ``_comparable``, sorted."""
    names = {image['id']: image['file_name'] for image in data['images']}
    people: dict[str, list[list]] = {name: [] for name in names.values()}
    for annotation in data['annotations']:
        name = names[annotation['image_id']]
        people[name].append(_comparable(annotation))
    return {name: sorted(rows) for name, rows in people.items()}


def _comparable(annotation: dict) -> list:
    """Keypoints, then box; v counts tenfold, so that ``PIXEL`` does not hide it."""
    keypoints = annotation['keypoints']
    row = []
    for x, y, v in zip(keypoints[::3], keypoints[1::3], keypoints[2::3]):
        row += [x, y, 10 * v] if v else [0, 0, 0]
    return row + list(annotation['bbox'])
