"""What is wrong with an entry of an annotation file: one list of rules for training, testing and the doctor."""

import math
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import numpy as np

from cid_mmpose.errors import BadInput

from .regions import region_problem
from .values import as_json, is_coordinate, is_number, is_whole, no_coordinate

LONGEST_SIDE = 10**6  # pixels of an image
MOST_PIXELS = 2**30  # of an image; OpenCV reads no larger ones
LEAST_AREA = 1  # pixels of a person; a share of the image, which some tools write, lies below
MOST_IMAGES = 4  # that the area of a person may fill: some tools take it of a box that leaves the image
CROWD_FLAGS = (0, 1, None)  # true and false are equal to 1 and 0
NO_IMAGE = "field 'image_id' names no image of the file"


def problem_of_sides(image: dict) -> str:
    """What is wrong with the size of an image, as "field 'x' ..."; '' if nothing is."""
    for side in ('width', 'height'):
        value = image[side]
        if not is_whole(value) or not 0 < value <= LONGEST_SIDE:
            return f'field {side!r} is {as_json(value)}; give the whole number of pixels that the image has'
    if image['width'] * image['height'] > MOST_PIXELS:
        return (
            f"fields 'width' and 'height' are {image['width']} x {image['height']} pixels, more than any image "
            'that can be read; give those of the image'
        )
    return ''


def sides_of(image: dict) -> tuple[float, float]:
    """(H, W) of an image in pixels as its annotation says; NaN, NaN if it says nothing of use."""
    if problem_of_sides(image):
        return math.nan, math.nan
    return int(image['height']), int(image['width'])


def labelled_keypoints(annotation: dict) -> int:
    """Number of keypoints with visibility above 0; the file's own ``num_keypoints`` may be missing or stale."""
    return sum(visibility > 0 for visibility in annotation['keypoints'][2::3])


def problem_of_crowd_flag(annotation: dict) -> str:
    """What is wrong with 'iscrowd', '' if nothing is: text and lists would make a crowd of whoever has them."""
    flag = annotation.get('iscrowd')
    if isinstance(flag, (int, float, type(None))) and flag in CROWD_FLAGS:
        return ''
    return f"field 'iscrowd' is {as_json(flag)}; give 0 or 1"


def is_crowd(annotation: dict) -> bool:
    """Whether an annotation is a crowd, where ``problem_of_crowd_flag`` finds nothing."""
    return bool(annotation.get('iscrowd'))


def problem_of(annotation: dict, num_keypoints: int, shape: Sequence[float] = (math.nan, math.nan)) -> str:
    """What is wrong with one annotation, as "field 'x' ..."; '' if nothing is.

    A crowd region needs no keypoints, and a person without labelled keypoints needs no box: neither becomes a target.
    The regions of both are left out of the loss; nobody reads those of others.

    Args:
        annotation: of a person or a crowd.
        num_keypoints: K.
        shape: (H, W) of its image in pixels; NaN if unknown.
    """
    problem = problem_of_crowd_flag(annotation)
    if problem:
        return problem
    if is_crowd(annotation):
        return problem_of_region(annotation, shape)

    problem = problem_of_keypoints(annotation, num_keypoints)
    if problem:
        return problem
    if labelled_keypoints(annotation):
        return problem_of_box(annotation)
    return problem_of_region(annotation, shape)


def problem_of_keypoints(annotation: dict, num_keypoints: int) -> str:
    """As ``problem_of`` for the keypoints of a person."""
    keypoints = annotation.get('keypoints')
    if not keypoints or not isinstance(keypoints, (list, tuple)):
        return "field 'keypoints' is missing; use the person_keypoints file, not the instances file"
    if len(keypoints) != 3 * num_keypoints:
        return (
            f"field 'keypoints' has {len(keypoints)} numbers, but {num_keypoints} keypoints need "
            f'{3 * num_keypoints}; use the configuration of this data set'
        )
    if not all(map(is_coordinate, keypoints)):
        return f"field 'keypoints' has {no_coordinate(keypoints)}"
    return ''


def problem_of_box(annotation: dict) -> str:
    """As ``problem_of`` for the box of a person with labelled keypoints; the Gaussian's size comes from it."""
    box = annotation.get('bbox')
    if not isinstance(box, (list, tuple)) or len(box) != 4:
        return "field 'bbox' is missing; it must be [x, y, width, height] in pixels"
    if not all(map(is_coordinate, box)):
        return f"field 'bbox' has {no_coordinate(box)}"
    width, height = box[2:]
    if width > 0 and height > 0:
        return ''
    return f"field 'bbox' has no size ({width} x {height} pixels)"


def problem_of_area(annotation: dict, shape: Sequence[float]) -> str:
    """As ``problem_of`` for the area in pixels, by which OKS divides: too small and nobody matches, too large and
    everybody does. Of those who are not asked for it only has to be there.

    Args:
        annotation: of a person or a crowd, without a ``problem_of``.
        shape: (H, W) of its image in pixels; NaN if unknown.
    """
    if 'area' not in annotation:
        return "field 'area' is missing"
    if is_crowd(annotation) or not labelled_keypoints(annotation):
        return ''
    return problem_of_pixels(annotation['area'], shape)


def problem_of_pixels(area: Any, shape: Sequence[float]) -> str:
    """As ``problem_of_area`` for the value alone, of a person who is asked for."""
    if not is_number(area) or area != area:  # NaN; of a whole number of any size, too
        return f"field 'area' is {as_json(area)}, which is no number"
    if area <= 0:
        return f"field 'area' is {as_json(area)}, not above 0"
    if area < LEAST_AREA:
        return f"field 'area' is {as_json(area)}, less than a pixel"
    if area > MOST_IMAGES * shape[0] * shape[1]:
        return f"field 'area' is {as_json(area)}, more than {MOST_IMAGES} times its image"
    return ''


def problem_of_region(annotation: dict, shape: Sequence[float]) -> str:
    """As ``problem_of`` for the region of a crowd or of a person without labelled keypoints."""
    problem = region_problem(annotation.get('segmentation'), shape)
    return f"field 'segmentation' has {problem}" if problem else ''


def problem_of_category(annotation: dict, known: Sequence[int]) -> str:
    """What is wrong with the category of an annotation.

    Args:
        annotation: any.
        known: ids of the file's categories.
    """
    category = annotation['category_id']
    if not isinstance(category, bool) and category in known:
        return ''
    return f"field 'category_id' is {as_json(category)}, which no category of the file has"


def of_people(data: dict, categories: Collection[int]) -> list[dict]:
    """The annotations of a file without those of its other categories.

    One of a category that the file does not know may be a person's: it stays, with its ``problem_of_category``.

    Args:
        data: of ``read_annotations``.
        categories: ids of those of the people.
    """
    others = [entry['id'] for entry in data['categories'] if entry['id'] not in categories]
    return [annotation for annotation in data['annotations'] if problem_of_category(annotation, others)]


def is_image_known(annotation: dict, images: dict[Any, dict]) -> bool:
    """Whether an annotation's image is one of ``images``, by id; true is not 1."""
    return not isinstance(annotation['image_id'], bool) and annotation['image_id'] in images


class Problem(NamedTuple):
    """Something wrong with one entry of a file."""

    where: str  # "entry 3 of 'images'"
    text: str  # "field 'x' ..."


def check_entries(data: dict, path: str) -> None:
    """BadInput if images have no usable size, or ids are taken twice: nothing of such a file can be trusted.

    Args:
        data: of ``read_annotations``.
        path: for the message.
    """
    problems = _taken_twice(data, 'images') + _taken_twice(data, 'categories') + _taken_twice(data, 'annotations')
    for number, image in enumerate(data['images']):
        text = problem_of_sides(image)
        if text:
            problems.append(Problem(f"entry {number} of 'images'", text))
    if problems:
        first = problems[0]
        raise BadInput(
            f'{path}: {first.where}: {first.text} ({len(problems)} such); cid doctor lists all, and '
            'its --fix writes a repaired copy'
        )


def _taken_twice(data: dict, key: str) -> list[Problem]:
    """The entries of a list whose id another one has too."""
    entries = data.get(key) or ()
    counts = Counter(entry['id'] for entry in entries)
    problems = []
    for number, times in counts.items():
        if times > 1:
            text = f"field 'id' {number} is taken {times} times; give each entry its own"
            problems.append(Problem(f"'{key}'", text))
    return problems


def bad_annotations(data: dict, path: str, num_keypoints: int, action: str, logger) -> set:
    """Ids of annotations that cannot be used.

    Args:
        data: of ``read_annotations``, with the annotations of people alone; none with a problem of ``check_entries``.
        path: for the message.
        num_keypoints: K.
        action: 'error' or 'skip'.
        logger: takes the message of 'skip'.

    Returns:
        The ids of those that are left out.

    Raises:
        BadInput: there are some and ``action`` is 'error'.
    """
    problems = problems_of(data, num_keypoints)
    if problems:
        message = say_problems(problems, len(data['annotations']), path)
        if action == 'error':
            raise BadInput(f"{message}. Mend the file, or leave them out with bad_annotations='skip' of the data set")
        logger.warning('%s; left out', message)
    return set(problems)


def problems_of(data: dict, num_keypoints: int) -> dict[int, str]:
    """What is wrong with each annotation that cannot be used, by its id.

    Args:
        data: as for ``bad_annotations``.
        num_keypoints: K.
    """
    images = {image['id']: image for image in data['images']}
    shapes = _shapes_of(data['images'])
    categories = [category['id'] for category in data.get('categories') or ()]
    problems = {}
    for annotation in data.get('annotations') or ():
        if not is_image_known(annotation, images):
            problem = NO_IMAGE
        else:
            problem = problem_of_category(annotation, categories)
            problem = problem or problem_of(annotation, num_keypoints, shapes[annotation['image_id']])
        if problem:
            problems[annotation['id']] = problem
    return problems


def _shapes_of(images: Sequence[dict]) -> dict[int, tuple[float, float]]:
    """(H, W) in pixels of each image by its id; NaN if unknown."""
    return {image['id']: sides_of(image) for image in images}


def problems_of_areas(data: dict, bad: Collection[int]) -> dict[int, str]:
    """What is wrong with each area that is there, by the annotation's id; only an evaluation reads them.

    Args:
        data: as for ``bad_annotations``.
        bad: ids of annotations that cannot be used anyway.
    """
    shapes = _shapes_of(data['images'])
    problems = {}
    for annotation in data.get('annotations') or ():
        if annotation['id'] in bad or 'area' not in annotation:
            continue
        problem = problem_of_area(annotation, shapes[annotation['image_id']])
        if problem:
            problems[annotation['id']] = problem
    return problems


def say_problems(problems: dict[int, str], number: int, path: str) -> str:
    """One line on the first of some problems.

    Args:
        problems: text by id of the annotation.
        number: how many annotations there are.
        path: of the file.
    """
    first, text = next(iter(problems.items()))
    return f'{path}: annotation {first}: {text} ({len(problems)} such of {number})'


def usable_region(annotation: dict, shape: Sequence[float]) -> Any:
    """The region of a crowd or person as it can be drawn: the file's, else the box, else None.

    Args:
        annotation: any, also one with a problem.
        shape: (H, W) of its image in pixels.
    """
    region = annotation.get('segmentation')
    if not region_problem(region, shape):
        return region or None
    return box_outline(annotation.get('bbox'), shape)


def box_outline(box: Any, shape: Sequence[float]) -> Any:
    """A box [x, y, w, h] in pixels, cut off at the border of its image, as a list of one polygon; None without size.

    Args:
        box: as in the file.
        shape: (H, W) of the image in pixels; NaN if unknown, then nothing is cut off.
    """
    if problem_of_box(dict(bbox=box)):
        return None
    low = np.array(box[:2], float)
    high = low + box[2:]
    if not np.isnan(shape).any():
        low = np.clip(low, 0, shape[::-1])
        high = np.clip(high, 0, shape[::-1])
    if not (high > low).all():
        return None
    left, top = low.tolist()
    right, bottom = high.tolist()
    return [[left, top, right, top, right, bottom, left, bottom]]
