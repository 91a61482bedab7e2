"""Annotation files in COCO's format: read once, checked before anything is built from them."""

import json
import os.path as osp
import re
from collections import Counter
from collections.abc import Sequence

from cid_mmpose.errors import BadInput

from .storage import exists, is_file, text_of
from .values import as_json, is_file_name, is_id

NOT_COCO = "is not a COCO annotation file (a JSON object with 'images', 'annotations' and 'categories')"
FIELDS = dict(
    images=('id', 'file_name', 'height', 'width'), annotations=('id', 'image_id', 'category_id'), categories=('id',)
)  # what every entry of a list must have
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
    if text.lstrip().startswith('<'):
        raise BadInput(f'{path}: is a web page, not an annotation file; get it again')
    if text.startswith(MARK):  # the evaluation reads the file by itself, and would stop there
        raise BadInput(f'{path}: begins with a byte order mark; save it as UTF-8 without one')
    data = _parse(text, path)
    has_people = isinstance(data, dict) and data.get('annotations', []) != []
    wanted = ['images'] + ['annotations', 'categories'] * (needs_people or has_people)
    if not isinstance(data, dict) or not all(isinstance(data.get(key), list) for key in wanted):
        raise BadInput(f'{path}: {NOT_COCO}; {_no_lists(data, wanted)}')
    for key in FIELDS:
        check_fields(data.get(key) or [], key, path)
    return data


def _parse(text: str, path: str) -> object:
    """The value that a text in JSON holds."""
    try:
        return json.loads(text)
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


def _no_lists(data: object, wanted: Sequence[str]) -> str:
    """What stands in the place of the lists ``wanted`` of a file."""
    if not isinstance(data, dict):
        return f'it holds {as_json(data)}'
    missing = [key for key in wanted if key not in data]
    first = next((key for key in wanted if key in data and not isinstance(data[key], list)), None)
    return f'missing: {missing}' if missing else f'{first!r} is no list but {as_json(data[first])}'


def check_fields(entries: list[dict], key: str, path: str) -> None:
    """BadInput for the first entry of the list ``key`` that lacks one of its ``FIELDS``, or whose name is no name."""
    for number, entry in enumerate(entries):
        where = f"{path}: entry {number} of '{key}'"
        if missing := [field for field in FIELDS[key] if not isinstance(entry, dict) or field not in entry]:
            raise BadInput(f'{where} has no field {missing[0]!r}; add it')
        least = None if key == 'annotations' else 0  # the evaluation numbers people itself
        if not is_id(entry['id']) or (least is not None and entry['id'] < least):
            raise BadInput(f"{where}: field 'id' is {as_json(entry['id'])}; give a whole number from 0 to below 2^63")
        for field in ('image_id', 'category_id'):
            if isinstance(entry.get(field), (list, dict)):
                raise BadInput(f'{where}: field {field!r} is {as_json(entry[field])}; give an id')
        if key == 'images' and not is_file_name(entry['file_name']):
            raise BadInput(f"{where}: field 'file_name' is {as_json(entry['file_name'])}; give the name of the image")


def person_category(categories: list[dict], path: str) -> int:
    """Id of the category that people have: the one named 'person', or the only one there is, whatever its id.

    Raises:
        BadInput: there are several and none is named 'person'.
    """
    ids = [c['id'] for c in categories if c.get('name') == 'person'] or [c['id'] for c in categories]
    if not ids:
        raise BadInput(
            f"{path}: field 'categories' is empty; put in the category of the annotated people, with their "
            "category_id as its id and 'person' as its name"
        )
    if len(ids) != 1:
        names = as_json([c.get('name') for c in categories])
        several = [c for c in categories if c.get('name') == 'person']
        what = f"{len(several)} of them 'person'" if several else "but none of them 'person'"
        raise BadInput(
            f"{path}: field 'categories' names {names}, {what}; name the category of the annotated people, "
            "and no other, 'person'"
        )
    return ids[0]


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
    if wrong := [name for name in names if not isinstance(name, (str, int, float))]:
        return (
            f"field 'keypoints' of the category has {as_json(wrong[0])} as the name of a keypoint; give text, or "
            'take the field out'
        )
    name, times = next(iter(Counter(map(str, names)).most_common(1)), ('', 0))
    if times < 2:
        return ''
    return (
        f"field 'keypoints' of the category names {name!r} {times} times; give each keypoint its own name, or take "
        'the field out'
    )


def check_keypoints(data: dict, path: str, category: int, names: Sequence[str]) -> None:
    """BadInput if a file is of another data set, so that its people have other keypoints than the configuration, or
    names its keypoints so that nobody can tell (``problem_of_names``).

    Either nobody has K keypoints, or the file's category has K and names one that stands elsewhere in the
    configuration. Names that only one of the two has say nothing, because spellings differ: CrowdPose's own 'head' is
    'top_head' in MMPose.

    Args:
        data: of ``read_annotations``.
        path: for the message.
        category: id of that of the people.
        names: (K,) keypoints of the configuration, in order.
    """
    keypoints = [a.get('keypoints') for a in data['annotations'] if a['category_id'] == category]
    if any(isinstance(values, list) and values and isinstance(values[0], list) for values in keypoints):
        raise BadInput(
            f"{path}: field 'keypoints' of the annotations holds a list a keypoint; give x, y and "
            'visibility of all keypoints one after another'
        )
    lengths = [len(values) for values in keypoints if isinstance(values, list) and values]
    way_out = (
        'set ann_file to a file of the data set that the configuration is for, or use the configuration of this one'
    )
    if lengths and 3 * len(names) not in lengths:
        raise BadInput(
            f"{path}: field 'keypoints' of the annotations has {lengths[0] // 3} keypoints, the "
            f'configuration {len(names)}; {way_out}'
        )
    of_people = next(c for c in data['categories'] if c['id'] == category)
    if problem := problem_of_names(of_people):
        raise BadInput(f'{path}: {problem}')
    places = {keypoint_words(name): place for place, name in enumerate(names)}
    given = of_people.get('keypoints', ())
    for place, name in enumerate(given if len(given) == len(names) else ()):
        if places.get(keypoint_words(name), place) != place:
            raise BadInput(
                f"{path}: field 'keypoints' of the category has {name!r} as keypoint {place}, the "
                f'configuration as keypoint {places[keypoint_words(name)]}; {way_out}'
            )


def keypoint_words(name: str) -> frozenset:
    """The words of a keypoint's name in any order: those of 'left_hip', 'HipLeft' and 'LHip' are the same."""
    words = re.findall(r'[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\da-zA-Z_]+', str(name))
    return frozenset(SIDES.get(word.lower(), word.lower()) for word in words)


def check_data_root(data_root: str) -> None:
    """BadInput if a data root is named and is not a folder; files on other back ends are not looked for."""
    if data_root and '://' not in data_root and not osp.isdir(data_root):
        raise BadInput(
            f'{data_root}: no such folder; put the data set there or set data_root of the data set '
            '(for COCO it holds annotations/, train2017/ and val2017/)'
        )
