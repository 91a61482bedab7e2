"""Miniature copies of the official downloads: their files, folders and fields, with a handful of small images."""

import json
import shutil
import zipfile
from pathlib import Path

import cv2
import numpy as np

from .images import HEIGHT, PERSON, WIDTH, build_data, coco, config, person, without

CROWDPOSE_PERSON = dict(
    PERSON,
    supercategory='person',
    keypoints=[
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
        'head',
        'neck',
    ],
)
# OCHuman's keypoints, in its own order, at the places of COCO's 17; head (12) and neck (13) have none there
OCHUMAN_OF_COCO = [16, 18, 17, 15, 14, 3, 0, 4, 1, 5, 2, 9, 6, 10, 7, 11, 8]


def write_json(path: Path, data) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data))
    return path


def write_images(folder: Path, names) -> None:
    """Speckled images, no two alike."""
    folder.mkdir(parents=True)
    for number, name in enumerate(names):
        pixels = np.random.default_rng(number).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
        cv2.imwrite(str(folder / name), pixels)


def zipped(folder: Path, *archives) -> Path:
    """The downloads as archives: each (archive, folder inside it); the folders are gone then."""
    for archive, inside in archives:
        with zipfile.ZipFile(folder / archive, 'w', zipfile.ZIP_DEFLATED) as target:
            for path in sorted((folder / inside).rglob('*')):
                target.write(path, path.relative_to(folder).as_posix())
    for inside in {inside for _, inside in archives}:
        shutil.rmtree(folder / inside)
    return folder


def named(data: dict, pattern: str, first: int = 1) -> dict:
    """The file with images numbered from ``first`` and named by a pattern of their number."""
    for image in data['images']:
        image['id'] += first - 1
        image['file_name'] = pattern.format(image['id'])
    for annotation in data['annotations']:
        annotation['image_id'] += first - 1
    return data


def coco_downloads(folder: Path) -> Path:
    """COCO 2017 unpacked: 3 images of train (2 with people), 2 of val (1), 3 of test, 2 of them test-dev."""
    nobody = person(3, 2, keypoints=[0] * 51, num_keypoints=0)
    parts = dict(
        train=named(coco([person(1, 1), person(2, 2), nobody], images=3), '{:012d}.jpg', 1),
        val=named(coco([person(9, 1)], images=2), '{:012d}.jpg', 11),
    )
    for name, data in parts.items():
        write_json(folder / f'annotations/person_keypoints_{name}2017.json', data)
        write_json(
            folder / f'annotations/instances_{name}2017.json',
            dict(data, annotations=[without(a, 'keypoints', 'num_keypoints') for a in data['annotations']]),
        )
        write_images(folder / f'{name}2017', [image['file_name'] for image in data['images']])
    test = named(coco([], images=3), '{:012d}.jpg', 21)
    for name, images in (('test', test['images']), ('test-dev', test['images'][:2])):
        write_json(folder / f'annotations/image_info_{name}2017.json', dict(images=images, categories=[PERSON]))
    write_images(folder / 'test2017', [image['file_name'] for image in test['images']])
    return folder


def coco_archives(folder: Path) -> Path:
    """The same as published; the annotation archives hold a folder ``annotations`` each."""
    coco_downloads(folder)
    for archive, words in (('annotations_trainval2017.zip', 'trainval'), ('image_info_test2017.zip', 'test')):
        with zipfile.ZipFile(folder / archive, 'w') as target:
            for path in (folder / 'annotations').iterdir():
                if ('image_info' in path.name) == (words == 'test'):
                    target.write(path, f'annotations/{path.name}')
    shutil.rmtree(folder / 'annotations')
    return zipped(folder, *((f'{name}2017.zip', f'{name}2017') for name in ('train', 'val', 'test')))


def crowdpose_person(number: int, image: int) -> dict:
    """14 keypoints and, as in CrowdPose, neither area nor outline."""
    whole = person(number, image)
    return dict(without(whole, 'area', 'segmentation'), keypoints=whole['keypoints'][:42], num_keypoints=12)


def crowdpose_downloads(folder: Path) -> Path:
    """CrowdPose: 3 images of train, 2 of val and 2 of test with one person each, and ``images.zip``."""
    names, number, image = [], 100000, 100000
    for part, images in (('train', 3), ('val', 2), ('test', 2)):
        people = [crowdpose_person(number + i, i) for i in range(1, images + 1)]
        data = named(coco(people, images, [CROWDPOSE_PERSON]), '{}.jpg', image)
        for place, entry in enumerate(data['images']):
            entry['crowdIndex'] = place / 2
        names += [entry['file_name'] for entry in data['images']]
        number, image = number + 10, image + 10
        write_json(folder / f'crowdpose_{part}.json', data)
    write_images(folder / 'images', names)
    return zipped(folder, ('images.zip', 'images'))


def ochuman_person(annotation: dict, max_iou: float) -> dict:
    """A COCO person in OCHuman's own format, with the 2 keypoints that COCO lacks."""
    x, y, w, h = annotation['bbox']
    keypoints = [[0, 0, 0] for _ in range(19)]
    for place, start in zip(OCHUMAN_OF_COCO, range(0, 51, 3)):
        px, py, v = annotation['keypoints'][start : start + 3]
        keypoints[place] = [px, py, {0: 0, 1: 3, 2: 1}[v]]
    return dict(
        bbox=[x, y, x + w, y + h],
        max_iou=max_iou,
        keypoints=[n for keypoint in keypoints for n in keypoint],
        segms=dict(outer=annotation['segmentation'], inner=[]),
    )


def ochuman_json(parts: dict, overlaps) -> dict:
    """What ``ochuman.json`` holds of these COCO files; each image shows one more person, who has no keypoints."""
    overlaps, images = iter(overlaps), []
    for data in parts.values():
        for image in data['images']:
            people = [ochuman_person(a, next(overlaps)) for a in data['annotations'] if a['image_id'] == image['id']]
            people.append(dict(bbox=[0, 0, 5, 5], max_iou=0.1, keypoints=None, segms=None))
            images.append(
                dict(
                    image_id=image['id'],
                    file_name=image['file_name'],
                    width=image['width'],
                    height=image['height'],
                    annotations=people,
                )
            )
    return dict(images=images)


def ochuman_parts() -> dict:
    """The COCO-style files: 2 images of val with 3 people, 1 of test with 1; keypoint 0 is hidden, 1 is missing."""

    def somebody(number: int, image: int, box: tuple) -> dict:
        made = person(number, image, box, num_keypoints=16)
        made['keypoints'][2:6] = [1, 0, 0, 0]
        return made

    val = coco([somebody(1, 1, (2, 4, 20, 30)), somebody(2, 1, (30, 4, 20, 32)), somebody(3, 2, (10, 5, 16, 36))], 2)
    return dict(val=named(val, '{:06d}.jpg', 1), test=named(coco([somebody(1, 1, (3, 3, 32, 40))]), '{:06d}.jpg', 11))


def ochuman_downloads(folder: Path) -> Path:
    """OCHuman: ``ochuman.json``, the two COCO-style files and ``images.zip``; overlaps are .6, .8, .5 and .7."""
    parts = ochuman_parts()
    for name, data in parts.items():
        write_json(folder / f'ochuman_coco_format_{name}_range_0.00_1.00.json', data)
    write_json(folder / 'ochuman.json', ochuman_json(parts, [0.6, 0.8, 0.5, 0.7]))
    write_images(folder / 'images', [image['file_name'] for data in parts.values() for image in data['images']])
    return zipped(folder, ('images.zip', 'images'))


def files_of(folder: Path) -> list:
    """Every file and folder below, hidden ones too, by its path."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob('*'))


def items_of(name: str, folder: Path, loader: str) -> list:
    """The items, with their images and targets, that a config of ours gives for a prepared folder."""
    cfg = config(name)
    cfg[loader].dataset.data_root = str(folder)
    data = build_data(cfg, loader)
    return [data[i] for i in range(len(data))]
