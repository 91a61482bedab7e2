"""All findings in one table: the report, the repairs and the list in ``docs/doctor.md`` come from it.

Repairs are made in this order: what a later one needs, such as the right keypoints, is in order by then.
"""

from collections.abc import Callable
from typing import NamedTuple

from . import of_file, of_images, of_people, repairs
from .case import Case, Found

ERROR, WARNING, NOTE = SEVERITIES = ('error', 'warning', 'note')


class Finding(NamedTuple):
    """One thing that can be wrong with an annotation file."""

    name: str
    severity: str  # error: training or evaluation stops or is wrong; warning: something is lost; note: to know
    counts: str  # what is counted
    means: str  # what it leads to in training or AP
    find: Callable[[Case], Found]
    repair: repairs.Repair | None = None
    fix: str = ''  # what the repair does


FINDINGS = (
    Finding(
        'several_categories',
        WARNING,
        'categories',
        'Only people are trained and evaluated here; MMPose takes the annotations of all categories.',
        of_file.several_categories,
        repairs.leave_out_categories,
        'all but the category of people are left out, with their annotations',
    ),
    Finding(
        'no_person_category',
        ERROR,
        'categories',
        "None of several categories is named 'person': the data set stops.",
        of_file.no_person_category,
    ),
    Finding(
        'duplicate_category_ids',
        ERROR,
        'categories',
        'Nobody can tell which of the two an annotation is of: the data set stops.',
        of_file.duplicate_category_ids,
    ),
    Finding(
        'unknown_category',
        ERROR,
        'annotations',
        'They may be people, but nobody can tell: the data set stops.',
        of_file.unknown_category,
        repairs.category_by_text,
        "a 'category_id' that is text becomes the number in it, if that is a category's; the others are left out",
    ),
    Finding(
        'person_id',
        WARNING,
        'categories',
        "MMPose's own metric gives AP 0 for a perfect prediction, because it calls people 1; "
        'cid_mmpose.CocoPeopleMetric takes the id from the file.',
        of_file.person_id,
        repairs.number_one,
        'people get the id 1',
    ),
    Finding(
        'keypoint_names',
        ERROR,
        'categories',
        'What the category names its keypoints by is no list, or the same twice: the data set stops.',
        of_file.keypoint_names,
    ),
    Finding(
        'model_keypoints',
        ERROR,
        'keypoints',
        'The head of the config has another number of maps than the data set has keypoints: training stops.',
        of_file.model_keypoints,
    ),
    Finding(
        'keypoint_order',
        ERROR,
        'keypoints',
        'The file and the config order the keypoints differently: they are trained, swapped and scored (sigmas) as '
        'others.',
        of_file.keypoint_order,
    ),
    Finding(
        'flip_pairs',
        ERROR,
        'keypoints',
        'Mirrored images and the flip test swap the wrong keypoints; AP falls without an error message.',
        of_file.flip_pairs,
    ),
    Finding(
        'duplicate_image_ids',
        ERROR,
        'images',
        'Nobody can tell which of the two an annotation belongs to: the data set stops.',
        of_file.duplicate_image_ids,
        repairs.leave_out_entries_of_images,
        'the later entry is left out, its annotations go to the first',
    ),
    Finding(
        'duplicate_file_names',
        WARNING,
        'images',
        "The image is shown once an id, each time with some people only: the others count as 'nobody there'.",
        of_file.duplicate_file_names,
    ),
    Finding(
        'image_sides',
        ERROR,
        'images',
        'Width or height is no whole number above 0: the data set stops.',
        of_file.image_sides,
        repairs.sides_of_files,
        'taken from the file of the image; if that was not read, the image is left out with its people',
    ),
    Finding(
        'image_missing',
        ERROR,
        'images',
        'Training and testing stop at the first of them.',
        of_images.image_missing,
        repairs.leave_out_images,
        'left out with their people',
    ),
    Finding(
        'image_unreadable',
        ERROR,
        'images',
        'Not a complete image of a kind that OpenCV reads, or beyond max_pixels: testing stops, training goes on '
        'without it.',
        of_images.image_unreadable,
        repairs.leave_out_images,
        'left out with their people',
    ),
    Finding(
        'image_size',
        ERROR,
        'images',
        'The file is not the annotated one: its keypoints would lie elsewhere, so reading it stops.',
        of_images.image_size,
        repairs.leave_out_images,
        'left out with their people',
    ),
    Finding(
        'same_image_twice',
        WARNING,
        'images',
        'The same content is trained on, or counts in AP, more than once; people annotated on one copy only are '
        "'nobody there' on the other.",
        of_images.same_image_twice,
    ),
    Finding(
        'leak',
        ERROR,
        'images',
        'The same content is in training and in evaluation: that AP must not be reported (COCO val inside '
        'CrowdPose trainval).',
        of_images.leak,
        repairs.leave_out_images,
        'left out with their people',
    ),
    Finding(
        'duplicate_annotation_ids',
        ERROR,
        'annotations',
        'The evaluation would keep one annotation an id and lose the people of the others: the data set stops.',
        of_file.duplicate_annotation_ids,
        repairs.new_ids,
        'the later ones get new ids',
    ),
    Finding(
        'negative_ids',
        WARNING,
        'annotations',
        "MMPose's own metric gives AP 0 for them, because it takes -1 for 'matches nobody'; "
        'cid_mmpose.CocoPeopleMetric numbers people itself.',
        of_file.negative_ids,
        repairs.new_ids,
        'they get new ids',
    ),
    Finding(
        'unknown_image',
        ERROR,
        'people',
        'Nobody can see them: the data set stops.',
        of_people.unknown_image,
        repairs.image_by_text,
        "an 'image_id' that is text becomes the number in it, if that is an image's; the others are left out",
    ),
    Finding(
        'crowd_flag',
        ERROR,
        'people',
        "'iscrowd' is neither 0 nor 1: text and lists would make a crowd of whoever has them. The data set stops.",
        of_people.crowd_flag,
        repairs.crowd_flags,
        'taken as the 0 or 1 that it spells, else as 1',
    ),
    Finding(
        'keypoints_missing',
        ERROR,
        'people',
        'The data set stops; an instances file has boxes and regions only, take the person_keypoints file.',
        of_people.keypoints_missing,
        repairs.unlabel_people,
        'taken as people without labelled keypoints',
    ),
    Finding(
        'keypoints_count',
        ERROR,
        'people',
        'Another number of keypoints than the data set has: it stops.',
        of_people.keypoints_count,
        repairs.unlabel_people,
        'taken as people without labelled keypoints',
    ),
    Finding(
        'keypoints_not_finite',
        ERROR,
        'people',
        'The data set stops; in MMPose targets and losses become NaN.',
        of_people.keypoints_not_finite,
        repairs.unlabel_not_finite,
        'these keypoints are taken as unlabelled',
    ),
    Finding(
        'visibility',
        WARNING,
        'people',
        'Above 0 counts as labelled, and MMPose multiplies the loss by a negative one.',
        of_people.visibility,
        repairs.round_visibility,
        'above 0 becomes 2, below becomes 0',
    ),
    Finding(
        'keypoints_at_origin',
        WARNING,
        'people',
        'Missing keypoints written as labelled at (0, 0): they are trained, and pull the center of the person away.',
        of_people.keypoints_at_origin,
        repairs.unlabel_at_origin,
        'these keypoints are taken as unlabelled',
    ),
    Finding(
        'keypoints_outside',
        WARNING,
        'people',
        'Off the map they get no target, but they move the center of the person and count in OKS.',
        of_people.keypoints_outside,
        repairs.unlabel_outside,
        'these keypoints are taken as unlabelled',
    ),
    Finding(
        'box_missing',
        ERROR,
        'people',
        "The Gaussian's size comes from the box: the data set stops.",
        of_people.box_missing,
        repairs.box_anew,
        'taken from the region, else from the keypoints',
    ),
    Finding(
        'box_not_finite',
        ERROR,
        'people',
        'The data set stops; in MMPose targets and losses become NaN.',
        of_people.box_not_finite,
        repairs.box_anew,
        'taken from the region, else from the keypoints',
    ),
    Finding(
        'box_no_size',
        ERROR,
        'people',
        'The data set stops; in MMPose sigma is 0, targets are NaN and AP is 0 or NaN.',
        of_people.box_no_size,
        repairs.box_anew,
        'taken from the region, else from the keypoints',
    ),
    Finding(
        'no_pixels',
        ERROR,
        'people',
        'Boxes or keypoints are shares of the image, or boxes are corners, where pixels x, y, width, height are '
        'asked for: nobody is trained, or people of the wrong size. The data set stops.',
        of_people.no_pixels,
    ),
    Finding(
        'box_outside',
        WARNING,
        'people',
        'More than a pixel out of the image: too wide a Gaussian before augmentation clips it, wrong area.',
        of_people.box_outside,
        repairs.clip_box,
        'cut off at the border',
    ),
    Finding(
        'unlabelled_box',
        WARNING,
        'people and crowds',
        'Detections on crowds and people without labelled keypoints are excused in AP by the box; without one they '
        'count as wrong.',
        of_people.unlabelled_box,
        repairs.box_of_region,
        'taken from the region; without one the annotation says nothing and is left out',
    ),
    Finding(
        'same_person_twice',
        WARNING,
        'people',
        'Two people share a center: one of them is usually dropped in training, and always missed in AP.',
        of_people.same_person_twice,
        repairs.leave_out_people,
        'the later one is left out',
    ),
    Finding(
        'region_broken',
        ERROR,
        'people and crowds',
        'The loss mask is made of these regions: the data set stops.',
        of_people.region_broken,
        repairs.region_of_box,
        'the box becomes the region, if there is one',
    ),
    Finding(
        'area_missing',
        ERROR,
        'people and crowds',
        'OKS divides by the area: the evaluation stops. use_area=False of the metric estimates it from the box.',
        of_people.area_missing,
        repairs.area_anew,
        f'taken from the region, else {repairs.BOX_SHARE} of the box',
    ),
    Finding(
        'area_invalid',
        ERROR,
        'people',
        'OKS divides by the area: where it is below a pixel nobody matches, where it is several times the image '
        'everybody does. The evaluation stops.',
        of_people.area_invalid,
        repairs.area_anew,
        f'taken from the region, else {repairs.BOX_SHARE} of the box',
    ),
    Finding(
        'num_keypoints',
        WARNING,
        'people',
        'People with 0 are ignored by the evaluation of CrowdPose and left out of training by MMPose; here the '
        'labelled keypoints are counted.',
        of_people.num_keypoints,
        repairs.recount,
        'counted again',
    ),
    Finding(
        'nobody_labelled',
        ERROR,
        'images',
        'No image shows a labelled person: there is nothing to train on.',
        of_file.nobody_labelled,
    ),
    Finding(
        'crowd_index_missing',
        ERROR,
        'images',
        "AP(E), AP(M), AP(H) cannot be computed: take the 'crowdIndex' of the images from the official CrowdPose "
        'file, or set iou_type="keypoints" of the metric.',
        of_file.crowd_index_missing,
    ),
    Finding(
        'area_estimated',
        NOTE,
        'people and crowds',
        'No area, and none is needed: CrowdPose is evaluated with use_area=False, which estimates it from the box, '
        'and training does not use it.',
        of_people.area_estimated,
    ),
    Finding(
        'head_or_neck_only',
        NOTE,
        'people',
        "CrowdPose's num_keypoints leaves out head and neck and is 0 for them: its evaluation ignores them and "
        'MMPose does not train them; here they are trained.',
        of_people.head_or_neck_only,
    ),
    Finding(
        'rle_regions',
        NOTE,
        'people and crowds',
        'MMPose passes over run lengths: there these regions are trained as background. '
        'cid_mmpose.LossMask leaves them out of the loss.',
        of_people.rle_regions,
    ),
    Finding(
        'no_region',
        NOTE,
        'people and crowds',
        'Crowds and people without labelled keypoints that the loss cannot leave out: trained as background.',
        of_people.no_region,
    ),
)


def markdown_table() -> str:
    """The findings as a table in Markdown."""
    rows = [f'| `{f.name}` | {f.severity} | {f.counts} | {f.means} | {f.fix or "-"} |' for f in FINDINGS]
    return '\n'.join(['| finding | grade | counts | what it means | `--fix` |', '|---|---|---|---|---|', *rows])
