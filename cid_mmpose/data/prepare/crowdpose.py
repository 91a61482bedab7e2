"""CrowdPose as the configs read it: ``annotations/mmpose_crowdpose_{train,val,trainval,test}.json`` and ``images/``."""

import json
from pathlib import Path

from cid_mmpose.data.values import as_json, is_coordinate
from cid_mmpose.errors import BadInput

from .annotations import Annotations, check_count, check_disjoint, check_images, count, read_people, words
from .downloads import downloads_folder, find_file, find_images
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
            in archives, and with images.zip or the folder ``images``. out: where to.
        images: 'link' or 'copy' a folder that is unpacked already; an archive is extracted.
        allow_partial: take a subset of what is published.

    Raises:
        BadInput: as ``prepare_coco``; or an image has no ``crowdIndex``, or is in two parts.
    """
    out = out_folder(out)
    with disk_errors(out):
        downloads = downloads_folder(downloads)
        parts = {name: _read(downloads, name) for name in COUNTS}
        about = {
            name: check_count(count(part.data), COUNTS[name], part.source, allow_partial)
            for name, part in parts.items()
        }
        check_disjoint(parts, ('id', 'file_name'))
        found = find_images(downloads, 'images')
        check_count({'images': len(found.sizes)}, {'images': IMAGES}, found.path, allow_partial)
        for part in parts.values():
            check_images(part, found)
        files = [
            NewFile(_ann_file(out, name), part.content, about[name], f'from {part.source}')
            for name, part in parts.items()
        ]
        place(out, [NewFolder(out / 'images', found, images), *files, _trainval(out, parts)])


def _ann_file(out: Path, name: str) -> Path:
    return out / 'annotations' / f'mmpose_crowdpose_{name}.json'


def _read(downloads: Path, name: str) -> Annotations:
    """One part, with a crowd index for each image (the published ones go from 0 to above 1)."""
    part = read_people(find_file(downloads, [f'crowdpose_{name}.json', f'mmpose_crowdpose_{name}.json']), NUM_KEYPOINTS)
    for image in part.data['images']:
        index = image.get('crowdIndex')
        if not is_coordinate(index) or index < 0:
            given = f'is {as_json(index)}, not a number from 0' if 'crowdIndex' in image else 'is missing'
            raise BadInput(
                f"{part.source}: image {image['id']}: field 'crowdIndex' {given}; AP(E), AP(M) and AP(H) "
                "are made from it, so take CrowdPose's own file"
            )
    return part


def _trainval(out: Path, parts: dict[str, Annotations]) -> NewFile:
    data, renumbered = merge(parts['train'].data, parts['val'].data)
    note = f', {renumbered} ids of val renumbered' if renumbered else ''
    return NewFile(
        _ann_file(out, 'trainval'),
        json.dumps(data, separators=(',', ':')).encode(),
        words(count(data)),
        f'merged from train and val{note}',
    )


def merge(train: dict, val: dict) -> tuple[dict, int]:
    """Two annotation files as one, and how many people of the second got a new id because the first has theirs.

    Args:
        train, val: with images of different ids; every field is kept, and of other lists those of ``train``.

    Raises:
        BadInput: their categories differ in id or keypoints.
    """
    one, other = ([(c['id'], c.get('keypoints')) for c in data['categories']] for data in (train, val))
    if one != other:
        raise BadInput("train and val: field 'categories' differs; take both files from one download")
    taken = {annotation['id'] for annotation in train['annotations']}
    new_id = max(taken.union(annotation['id'] for annotation in val['annotations']), default=0)
    people, renumbered = [], 0
    for annotation in val['annotations']:
        if annotation['id'] in taken:
            renumbered += 1
            annotation = dict(annotation, id=new_id + renumbered)
        people.append(annotation)
    merged = dict(train, images=train['images'] + val['images'], annotations=train['annotations'] + people)
    return merged, renumbered
