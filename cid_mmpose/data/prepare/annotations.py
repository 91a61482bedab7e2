"""Annotation files as they are published: read, recognised, counted."""

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

from cid_mmpose.data.annotations import parse_annotations, people_categories
from cid_mmpose.data.problems import labelled_keypoints
from cid_mmpose.errors import BadInput
from cid_mmpose.files import is_web_page

from .downloads import AGAIN, Download, Images


class Annotations(NamedTuple):
    """A COCO-style annotation file that was read."""

    source: Download
    content: bytes
    data: dict


def read_text(file: Download) -> str:
    """The text of a JSON file; BadInput if it is a web page or no text at all."""
    content = file.read()
    if is_web_page(content):
        raise BadInput(f'{file}: is a web page, not a JSON file; {AGAIN}')
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise BadInput(f'{file}: is not text, so not a JSON file; {AGAIN}') from None


def read_people(file: Download, num_keypoints: int) -> Annotations:
    """Reads an annotation file of people.

    Args:
        file: where it is.
        num_keypoints: K; 0 for a file of images alone, as of a test set.

    Raises:
        BadInput: it is no such file, its people have other keypoints, ids are not unique, or a person has no image.
    """
    text = read_text(file)
    data = parse_annotations(text, str(file), needs_people=num_keypoints > 0)
    _check_unique(data['images'], 'images', file)
    if num_keypoints:
        people_categories(data['categories'], str(file))
        _check_unique(data['annotations'], 'annotations', file)
        _check_people(data, num_keypoints, file)
    return Annotations(file, text.encode(), data)


def _check_unique(entries: list, key: str, file: Download) -> None:
    """BadInput if two entries have one id."""
    seen = set()
    for entry in entries:
        if entry['id'] in seen:
            raise BadInput(f"{file}: two entries of '{key}' have the id {entry['id']}; {AGAIN}")
        seen.add(entry['id'])


def _check_people(data: dict, num_keypoints: int, file: Download) -> None:
    """BadInput if somebody has other keypoints or no image."""
    images = {image['id'] for image in data['images']}
    for annotation in data['annotations']:
        numbers = len(annotation.get('keypoints') or ())
        if numbers != 3 * num_keypoints:
            raise BadInput(
                f"{file}: annotation {annotation['id']}: field 'keypoints' has {numbers} numbers, not the "
                f'{3 * num_keypoints} of {num_keypoints} keypoints; this is the file of another data set or '
                'not the one with keypoints'
            )
        if annotation['image_id'] not in images:
            raise BadInput(
                f"{file}: annotation {annotation['id']}: field 'image_id' names no image of the file; {AGAIN}"
            )


def count(data: dict) -> dict[str, int]:
    """Images, persons, persons with labelled keypoints by the file's own count, and the images that show those."""
    people = data.get('annotations') or []
    labelled = [a for a in people if _has_keypoints(a)]
    images_showing_them = {a['image_id'] for a in labelled}
    return {
        'images': len(data['images']),
        'persons': len(people),
        'persons with keypoints': len(labelled),
        'images showing them': len(images_showing_them),
    }


def _has_keypoints(annotation: dict) -> bool:
    """Whether somebody has labelled keypoints: by ``num_keypoints``, where it is missing by the keypoints."""
    if 'num_keypoints' in annotation:
        return annotation['num_keypoints'] > 0
    return labelled_keypoints(annotation) > 0


def words(counts: dict[str, int]) -> str:
    """'2 images, 5 persons'."""
    return ', '.join(f'{number} {what}' for what, number in counts.items())


def check_count(found: dict[str, int], published: dict[str, int], source: object, allow_partial: bool) -> str:
    """Compares counts with the published ones.

    Args:
        found: what -> how many.
        published: as ``found``; only what is published is compared.
        source: what was counted.
        allow_partial: take a subset, with less of everything, too.

    Returns:
        What was found, in words.

    Raises:
        BadInput: there is less than published and no subset was asked for, or more.
    """
    differs = {what: number for what, number in published.items() if found[what] != number}
    too_many = any(found[what] > number for what, number in differs.items())
    if differs and (too_many or not allow_partial):
        found_instead = {what: found[what] for what in differs}
        way_out = 'it is another file' if too_many else f'{AGAIN}, or take the subset with --allow-partial'
        raise BadInput(f'{source}: holds {words(found_instead)}, but published are {words(differs)}; {way_out}')

    shown = {what: number for what, number in found.items() if number or what in published}
    text = words(shown)
    if not differs:
        return text
    what, number = next(iter(differs.items()))
    return f'{text} (a subset; published: {number} {what})'


def check_images(annotations: Annotations, images: Images) -> None:
    """BadInput if the file lists no image, or one that is not there."""
    names = [image['file_name'] for image in annotations.data['images']]
    if not names:
        raise BadInput(f'{annotations.source}: lists no images; {AGAIN}')

    missing = [name for name in names if name not in images.sizes]
    if missing:
        raise BadInput(
            f'{images.path}: lacks {len(missing)} of the {len(names)} images that {annotations.source} '
            f'lists, the first is {missing[0]}; it is cut off or of another data set, {AGAIN}'
        )


def check_disjoint(parts: dict[str, Annotations], fields: Sequence[str] = ('file_name',)) -> None:
    """BadInput if two parts of a data set list one image.

    Args:
        parts: by name.
        fields: of the images, each of which tells one from another.
    """
    for field in fields:
        for one, other in combinations(parts.values(), 2):
            shared = _values_of(one, field) & _values_of(other, field)
            if shared:
                raise BadInput(
                    f'{one.source} and {other.source} share {len(shared)} images, the first '
                    f'has the {field} {min(shared)}; one of them is another part under a wrong name'
                )


def _values_of(part: Annotations, field: str) -> set:
    """What the images of a part hold in a field."""
    return {image[field] for image in part.data['images']}
