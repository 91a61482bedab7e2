"""COCO 2017 as the configs read it: ``annotations/``, ``train2017/``, ``val2017/`` and ``test2017/``."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from cid_mmpose.errors import BadInput

from .annotations import check_count, check_images, count, read_people
from .downloads import downloads_folder, find_file, find_images
from .placing import NewFile, NewFolder, disk_errors, out_folder, place


class Part(NamedTuple):
    """What is published of a part of COCO 2017."""

    ann_file: str
    archive: str  # that holds the annotation file
    images: str  # folder; with .zip, the archive of it
    num_keypoints: int  # 0: without people
    files: int  # images in the folder
    counts: dict[str, int]  # in the annotation file


# counts as COCO's own tools give them for the published files
PARTS = {
    'train': Part(
        ann_file='person_keypoints_train2017.json',
        archive='annotations_trainval2017.zip',
        images='train2017',
        num_keypoints=17,
        files=118287,
        counts={'images': 118287, 'persons': 262465, 'persons with keypoints': 149813, 'images showing them': 56599},
    ),
    'val': Part(
        ann_file='person_keypoints_val2017.json',
        archive='annotations_trainval2017.zip',
        images='val2017',
        num_keypoints=17,
        files=5000,
        counts={'images': 5000, 'persons': 11004, 'persons with keypoints': 6352, 'images showing them': 2346},
    ),
    # half of the test images are test-dev
    'test': Part(
        ann_file='image_info_test-dev2017.json',
        archive='image_info_test2017.zip',
        images='test2017',
        num_keypoints=0,
        files=40670,
        counts={'images': 20288},
    ),
}


def prepare_coco(
    downloads: str | Path,
    out: str | Path = 'data/coco',
    *,
    parts: Sequence[str] = ('train', 'val'),
    images: str = 'link',
    allow_partial: bool = False,
) -> None:
    """Makes the folder of COCO 2017 from what is published; prints a line for each file and folder.

    Args:
        downloads: folder with the zip archives or with the folders unpacked from them.
        out: where to.
        parts: of 'train', 'val' and 'test' (whose annotation file is test-dev's list of images).
        images: 'link' or 'copy' folders that are unpacked already; archives are extracted.
        allow_partial: take a subset of what is published.

    Raises:
        BadInput: something is missing, damaged, of another data set or not as many as published; something else is
            in the way in ``out``; the disk is full or may not be written. Nothing half-made is left.
    """
    unknown = [name for name in parts if name not in PARTS]
    if unknown or not parts:
        raise BadInput(f'parts: {list(parts)} is not some of {list(PARTS)}')

    out = out_folder(out)
    with disk_errors(out):
        downloads = downloads_folder(downloads)
        things = []
        for name in parts:
            things += _prepare(PARTS[name], downloads, out, images, allow_partial)
        place(out, things)


def _prepare(part: Part, downloads: Path, out: Path, images: str, allow_partial: bool) -> tuple[NewFolder, NewFile]:
    """The images and the annotation file of a part, checked, to be placed in this order."""
    file = find_file(downloads, [part.ann_file], part.archive)
    annotations = read_people(file, part.num_keypoints)
    about = check_count(count(annotations.data), part.counts, annotations.source, allow_partial)

    found = find_images(downloads, part.images)
    files = {'images': len(found.sizes)}
    check_count(files, {'images': part.files}, found.path, allow_partial)
    check_images(annotations, found)

    target = out / 'annotations' / part.ann_file
    return (
        NewFolder(out / part.images, found, images),
        NewFile(target, annotations.content, about, f'from {annotations.source}'),
    )
