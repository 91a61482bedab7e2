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
    if names is not None and [_plain(name) for name in names] != [_plain(name) for name in KEYPOINTS]:
        raise _otherwise(file, f"has other 'keypoint_names': {names}")
    for image in data['images']:
        _check_fields(image, IMAGE_FIELDS, file, 'an image')
        for person in image['annotations'] or ():
            _check_fields(person, PERSON_FIELDS, file, f'a person of {image["file_name"]}')
            if problem := _problem_of(person):
                raise _otherwise(file, f'a person of {image["file_name"]} has {problem}')
    return data


def _otherwise(file: Download, text: str) -> BadInput:
    return BadInput(f'{file}: {text}; it is not laid out as docs/data.md says of ochuman.json')


def _plain(name: Any) -> str:
    """'right_shoulder', 'Right Shoulder' and 'r_shoulder' are one name."""
    return re.sub('[^a-z]', '', str(name).lower()).replace('right', 'r').replace('left', 'l')


def _check_fields(entry: Any, fields: tuple[str, ...], file: Download, what: str) -> None:
    if missing := [field for field in fields if not isinstance(entry, dict) or field not in entry]:
        raise _otherwise(file, f'{what} has no field {missing[0]!r}')


def _problem_of(person: dict) -> str:
    """What is wrong with a person that is to be converted; '' if nothing is."""
    if not is_complete(person):
        return ''
    keypoints, box, overlap = person['keypoints'], person['bbox'], person['max_iou']
    if not _are_numbers(keypoints, 3 * len(KEYPOINTS)) or not set(keypoints[2::3]) <= {0, 1, 2, 3}:
        return f"'keypoints' that are not x, y and v (0 to 3) of {len(KEYPOINTS)} keypoints"
    if not _are_numbers(box, 4) or box[2] <= box[0] or box[3] <= box[1]:
        return f"a 'bbox' that is not x1, y1, x2, y2: {box}"
    return '' if _are_numbers([overlap], 1) and 0 <= overlap <= 1 else f"a 'max_iou' that is not from 0 to 1: {overlap}"


def _are_numbers(values: Any, length: int) -> bool:
    return isinstance(values, list) and len(values) == length and all(isinstance(v, (int, float)) for v in values)


def is_complete(person: dict) -> bool:
    """Whether a person has keypoints, outlines and a box; the published COCO files hold only such people."""
    return bool(person['keypoints'] and person['segms'] and person['bbox'])


def convert(data: dict, max_iou: tuple[float, float], file_names: set[str] | None = None) -> dict:
    """People of ``ochuman.json`` as a COCO annotation file.

    Images without such a person are left out. ``area`` is that of the box, as in the published COCO files. Outlines
    stay behind: keypoints are neither trained nor evaluated with them.

    Args:
        data: of ``read_ochuman``. max_iou: range of the overlap, without its upper end unless that is 1.
        file_names: the images to take; all by default.
    """
    low, high = max_iou
    images, people = [], []
    for image in data['images']:
        chosen = [
            person
            for person in image['annotations'] or ()
            if is_complete(person) and low <= person['max_iou'] and (person['max_iou'] < high or high == 1)
        ]
        if not chosen or (file_names is not None and image['file_name'] not in file_names):
            continue
        number = len(images) + 1
        images.append(dict(id=number, **{field: image[field] for field in IMAGE_FIELDS[:3]}))
        people += [dict(_to_coco(person), id=len(people) + i, image_id=number) for i, person in enumerate(chosen, 1)]
    return dict(images=images, annotations=people, categories=[PERSON])


def _to_coco(person: dict) -> dict:
    x1, y1, x2, y2 = person['bbox']
    keypoints = [person['keypoints'][3 * keypoint : 3 * keypoint + 3] for keypoint in ORDER]
    triples = [(x, y, VISIBILITY[int(v)]) if v else (0, 0, 0) for x, y, v in keypoints]
    return dict(
        category_id=1,
        iscrowd=0,
        bbox=[x1, y1, x2 - x1, y2 - y1],
        area=(x2 - x1) * (y2 - y1),
        keypoints=[number for triple in triples for number in triple],
        num_keypoints=sum(v > 0 for _, _, v in triples),
    )


def first_difference(converted: dict, ready: dict) -> str:
    """The first image of a published COCO file whose people are not those that were converted; '' if all agree.

    Args: converted, ready: COCO annotation files; keypoints and boxes may be ``PIXEL`` apart.
    """
    ours, theirs = _people_by_image(converted), _people_by_image(ready)
    for name in sorted(ours.keys() | theirs.keys()):
        one, other = ours.get(name, []), theirs.get(name, [])
        if len(one) != len(other) or not np.allclose(one, other, rtol=0, atol=PIXEL):
            return name
    return ''


def _people_by_image(data: dict) -> dict[str, list[list]]:
    """File name -> its people, sorted: keypoints, then box; v counts tenfold, so that ``PIXEL`` does not hide it."""
    names = {image['id']: image['file_name'] for image in data['images']}
    people: dict[str, list[list]] = {name: [] for name in names.values()}
    for annotation in data['annotations']:
        keypoints = annotation['keypoints']
        triples = zip(keypoints[::3], keypoints[1::3], keypoints[2::3])
        row = [number for x, y, v in triples for number in ((x, y, 10 * v) if v else (0, 0, 0))]
        people[names[annotation['image_id']]].append(row + list(annotation['bbox']))
    return {name: sorted(rows) for name, rows in people.items()}
