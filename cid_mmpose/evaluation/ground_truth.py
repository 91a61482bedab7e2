"""Annotations as COCO's evaluation needs them: the people alone, with every field that it reads."""
import math
from typing import List, Sequence

from xtcocotools.coco import COCO

from cid_mmpose.datasets.annotations import check_joints, is_coordinate, labelled_joints, person_category, problem_of
from cid_mmpose.errors import BadInput

# joints left out of 'num_keypoints' in CrowdPose's files, which hold the count of the 12 others for everybody
HEAD = ('top_head', 'head', 'neck')


def prepare(coco: COCO, path: str, names: Sequence[str], *, use_area: bool, crowd: bool) -> int:
    """Makes a read annotation file fit for evaluation, in place; returns the category id of its people.

    Args:
        coco: the file as read. path: its name, for messages.
        names: (K,) joints of the configuration, in order.
        use_area: whether the evaluation reads 'area'. crowd: whether it is CrowdPose's, by 'crowdIndex'.

    Raises:
        BadInput: nothing is annotated, the joints are those of another data set, or 'area' or 'crowdIndex' is missing.
    """
    if 'annotations' not in coco.dataset:
        raise BadInput(f"{path}: field 'annotations' is missing, so there is nothing to compare with; set ann_file of "
                       'the data set to an annotated file, or submission of the metric to write results for a server')
    category = person_category(coco.dataset['categories'], path)
    check_joints(coco.dataset, path, category, names)
    if crowd:
        check_crowd_index(coco.dataset['images'], path)
    keep_category(coco, category)
    for annotation in coco.anns.values():
        complete(annotation, names, crowd)
        if use_area:
            check_area(annotation, path)
    return category


def keep_category(coco: COCO, category: int) -> None:
    """Drops the other categories: the evaluation would give each an AP of its own and return the mean."""
    dataset = coco.dataset
    dataset['categories'] = [c for c in dataset['categories'] if c['id'] == category]
    dataset['annotations'] = [a for a in dataset['annotations'] if a['category_id'] == category]
    coco.createIndex()


def complete(annotation: dict, names: Sequence[str], crowd: bool) -> None:
    """Adds what the evaluation reads and the file lacks, so that a crowd, or a person whom the data set left out
    (``bad_annotations='skip'``), is not asked for.

    Args:
        annotation: changed in place. names: (K,) joints, in order.
        crowd: whether the evaluation is CrowdPose's. It does not ask for people whose 'num_keypoints' is 0, among them
            those with nothing but head and neck labelled; COCO's counts the labelled joints by itself.
    """
    annotation['iscrowd'] = int(bool(annotation.get('iscrowd')))  # anything but 0 and null, as the data set has it
    if problem_of(annotation, len(names)) or 'keypoints' not in annotation:
        annotation.update(keypoints=[0] * 3 * len(names), num_keypoints=0)
    annotation.setdefault('bbox', [0, 0, 0, 0])
    counted = [v for name, v in zip(names, annotation['keypoints'][2::3]) if not (crowd and name in HEAD)]
    annotation.setdefault('num_keypoints', sum(v > 0 for v in counted))


def check_area(annotation: dict, path: str) -> None:
    """BadInput if the area is missing, or is not above 0 for a person who is asked for: nothing would match."""
    way_out = 'set use_area=False of the metric to estimate it from the box'
    where = f"{path}: annotation {annotation['id']}: field 'area'"
    if 'area' not in annotation:
        raise BadInput(f'{where} is missing; {way_out}')
    area = annotation['area']
    asked_for = labelled_joints(annotation) and not annotation['iscrowd']
    if asked_for and not (is_coordinate(area) and area > 0):
        raise BadInput(f"{where} is {area}, not above 0; mend the file, or {way_out}")


def check_crowd_index(images: List[dict], path: str) -> None:
    """BadInput if a picture has no crowd index, by which CrowdPose tells easy, medium and hard ones apart."""
    without = [image['id'] for image in images if not _is_number(image.get('crowdIndex'))]
    if without:
        raise BadInput(f"{path}: field 'crowdIndex' is missing from {len(without)} of {len(images)} images, first from "
                       f'image {without[0]}; AP(E), AP(M) and AP(H) need it: use the official CrowdPose file, or set '
                       "iou_type='keypoints' of the metric to do without them")


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and math.isfinite(value)
