"""Annotation files in COCO's format: read once, checked before anything is built from them."""
import json
import math
import os.path as osp
from typing import List

from mmengine.fileio import exists, get_text

from cid_mmpose.errors import BadInput

NOT_COCO = "is not a COCO annotation file (a JSON object with 'images', 'annotations' and 'categories')"
FIELDS = dict(
    images=('id', 'file_name', 'height', 'width'),
    annotations=('id', 'image_id', 'category_id'),
    categories=('id', ))  # what every entry of a list must have


def read_annotations(path: str, needs_people: bool = True) -> dict:
    """Reads a COCO annotation file.

    Args:
        path: the file, on any back end of mmengine.
        needs_people: whether it must hold 'annotations'; the files of unlabelled test sets do not.

    Raises:
        BadInput: the file is missing, empty, cut off or of another kind, or an entry lacks one of ``FIELDS``.
    """
    if not exists(path):
        raise BadInput(f'{path}: no such annotation file; set data_root and ann_file of the data set to where it is')
    text = get_text(path)
    if not text.strip():
        raise BadInput(f'{path}: the annotation file is empty; get it again')
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise BadInput(f'{path}: not valid JSON ({error}); the file may be cut off, get it again') from None
    wanted = ['images'] + ['annotations', 'categories'] * needs_people
    if not isinstance(data, dict) or not all(isinstance(data.get(key), list) for key in wanted):
        raise BadInput(f'{path}: {NOT_COCO}; missing: {[k for k in wanted if k not in data]}')
    for key in FIELDS:
        check_fields(data.get(key) or [], key, path)
    return data


def check_fields(entries: List[dict], key: str, path: str) -> None:
    """BadInput for the first entry of the list ``key`` that lacks one of its ``FIELDS``."""
    for number, entry in enumerate(entries):
        if missing := [field for field in FIELDS[key] if field not in entry]:
            raise BadInput(f"{path}: entry {number} of '{key}' has no field {missing[0]!r}; add it")


def person_category(categories: List[dict], path: str) -> int:
    """Id of the category that people have: the one named 'person', or the only one there is, whatever its id.

    Raises:
        BadInput: there are several and none is named 'person'.
    """
    ids = [c['id'] for c in categories if c.get('name') == 'person'] or [c['id'] for c in categories]
    if len(ids) != 1:
        names = [c.get('name') for c in categories]
        raise BadInput(f"{path}: field 'categories' names {names}, but none of them 'person'; "
                       "name the category of the annotated people 'person'")
    return ids[0]


def labelled_joints(annotation: dict) -> int:
    """Number of joints with visibility above 0; the file's own ``num_keypoints`` may be missing or stale."""
    return sum(v > 0 for v in annotation['keypoints'][2::3])


def problem_of(annotation: dict, num_keypoints: int) -> str:
    """What is wrong with one annotation, as "field 'x' ..."; '' if nothing is.

    A crowd region needs no joints, and a person without labelled joints needs no box: neither becomes a target.
    """
    if annotation.get('iscrowd'):
        return ''
    keypoints = annotation.get('keypoints')
    if not keypoints:
        return "field 'keypoints' is missing; use the person_keypoints file, not the instances file"
    if len(keypoints) != 3 * num_keypoints:
        return (f"field 'keypoints' has {len(keypoints)} numbers, but {num_keypoints} joints need "
                f'{3 * num_keypoints}; use the configuration of this data set')
    if not all(isinstance(v, (int, float)) and math.isfinite(v) for v in keypoints):
        return "field 'keypoints' has a number that is not finite"
    return problem_of_box(annotation) if labelled_joints(annotation) else ''


def problem_of_box(annotation: dict) -> str:
    """As ``problem_of`` for the box of a person with labelled joints; the Gaussian's size comes from it."""
    box = annotation.get('bbox')
    if not isinstance(box, (list, tuple)) or len(box) != 4:
        return "field 'bbox' is missing; it must be [x, y, width, height] in pixels"
    if not all(isinstance(v, (int, float)) and math.isfinite(v) for v in box):
        return "field 'bbox' has a number that is not finite"
    return '' if box[2] > 0 and box[3] > 0 else f"field 'bbox' has no size ({box[2]} x {box[3]} pixels)"


def bad_annotations(data: dict, path: str, num_keypoints: int, action: str, logger) -> set:
    """Ids of annotations that cannot be used.

    Args:
        data: of ``read_annotations``. path: for the message. num_keypoints: K.
        action: 'error' or 'skip'. logger: takes the message of 'skip'.

    Raises:
        BadInput: there are some and ``action`` is 'error'.
    """
    images = {image['id'] for image in data['images']}
    problems = {}
    for annotation in data.get('annotations', []):
        problem = problem_of(annotation, num_keypoints)
        if annotation.get('image_id') not in images:
            problem = "field 'image_id' names no image of the file"
        if problem:
            problems[annotation.get('id')] = problem
    if problems:
        first, text = next(iter(problems.items()))
        message = f'{path}: annotation {first}: {text} ({len(problems)} such of {len(data["annotations"])})'
        if action == 'error':
            raise BadInput(f"{message}. Mend the file, or leave them out with bad_annotations='skip' of the data set")
        logger.warning('%s; left out', message)
    return set(problems)


def check_data_root(data_root: str) -> None:
    """BadInput if a data root is named and is not a folder; files on other back ends are not looked for."""
    if data_root and '://' not in data_root and not osp.isdir(data_root):
        raise BadInput(f'{data_root}: no such folder; put the data set there or set data_root of the data set '
                       '(for COCO it holds annotations/, train2017/ and val2017/)')
