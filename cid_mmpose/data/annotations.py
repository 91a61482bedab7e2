"""Annotation files in COCO's format: read once, checked before anything is built from them."""

import json
import os.path as osp
import re
from collections import Counter
from collections.abc import Sequence

from cid_mmpose.errors import BadInput
from cid_mmpose.files import is_web_page

from .storage import exists, is_file, text_of
from .values import DEEPEST, as_json, is_deep, is_file_name, is_id

NOT_COCO = "is not a COCO annotation file (a JSON object with 'images', 'annotations' and 'categories')"
# what every entry of a list must have
FIELDS = dict(
    images=('id', 'file_name', 'height', 'width'),
    annotations=('id', 'image_id', 'category_id'),
    categories=('id',),
)
# lists of an annotation that are looked through number by number where they are used
NUMBERS = {'keypoints', 'bbox', 'segmentation'}
MARK = '\ufeff'  # byte order mark, which some Windows programs put before UTF-8
SIDES = dict(l='left', r='right')
OTHER_DATA_SET = (
    'set ann_file to a file of the data set that the configuration is for, or use the configuration of this one'
)


def read_annotations(path: str, needs_people: bool = True) -> dict:
    """Reads a COCO annotation file.

    Args:
        path: the file, on any back end of mmengine.
        needs_people: whether it must hold 'annotations'; the files of unlabelled test sets do not.

    Returns:
        The file's content.

    Raises:
        BadInput: the file is missing, empty, cut off or of another kind, an object names a field twice, or an entry
            lacks one of ``FIELDS`` or has a field that ``is_deep``.
    """
    if not exists(path):
        raise BadInput(
            f'{path}: no such annotation file; give the path of one, or set data_root and ann_file of the data set'
        )
    if not is_file(path):
        raise BadInput(f'{path}: is no file; set ann_file of the data set to an annotation file')
    try:
        text = text_of(path)
    except UnicodeDecodeError:
        raise BadInput(f'{path}: is not text in UTF-8, so no annotation file; get it again') from None
    except OSError as error:
        raise BadInput(f'{path}: cannot be read ({error.strerror}); see to that first') from None
    return parse_annotations(text, path, needs_people)


def parse_annotations(text: str, path: str, needs_people: bool = True) -> dict:
    """As ``read_annotations`` for the text of a file; ``path`` is for the message alone."""
    if not text.strip():
        raise BadInput(f'{path}: the annotation file is empty; get it again')
    if is_web_page(text.lstrip()[:1].encode(errors='replace')):
        raise BadInput(f'{path}: is a web page, not an annotation file; get it again')
    if text.startswith(MARK):  # the evaluation reads the file by itself, and would stop there
        raise BadInput(f'{path}: begins with a byte order mark; save it as UTF-8 without one')

    data = _parse(text, path)
    if not isinstance(data, dict):
        raise BadInput(f'{path}: {NOT_COCO}; it holds {as_json(data)}')
    has_people = data.get('annotations', []) != []
    needed = FIELDS if needs_people or has_people else ('images',)
    wanted = [key for key in FIELDS if key in needed or key in data]
    problem = _problem_of_lists(data, wanted)
    if problem:
        raise BadInput(f'{path}: {NOT_COCO}; {problem}')

    for key in FIELDS:
        check_fields(data.get(key) or [], key, path)
    return data


class _TwiceError(ValueError):
    """An object of a file names a field twice."""


def _object(fields: list[tuple[str, object]]) -> dict:
    """An object of a file."""
    made = dict(fields)
    if len(made) < len(fields):
        counts = Counter(name for name, _ in fields)
        raise _TwiceError(as_json(max(counts, key=counts.__getitem__)))
    return made


def _parse(text: str, path: str) -> object:
    """The value that a text in JSON holds."""
    try:
        return json.loads(text, object_pairs_hook=_object)
    except _TwiceError as error:
        raise BadInput(
            f'{path}: an object has the field {error} twice, of which one would be lost; take one out'
        ) from None
    except json.JSONDecodeError as error:
        raise BadInput(f'{path}: not valid JSON ({error}); the file may be cut off, get it again') from None
    except RecursionError:
        raise BadInput(
            f'{path}: not valid JSON of an annotation file (lists in lists without end); get it again'
        ) from None
    except ValueError:  # Python 3.11 and later read no number of more than 4300 digits
        raise BadInput(
            f'{path}: not valid JSON of an annotation file (a number of thousands of digits); mend it'
        ) from None


def _problem_of_lists(data: dict, wanted: Sequence[str]) -> str:
    """What stands in the place of the lists ``wanted`` of a file; '' if all are there."""
    missing = [key for key in wanted if key not in data]
    if missing:
        return f'missing: {missing}'
    for key in wanted:
        if not isinstance(data[key], list):
            return f'{key!r} is no list but {as_json(data[key])}'
    return ''


def check_fields(entries: list[dict], key: str, path: str) -> None:
    """BadInput for the first entry of the list ``key`` that lacks one of its ``FIELDS``, or whose name is no name."""
    for number, entry in enumerate(entries):
        problem = _problem_of_fields(entry, key)
        if problem:
            raise BadInput(f"{path}: entry {number} of '{key}'{problem}")


def _problem_of_fields(entry: dict, key: str) -> str:
    """What is wrong with the ``FIELDS`` of an entry of the list ``key``, as it goes on after the entry's number; ''
    if nothing is.
    """
    for field in FIELDS[key]:
        if not isinstance(entry, dict) or field not in entry:
            return f' has no field {field!r}; add it'

    number = entry['id']
    may_be_negative = key == 'annotations'  # the evaluation numbers people itself
    if not is_id(number) or (number < 0 and not may_be_negative):
        return f": field 'id' is {as_json(number)}; give a whole number from 0 to below 2^63"

    for field in ('image_id', 'category_id'):
        if isinstance(entry.get(field), (list, dict)):
            return f': field {field!r} is {as_json(entry[field])}; give an id'

    for field, value in entry.items():
        if not isinstance(value, (list, dict)) or (key == 'annotations' and field in NUMBERS):
            continue
        if is_deep(value):
            return f': field {field!r} holds lists in each other, more than {DEEPEST} deep; take it out'

    if key == 'images' and not is_file_name(entry['file_name']):
        return f": field 'file_name' is {as_json(entry['file_name'])}; give the name of the image"
    return ''


def people_categories(categories: list[dict], path: str) -> tuple[int, ...]:
    """Ids of the categories that people have, whatever ids those are: the one named 'person', else those that name
    keypoints, else the only one there is.

    Tools that annotate list other things beside them, without keypoints: boxes, or each keypoint as a category. Several
    kinds of animals with the same keypoints are all found, as one kind.

    Args:
        categories: of the file.
        path: for the message.

    Raises:
        BadInput: nobody can tell which are meant.
    """
    if not categories:
        raise BadInput(
            f"{path}: field 'categories' is empty; put in the category of the annotated people, with their "
            "category_id as its id and 'person' as its name"
        )
    called_person = [category for category in categories if category.get('name') == 'person']
    with_keypoints = [category for category in categories if category.get('keypoints')]
    candidates = called_person or with_keypoints or categories
    alike = not called_person and _same_keypoints(with_keypoints)
    if len(candidates) > 1 and not alike:
        names = as_json([category.get('name') for category in categories])
        what = f"{len(called_person)} of them 'person'" if called_person else "but none of them 'person'"
        raise BadInput(
            f"{path}: field 'categories' names {names}, {what}; name the category of the annotated people, "
            "and no other, 'person'"
        )
    return tuple(category['id'] for category in candidates)


def _same_keypoints(categories: list[dict]) -> bool:
    """Whether there are categories and all have equal lists of keypoints."""
    if not categories:
        return False
    first = categories[0]['keypoints']
    return all(category['keypoints'] == first for category in categories)


def keypoint_names(metainfo: dict) -> list[str]:
    """The K keypoints of a data set's meta information, in order."""
    return [metainfo['keypoint_id2name'][number] for number in range(metainfo['num_keypoints'])]


def problem_of_names(category: dict) -> str:
    """What is wrong with the keypoint names of a category of the file, as "field 'keypoints' ..."; '' if nothing is.

    It need not name them. Names that are not told apart could stand in any order.
    """
    names = category.get('keypoints', [])
    if not isinstance(names, (list, tuple)):
        return (
            f"field 'keypoints' of the category is {as_json(names)}, no list of keypoint names; give one, or take "
            'the field out'
        )
    for name in names:
        if not isinstance(name, (str, int, float)):
            return (
                f"field 'keypoints' of the category has {as_json(name)} as the name of a keypoint; give text, or "
                'take the field out'
            )

    counts = Counter(map(str, names))
    for name, times in counts.most_common(1):
        if times > 1:
            return (
                f"field 'keypoints' of the category names {name!r} {times} times; give each keypoint its own name, "
                'or take the field out'
            )
    return ''


def check_keypoints(data: dict, path: str, categories: Sequence[int], names: Sequence[str]) -> None:
    """BadInput if a file is of another data set, so that its people have other keypoints than the configuration, or
    names its keypoints so that nobody can tell (``problem_of_names``).

    Either nobody has K keypoints, or the file's category has K and names one that stands elsewhere in the
    configuration. Names that only one of the two has say nothing, because spellings differ: CrowdPose's own 'head' is
    'top_head' in MMPose.

    Args:
        data: of ``read_annotations``.
        path: for the message.
        categories: ids of those of the people.
        names: (K,) keypoints of the configuration, in order.
    """
    lengths = []
    for annotation in data['annotations']:
        values = annotation.get('keypoints')
        if annotation['category_id'] not in categories or not isinstance(values, list) or not values:
            continue
        if annotation.get('iscrowd'):  # a region, whose keypoints nobody reads
            continue
        if isinstance(values[0], list):
            raise BadInput(
                f"{path}: field 'keypoints' of the annotations holds a list a keypoint; give x, y and "
                'visibility of all keypoints one after another'
            )
        lengths.append(len(values))
    if lengths and 3 * len(names) not in lengths:
        raise BadInput(
            f"{path}: field 'keypoints' of the annotations has {lengths[0] // 3} keypoints, the "
            f'configuration {len(names)}; {OTHER_DATA_SET}'
        )

    of_people = next(entry for entry in data['categories'] if entry['id'] == categories[0])
    problem = problem_of_names(of_people) or _problem_of_order(of_people, names)
    if problem:
        raise BadInput(f'{path}: {problem}')


def _problem_of_order(category: dict, names: Sequence[str]) -> str:
    """The first keypoint of a category of the file that stands elsewhere in the configuration; '' if none does.

    Args:
        category: without a ``problem_of_names``.
        names: (K,) keypoints of the configuration, in order.
    """
    given = category.get('keypoints', ())
    if len(given) != len(names):
        return ''
    places = {keypoint_words(name): place for place, name in enumerate(names)}
    for place, name in enumerate(given):
        other = places.get(keypoint_words(name), place)
        if other != place:
            return (
                f"field 'keypoints' of the category has {name!r} as keypoint {place}, the "
                f'configuration as keypoint {other}; {OTHER_DATA_SET}'
            )
    return ''


def keypoint_words(name: str) -> frozenset:
    """The words of a keypoint's name in any order: those of 'left_hip', 'HipLeft' and 'LHip' are the same."""
    words = re.findall(r'[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\da-zA-Z_]+', str(name))
    lower = [word.lower() for word in words]
    return frozenset(SIDES.get(word, word) for word in lower)


def check_places(images: list[dict], folder: str, path: str) -> None:
    """BadInput if an image is named by an address although it is looked for in a folder.

    Args:
        images: of the file.
        folder: ``data_prefix`` of the images; without one an address is one of mmengine's back ends.
        path: of the file, for the message.
    """
    for image in images:
        if folder and '://' in image['file_name']:
            raise BadInput(
                f"{path}: image {image['id']}: field 'file_name' is {as_json(image['file_name'])}, an address, and "
                f'images are looked for in {folder}; get them, and name them as they are called there'
            )


def check_data_root(data_root: str) -> None:
    """BadInput if a data root is named and is not a folder; files on other back ends are not looked for."""
    if data_root and '://' not in data_root and not osp.isdir(data_root):
        raise BadInput(
            f'{data_root}: no such folder; put the data set there or set data_root of the data set '
            '(for COCO it holds annotations/, train2017/ and val2017/)'
        )
