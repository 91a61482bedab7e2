"""Findings of files and images; ``table.py`` puts them in order."""

from . import of_file, of_images, repairs
from .finding import ERROR, WARNING, Finding

CATEGORIES_IMAGES_IDS = (
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
        "None of several categories is named 'person', and those that name keypoints, if any, name different ones: the "
        'data set stops.',
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
)

# of a file as a whole: they are judged by what its people are after the repairs
WHOLE_FILE = (
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
)
