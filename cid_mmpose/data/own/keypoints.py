"""What an annotation file says of its keypoints: names, links, and partners in the mirrored image."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from cid_mmpose.data.annotations import keypoint_words, people_categories, problem_of_names
from cid_mmpose.data.problems import of_people
from cid_mmpose.data.values import as_json, is_whole
from cid_mmpose.errors import BadInput

from .partners import Partners, partners_of

# COCO's 17, by the words of their names: MMPose's meta information of COCO is right for them
COCO = (
    'nose',
    *(f'{side}_{part}' for part in ('eye', 'ear', 'shoulder', 'elbow', 'wrist') for side in ('left', 'right')),
    *(f'{side}_{part}' for part in ('hip', 'knee', 'ankle') for side in ('left', 'right')),
)
NAME_THEM = '--keypoints NAME NAME ... gives them, in the order of the numbers'


class Links(NamedTuple):
    """The skeleton of a file."""

    pairs: tuple[tuple[int, int], ...]  # places of keypoints, from 0
    note: str  # how it was read, or why it was not


class Keypoints(NamedTuple):
    """The K keypoints of an annotation file."""

    names: tuple[str, ...]
    partners: Partners
    links: Links

    @property
    def are_coco(self) -> bool:
        """Whether they are COCO's 17, in order and in any spelling."""
        return list(map(keypoint_words, self.names)) == list(map(keypoint_words, COCO))


def keypoints_of(data: dict, path: str, given: Sequence[str] = ()) -> Keypoints:
    """Reads names and links of the keypoints from the category of the people.

    Args:
        data: of ``read_annotations``.
        path: for messages.
        given: names, where the category has none or others are wanted.

    Raises:
        BadInput: there are no names, they cannot be told apart, or the annotations have another number of keypoints.
    """
    ids = people_categories(data['categories'], path)
    category = next(entry for entry in data['categories'] if entry['id'] == ids[0])
    names = _names_of(category, path, given)
    _check_number(of_people(data, ids), path, len(names))
    return Keypoints(names, partners_of(names), links_of(category.get('skeleton'), len(names)))


def _names_of(category: dict, path: str, given: Sequence[str]) -> tuple[str, ...]:
    """The names of the keypoints, as text."""
    if given:
        category = dict(category, keypoints=list(given))
    if not category.get('keypoints'):
        name = as_json(category.get('name'))
        raise BadInput(f"{path}: field 'keypoints' of the category {name} names no keypoints; {NAME_THEM}")
    problem = problem_of_names(category)
    if problem:
        where = '--keypoints' if given else path
        raise BadInput(f'{where}: {problem}')

    names = tuple(str(name).strip() for name in category['keypoints'])
    for place, name in enumerate(names):
        if not name or names.count(name) > 1:
            raise BadInput(f"{path}: field 'keypoints' of the category names keypoint {place} {name!r}; {NAME_THEM}")
    return names


def _check_number(people: Sequence[dict], path: str, num_keypoints: int) -> None:
    """BadInput unless somebody has so many keypoints."""
    numbers: Counter[int] = Counter()
    for annotation in people:
        values = annotation.get('keypoints')
        if isinstance(values, list) and values and isinstance(values[0], list):
            raise BadInput(
                f"{path}: field 'keypoints' of the annotations holds a list a keypoint; give x, y and visibility of "
                'all keypoints one after another'
            )
        if isinstance(values, list) and values:
            numbers[len(values) // 3] += 1
    if not numbers:
        raise BadInput(
            f"{path}: no annotation of the category has 'keypoints'; export the file in a format with keypoints"
        )
    if num_keypoints not in numbers:
        most_common, _ = numbers.most_common(1)[0]
        raise BadInput(
            f'{path}: {num_keypoints} keypoints are named, but the annotations have {most_common}; {NAME_THEM}'
        )


def links_of(skeleton: object, num_keypoints: int) -> Links:
    """The skeleton of a category: pairs of numbers, which COCO counts from 1; from 0 where a 0 is among them.

    Args:
        skeleton: what the category holds.
        num_keypoints: K.
    """
    if not skeleton:
        return Links((), 'the file has no skeleton: add links to skeleton_info, to see them drawn')
    problem = _problem_of_skeleton(skeleton, num_keypoints)
    if problem:
        return Links((), f'the skeleton of the file is left out: {problem}')

    first = min(min(pair) for pair in skeleton)
    base = 0 if first == 0 else 1
    pairs = []
    for one, other in skeleton:
        pair = (int(one) - base, int(other) - base)
        if pair not in pairs and pair[::-1] not in pairs:
            pairs.append(pair)
    note = f'{len(pairs)} of the skeleton of the file, whose numbers count from {base}'
    return Links(tuple(pairs), note)


def _problem_of_skeleton(skeleton: object, num_keypoints: int) -> str:
    """What is wrong with a skeleton; '' if nothing is."""
    if not isinstance(skeleton, list):
        return f'it is {as_json(skeleton)}, no list of pairs'
    for pair in skeleton:
        is_pair = isinstance(pair, (list, tuple)) and len(pair) == 2 and all(map(is_whole, pair))
        if not is_pair or pair[0] == pair[1]:
            return f'{as_json(pair)} is no pair of keypoints'

    numbers = [number for pair in skeleton for number in pair]
    last = num_keypoints - 1 if min(numbers) == 0 else num_keypoints
    for number in numbers:
        if not 0 <= number <= last:
            return f'it names keypoint {as_json(number)}, there are {num_keypoints}'
    return ''
