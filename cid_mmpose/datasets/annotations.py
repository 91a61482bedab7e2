"""Annotation files in COCO's format: read once, checked before anything is built from them."""
import json
import os.path as osp
import re
from collections import Counter
from typing import List, Sequence

from mmengine.fileio import exists, get_text

from cid_mmpose.errors import BadInput

LARGEST_ID = 2**63  # the evaluation keeps ids as 64-bit integers
FARTHEST = 1e9  # pixels
NOT_COCO = "is not a COCO annotation file (a JSON object with 'images', 'annotations' and 'categories')"
FIELDS = dict(
    images=('id', 'file_name', 'height', 'width'),
    annotations=('id', 'image_id', 'category_id'),
    categories=('id', ))  # what every entry of a list must have
MARK = '\ufeff'  # byte order mark, which some Windows programs put before UTF-8
SIDES = dict(l='left', r='right')


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
    try:
        text = get_text(path)
    except UnicodeDecodeError:
        raise BadInput(f'{path}: is not text in UTF-8, so no annotation file; get it again') from None
    return parse_annotations(text, path, needs_people)


def parse_annotations(text: str, path: str, needs_people: bool = True) -> dict:
    """As ``read_annotations`` for the text of a file; ``path`` is for the message alone."""
    if not text.strip():
        raise BadInput(f'{path}: the annotation file is empty; get it again')
    if text.lstrip().startswith('<'):
        raise BadInput(f'{path}: is a web page, not an annotation file; get it again')
    if text.startswith(MARK):  # the evaluation reads the file by itself, and would stop there
        raise BadInput(f'{path}: begins with a byte order mark; save it as UTF-8 without one')
    try:
        data = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise BadInput(f'{path}: not valid JSON ({error}); the file may be cut off, get it again') from None
    has_people = isinstance(data, dict) and bool(data.get('annotations'))
    wanted = ['images'] + ['annotations', 'categories'] * (needs_people or has_people)
    if not isinstance(data, dict) or not all(isinstance(data.get(key), list) for key in wanted):
        raise BadInput(f'{path}: {NOT_COCO}; {_no_lists(data, wanted)}')
    for key in FIELDS:
        check_fields(data.get(key) or [], key, path)
    return data


def _no_lists(data: object, wanted: Sequence[str]) -> str:
    """What stands in the place of the lists ``wanted`` of a file."""
    if not isinstance(data, dict):
        return f'it holds {as_json(data)}'
    missing = [key for key in wanted if key not in data]
    first = next((key for key in wanted if key in data and not isinstance(data[key], list)), None)
    return f'missing: {missing}' if missing else f'{first!r} is no list but {as_json(data[first])}'


def as_json(value: object) -> str:
    """A value as the file has it, cut off where it is long."""
    return json.dumps(value, ensure_ascii=False)[:40]


def check_fields(entries: List[dict], key: str, path: str) -> None:
    """BadInput for the first entry of the list ``key`` that lacks one of its ``FIELDS``, or whose name is no name."""
    for number, entry in enumerate(entries):
        where = f"{path}: entry {number} of '{key}'"
        if missing := [field for field in FIELDS[key] if not isinstance(entry, dict) or field not in entry]:
            raise BadInput(f'{where} has no field {missing[0]!r}; add it')
        number_of = entry.get('id', 0)
        if isinstance(number_of, bool) or not isinstance(number_of, int) or abs(number_of) >= LARGEST_ID:
            raise BadInput(f"{where}: field 'id' is {str(number_of)[:40]!r}; give it a whole number below 2^63")
        for field in ('image_id', 'category_id'):
            if isinstance(entry.get(field), (list, dict)):
                raise BadInput(f'{where}: field {field!r} is {as_json(entry[field])}; give an id')
        if not (isinstance(entry.get('file_name', 'x'), str) and entry.get('file_name', 'x')):
            raise BadInput(f"{where}: field 'file_name' is {entry['file_name']!r}; give the name of the picture")


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


def joint_names(metainfo: dict) -> List[str]:
    """The K joints of a data set's meta information, in order."""
    return [metainfo['keypoint_id2name'][number] for number in range(metainfo['num_keypoints'])]


def problem_of_names(category: dict) -> str:
    """What is wrong with the joint names of a category of the file, as "field 'keypoints' ..."; '' if nothing is.

    It need not name them. Names that are not told apart could stand in any order.
    """
    names = category.get('keypoints', [])
    if not isinstance(names, (list, tuple)):
        return (f"field 'keypoints' of the category is {as_json(names)}, no list of joint names; give one, or take the "
                'field out')
    name, times = next(iter(Counter(map(str, names)).most_common(1)), ('', 0))
    return '' if times < 2 else (f"field 'keypoints' of the category names {name!r} {times} times; give each joint its "
                                 'own name, or take the field out')


def check_joints(data: dict, path: str, category: int, names: Sequence[str]) -> None:
    """BadInput if a file is of another data set, so that its people have other joints than the configuration, or names
    its joints so that nobody can tell (``problem_of_names``).

    Either nobody has K joints, or the file's category has K and names one that stands elsewhere in the configuration.
    Names that only one of the two has say nothing, because spellings differ: CrowdPose's own 'head' is 'top_head' in
    MMPose.

    Args:
        data: of ``read_annotations``. path: for the message. category: id of that of the people.
        names: (K,) joints of the configuration, in order.
    """
    joints = [a.get('keypoints') for a in data['annotations'] if a['category_id'] == category]
    lengths = [len(values) for values in joints if isinstance(values, list) and values]
    way_out = ('set ann_file to a file of the data set that the configuration is for, or use the configuration of '
               'this one')
    if lengths and 3 * len(names) not in lengths:
        raise BadInput(f"{path}: field 'keypoints' of the annotations has {lengths[0] // 3} joints, the configuration "
                       f'{len(names)}; {way_out}')
    of_people = next(c for c in data['categories'] if c['id'] == category)
    if problem := problem_of_names(of_people):
        raise BadInput(f'{path}: {problem}')
    places = {joint_words(name): place for place, name in enumerate(names)}
    given = of_people.get('keypoints', ())
    for place, name in enumerate(given if len(given) == len(names) else ()):
        if places.get(joint_words(name), place) != place:
            raise BadInput(f"{path}: field 'keypoints' of the category has {name!r} as joint {place}, the "
                           f'configuration as joint {places[joint_words(name)]}; {way_out}')


def joint_words(name: str) -> frozenset:
    """The words of a joint's name in any order: those of 'left_hip', 'HipLeft' and 'LHip' are the same."""
    words = re.findall(r'[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\da-zA-Z_]+', str(name))
    return frozenset(SIDES.get(word.lower(), word.lower()) for word in words)


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
    if not keypoints or not isinstance(keypoints, (list, tuple)):
        return "field 'keypoints' is missing; use the person_keypoints file, not the instances file"
    if len(keypoints) != 3 * num_keypoints:
        return (f"field 'keypoints' has {len(keypoints)} numbers, but {num_keypoints} joints need "
                f'{3 * num_keypoints}; use the configuration of this data set')
    if not all(map(is_coordinate, keypoints)):
        return f"field 'keypoints' has {_no_coordinate(keypoints)}"
    return problem_of_box(annotation) if labelled_joints(annotation) else ''


def is_coordinate(value: object) -> bool:
    """Whether a value is a number that can lie in a picture: not NaN, not infinite, not beyond ``FARTHEST``."""
    return is_number(value) and -FARTHEST < value < FARTHEST


def is_number(value: object) -> bool:
    """Whether a value is a number: true and false, which Python takes for 1 and 0, are none."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _no_coordinate(values: Sequence) -> str:
    """What the first of the values that is no coordinate is."""
    first = next(value for value in values if not is_coordinate(value))
    return 'a number that is not finite' if is_number(first) else f'{as_json(first)}, which is no number'


def problem_of_box(annotation: dict) -> str:
    """As ``problem_of`` for the box of a person with labelled joints; the Gaussian's size comes from it."""
    box = annotation.get('bbox')
    if not isinstance(box, (list, tuple)) or len(box) != 4:
        return "field 'bbox' is missing; it must be [x, y, width, height] in pixels"
    if not all(map(is_coordinate, box)):
        return f"field 'bbox' has {_no_coordinate(box)}"
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
