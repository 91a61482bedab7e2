"""OCHuman as the configs read it: ``annotations/ochuman_coco_format_{val,test}_range_0.00_1.00.json`` and ``images/``.

The download holds these two files, and ``ochuman.json`` in a format of its own (``ochuman_format.py``) with all people
and how much they overlap. That file does not tell val from test: the two ready-made ones do.
"""

import json
from pathlib import Path

from cid_mmpose.errors import BadInput

from .annotations import Annotations, check_count, check_disjoint, check_images, count, read_people
from .downloads import downloads_folder, find_file, find_images, look_for
from .ochuman_format import convert, first_difference, read_ochuman
from .placing import NewFile, NewFolder, disk_errors, out_folder, place

NUM_KEYPOINTS = 17
COUNTS = {'val': {'images': 2500}, 'test': {'images': 2231}}  # Zhang et al., CVPR 2019; persons were not found out
WHOLE = (0.0, 1.0)


def prepare_ochuman(
    downloads: str | Path,
    out: str | Path = 'data/ochuman',
    *,
    max_iou: tuple[float, float] = WHOLE,
    images: str = 'link',
    allow_partial: bool = False,
) -> None:
    """Makes the folder of OCHuman from what is published; prints a line for each file and folder.

    For the whole range the ready-made files are taken. For another one the people of ``ochuman.json`` are converted,
    after a check that converting all of them gives the people of the ready-made files. Without ready-made files, all
    images of ``ochuman.json`` become one file, ``..._all_range_...``, which no config reads.

    Args:
        downloads: folder with the annotation files, on their own or in archives, and with images.zip or the folder
            ``images``.
        out: where to.
        max_iou: lowest and highest overlap of a person's box with another one's, within 0 and 1.
        images: 'link' or 'copy' a folder that is unpacked already; an archive is extracted.
        allow_partial: take a subset of what is published.

    Raises:
        BadInput: as ``prepare_coco``; or ``ochuman.json`` is needed and is laid out otherwise than documented.
    """
    low, high = max_iou
    if not 0 <= low < high <= 1 or (round(low, 2), round(high, 2)) != (low, high):
        raise BadInput(f'max_iou: {low} to {high} is not a range within 0 and 1 in steps of 0.01')

    out = out_folder(out)
    is_whole = (low, high) == WHOLE
    with disk_errors(out):
        downloads = downloads_folder(downloads)
        ready = _read_ready(downloads, allow_partial)
        parts = ready if ready and is_whole else _convert(downloads, ready, (low, high))
        found = find_images(downloads, 'images')
        for part in parts.values():
            check_images(part, found)

        files = []
        for name, part in parts.items():
            published = COUNTS.get(name, {}) if is_whole else {}
            about = check_count(count(part.data), published, part.source, allow_partial=True)
            target = out / 'annotations' / _name(name, (low, high))
            files.append(NewFile(target, part.content, about, f'from {part.source}'))
        place(out, [NewFolder(out / 'images', found, images)] + files)

    if not ready:
        print(
            f'note: ochuman.json does not tell val from test; for the configs put {_name("val", WHOLE)} and '
            f'{_name("test", WHOLE)} into {downloads} and run this again'
        )


def _name(part: str, max_iou: tuple[float, float]) -> str:
    """Name of the annotation file of a part and a range of overlap."""
    low, high = max_iou
    return f'ochuman_coco_format_{part}_range_{low:.2f}_{high:.2f}.json'


def _read_ready(downloads: Path, allow_partial: bool) -> dict[str, Annotations]:
    """The ready-made files of val and test; {} if there is neither."""
    names = {part: _name(part, WHOLE) for part in COUNTS}
    if not any(look_for(downloads, [name]) for name in names.values()):
        return {}

    ready = {}
    for part, name in names.items():
        file = find_file(downloads, [name])
        ready[part] = read_people(file, NUM_KEYPOINTS)
    for part, annotations in ready.items():
        check_count(count(annotations.data), COUNTS[part], annotations.source, allow_partial)
    check_disjoint(ready)
    return ready


def _convert(downloads: Path, ready: dict[str, Annotations], max_iou: tuple[float, float]) -> dict[str, Annotations]:
    """The people of ``ochuman.json`` in a range of overlap: of val and test, or of all where these are not known."""
    source = find_file(downloads, ['ochuman.json'])
    data = read_ochuman(source)

    images: dict[str, set[str] | None] = {}
    for name, part in ready.items():
        images[name] = {image['file_name'] for image in part.data['images']}
        where = first_difference(convert(data, WHOLE, images[name]), part.data)
        if where:
            raise BadInput(
                f'{source}: its people in {where} are not those of {part.source}; take both from one download'
            )
    if not ready:
        images['all'] = None

    low, high = max_iou
    converted = {}
    for name, file_names in images.items():
        part = convert(data, max_iou, file_names)
        if not part['images']:
            raise BadInput(f'{source}: nobody of {name} has a max_iou of {low} to {high}; widen the range')
        text = json.dumps(part, separators=(',', ':'))
        converted[name] = Annotations(source, text.encode(), part)
    return converted
