"""CrowdPose as the configs read it: ``annotations/mmpose_crowdpose_{train,val,trainval,test}.json`` and ``images/``."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from cid_mmpose.data.values import as_json, is_coordinate
from cid_mmpose.errors import BadInput

from .annotations import Annotations, check_count, check_disjoint, check_images, count, read_people, words
from .downloads import Images, downloads_folder, find_file, find_images
from .placing import NewFile, NewFolder, disk_errors, out_folder, place

NUM_KEYPOINTS = 14
IMAGES = 20000
# images: Li et al., CVPR 2019; persons of val: counted in the published file
COUNTS = {'train': {'images': 10000}, 'val': {'images': 2000, 'persons': 8527}, 'test': {'images': 8000}}


def prepare_crowdpose(
    downloads: str | Path, out: str | Path = 'data/crowdpose', *, images: str = 'link', allow_partial: bool = False
) -> None:
    """Makes the folder of CrowdPose from what is published; prints a line for each file and folder.

    The published annotation files are taken as they are; train and val together become trainval. People have no
    ``area`` there: evaluation takes it from the box (``use_area=False``).

    Args:
        downloads: folder with crowdpose_{train,val,test}.json (or MMPose's mmpose_crowdpose_*.json), on their own or
            in archives, and with images.zip or the folder ``images``.
        out: where to.
        images: 'link' or 'copy' a folder that is unpacked already; an archive is extracted.
        allow_partial: take a subset of what is published.

    Raises:
        BadInput: as ``prepare_coco``; or an image has no ``crowdIndex``, or is in two parts.
    """
    out = out_folder(out)
    with disk_errors(out):
        downloads = downloads_folder(downloads)
        parts = {name: _read(downloads, name) for name in COUNTS}

        files = []
        for name, part in parts.items():
            about = check_count(count(part.data), COUNTS[name], part.source, allow_partial)
            target = _ann_file(out, name)
            files.append(NewFile(target, part.content, about, f'from {part.source}'))
        check_disjoint(parts, ('id', 'file_name'))
        found = _find_images(downloads, parts.values(), allow_partial)

        trainval = _trainval(out, parts)
        place(out, [NewFolder(out / 'images', found, images)] + files + [trainval])


def _find_images(downloads: Path, parts: Iterable[Annotations], allow_partial: bool) -> Images:
    """The images, as many as published; all that the parts list are there."""
    found = find_images(downloads, 'images')
    files = {'images': len(found.sizes)}
    check_count(files, {'images': IMAGES}, found.path, allow_partial)
    for part in parts:
        check_images(part, found)
    return found


def _ann_file(out: Path, name: str) -> Path:
    return out / 'annotations' / f'mmpose_crowdpose_{name}.json'


def _read(downloads: Path, name: str) -> Annotations:
    """One part, with a crowd index for each image (the published ones go from 0 to above 1)."""
    file = find_file(downloads, [f'crowdpose_{name}.json', f'mmpose_crowdpose_{name}.json'])
    part = read_people(file, NUM_KEYPOINTS)
    for image in part.data['images']:
        problem = _problem_of_crowd_index(image)
        if problem:
            raise BadInput(
                f"{part.source}: image {image['id']}: field 'crowdIndex' {problem}; AP(E), AP(M) and AP(H) "
                "are made from it, so take CrowdPose's own file"
            )
    return part


def _problem_of_crowd_index(image: dict) -> str:
    """What is wrong with the crowd index of an image; '' if nothing is."""
    if 'crowdIndex' not in image:
        return 'is missing'
    index = image['crowdIndex']
    if not is_coordinate(index) or index < 0:
        return f'is {as_json(index)}, not a number from 0'
    return ''


def _trainval(out: Path, parts: dict[str, Annotations]) -> NewFile:
    """The annotation file of train and val together."""
    data, renumbered = merge(parts['train'].data, parts['val'].data)
    text = json.dumps(data, separators=(',', ':'))
    origin = 'merged from train and val'
    if renumbered:
        origin += f', {renumbered} ids of val renumbered'
    return NewFile(_ann_file(out, 'trainval'), text.encode(), words(count(data)), origin)


class Merged(NamedTuple):
    """Two annotation files as one."""

    data: dict
    renumbered: int  # people of the second with a new id


def merge(train: dict, val: dict) -> Merged:
    """Two annotation files as one, where people of the second get a new id if the first has theirs.

    Args:
        train: an annotation file; every field is kept.
        val: one of other images; of its lists only images and people are taken.

    Returns:
        The merged file, and how many people have a new id.

    Raises:
        BadInput: their categories differ in id or keypoints.
    """
    if _keypoints_by_category(train) != _keypoints_by_category(val):
        raise BadInput("train and val: field 'categories' differs; take both files from one download")

    ids_of_train = {annotation['id'] for annotation in train['annotations']}
    ids_of_val = {annotation['id'] for annotation in val['annotations']}
    largest = max(ids_of_train | ids_of_val, default=0)

    people = []
    renumbered = 0
    for annotation in val['annotations']:
        if annotation['id'] in ids_of_train:
            renumbered += 1
            annotation = dict(annotation, id=largest + renumbered)
        people.append(annotation)

    data = dict(train, images=train['images'] + val['images'], annotations=train['annotations'] + people)
    return Merged(data, renumbered)


def _keypoints_by_category(data: dict) -> list[tuple]:
    """Id and keypoint names of each category; names that a category lacks are None."""
    return [(category['id'], category.get('keypoints')) for category in data['categories']]
