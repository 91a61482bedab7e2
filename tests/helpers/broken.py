"""An annotation file with every defect that one file can have, each once, and its images."""

import json
import math
import shutil
from pathlib import Path

import cv2
import numpy as np

from cid_mmpose.data.doctor import Source, findings_of, open_cases

from .images import HEIGHT, WIDTH, coco, person, without

KEYPOINTS = [
    'nose',
    *(
        f'{side}_{keypoint}'
        for keypoint in ('eye', 'ear', 'shoulder', 'elbow', 'wrist', 'hip', 'knee', 'ankle')
        for side in ('left', 'right')
    ),
]
PERSON_ID = 3
SQUARE = [[2, 2, 12, 2, 12, 12, 2, 12]]  # a region of 10 x 10 pixels
RUNS = dict(size=[HEIGHT, WIDTH], counts=[0, 100, WIDTH * HEIGHT - 100])
SHORT_RUNS = dict(size=[HEIGHT, WIDTH], counts=[0, 100])

# finding -> (how many, of how many): 11 images, 26 annotations of people (3 of them crowds), 28 in all
EXPECTED = dict(
    several_categories=(1, 2),
    person_id=(1, 2),
    unknown_category=(1, 28),
    flip_pairs=(1, 17),
    duplicate_image_ids=(1, 11),
    duplicate_file_names=(1, 11),
    image_sides=(1, 11),
    image_missing=(1, 11),
    image_unreadable=(1, 11),
    image_size=(1, 11),
    same_image_twice=(1, 11),
    leak=(1, 11),
    crowd_index_missing=(1, 11),
    duplicate_annotation_ids=(1, 28),
    unknown_image=(1, 26),
    keypoints_missing=(1, 23),
    keypoints_count=(1, 23),
    keypoints_not_finite=(1, 23),
    visibility=(1, 23),
    keypoints_at_origin=(1, 19),
    keypoints_outside=(1, 19),
    box_missing=(1, 19),
    box_not_finite=(1, 19),
    box_no_size=(1, 19),
    box_outside=(1, 19),
    unlabelled_box=(1, 7),
    same_person_twice=(1, 19),
    region_broken=(1, 7),
    area_missing=(1, 26),
    area_invalid=(1, 19),
    num_keypoints=(1, 20),
    rle_regions=(1, 7),
    no_region=(1, 7),
)


def diagnosis(source: Source, **options) -> dict:
    """What the doctor finds in one file: name -> (how many, of how many)."""
    (case,) = open_cases([source], **options)
    return {finding.name: (len(found.entries), found.of) for finding, found in findings_of(case)}


def keypoint(number: int, place: int, *values) -> list:
    """The keypoints of ``someone`` with one of them changed."""
    keypoints = someone(number)['keypoints']
    keypoints[3 * place : 3 * place + 3] = values
    return keypoints


def someone(number: int, **changes) -> dict:
    """A person of their own place in image 1; then the changes."""
    return {**person(number, box=(10 + number / 2, 5, 20, 30), category_id=PERSON_ID), **changes}


def nobody(number: int, **changes) -> dict:
    """A person without labelled keypoints; then the changes."""
    return someone(number, **{**dict(keypoints=[0] * 51, num_keypoints=0), **changes})


def broken_people() -> list:
    """One annotation a defect; ids are those of ``test_doctor_fix``."""
    return [
        someone(1),
        someone(2, category_id=2),  # a dog
        someone(3, category_id=9),
        someone(4, id=1),  # the id of another
        someone(5, image_id=99),
        without(someone(6), 'keypoints'),
        someone(7, keypoints=[12, 10, 2] * 14),
        someone(8, keypoints=keypoint(8, 4, math.nan, 10, 2)),
        someone(9, keypoints=keypoint(9, 4, 16.5, 10, 5)),
        someone(10, keypoints=keypoint(10, 4, 0, 0, 2), num_keypoints=17),
        someone(11, keypoints=keypoint(11, 4, 100, 10, 2)),
        without(someone(12, segmentation=SQUARE), 'bbox'),
        someone(13, bbox=[12, math.nan, 20, 30], segmentation=[]),
        someone(
            14,
            bbox=[12, 5, 0, 30],
            segmentation=[],
            num_keypoints=1,
            keypoints=keypoint(14, 0, 0, 0, 0)[:3] + [20, 20, 2] + [0] * 45,
        ),
        someone(15, bbox=[50, 5, 20, 30]),
        without(nobody(16, iscrowd=1, segmentation=SQUARE), 'bbox'),
        someone(17),
        someone(18, keypoints=someone(17)['keypoints']),
        nobody(19, segmentation=[[1, 2, 3, 4]]),
        without(someone(20, segmentation=SQUARE), 'area'),
        someone(21, area=0, segmentation=[]),
        someone(22, num_keypoints=3),
        nobody(23, iscrowd=1, segmentation=RUNS),
        nobody(24, segmentation=[]),
        nobody(25, iscrowd=1, segmentation=SQUARE),
        someone(26, image_id=2),
        someone(27, image_id=6),
        someone(28, image_id=8),
    ]


def broken_data() -> dict:
    """The file: 11 entries of images, one defect each from the third on; see ``write_broken`` for their files."""
    categories = [
        dict(id=PERSON_ID, name='person', keypoints=[*KEYPOINTS[:4], 'rihgt_ear', *KEYPOINTS[5:]]),
        dict(id=2, name='dog'),
    ]
    data = coco(broken_people(), images=10, categories=categories)
    images = data['images']
    for image in images[1:]:
        image['crowdIndex'] = 0.5
    images.insert(2, dict(images[1], file_name='again.png'))
    images[4]['file_name'] = '3.png'  # image 4
    images[5]['width'] = 0
    return data


def write_broken(folder: Path) -> Path:
    """Writes ``people.json`` and ``images/``: 6.png is missing, 7.png cut off, 8.png smaller, 9.png a copy of 1.png;
    ``others/val.png`` is a copy of 10.png."""
    images, others = folder / 'images', folder / 'others'
    images.mkdir()
    others.mkdir()
    for number, name in enumerate(['1', '2', 'again', '3', '5', '7', '8', '10']):
        sides = (HEIGHT, WIDTH) if name != '8' else (HEIGHT, WIDTH - 4)
        pixels = np.random.default_rng(number).integers(0, 256, (*sides, 3), np.uint8)
        cv2.imwrite(str(images / f'{name}.png'), pixels)
    whole = (images / '7.png').read_bytes()
    (images / '7.png').write_bytes(whole[: len(whole) // 2])
    shutil.copy(images / '1.png', images / '9.png')
    shutil.copy(images / '10.png', others / 'val.png')
    path = folder / 'people.json'
    path.write_text(json.dumps(broken_data()))
    return path
