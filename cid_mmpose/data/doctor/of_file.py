"""Checks of what the file says of itself: categories, keypoint names, images, ids. Each takes a case."""

import math
from collections import Counter
from collections.abc import Sequence

from cid_mmpose.data.annotations import keypoint_words, problem_of_names
from cid_mmpose.data.problems import problem_of_category, problem_of_sides
from cid_mmpose.data.values import as_json

from .case import EXAMPLES, Case, FoundEntries
from .numbers import as_number

OTHER = dict(left='right', right='left')


def several_categories(case: Case) -> FoundEntries:
    """Categories beside that of people."""
    if not case.person_ids:
        return _categories(case, [])
    others = [c for c in case.categories if c['id'] not in case.person_ids]
    return _categories(case, others)


def no_person_category(case: Case) -> FoundEntries:
    """All categories, where none of several is that of people."""
    if case.person_ids:
        return _categories(case, [])
    return _categories(case, case.categories)


def person_id(case: Case) -> FoundEntries:
    """The category of people, if there is one and its id is not 1."""
    if case.person_ids == (1,) or len(set(case.person_ids)) > 1:
        return _categories(case, [])
    return _categories(case, case.person_categories)


def _categories(case: Case, entries: list[dict]) -> FoundEntries:
    """These categories, each example with the number of its annotations."""
    times = Counter(a['category_id'] for a in case.annotations)
    examples = []
    for category in entries[:EXAMPLES]:
        annotations = times[category['id']]
        examples.append(f'{_shown(category)}: {annotations} annotations')
    return FoundEntries(entries, len(case.categories), examples)


def _shown(category: dict) -> str:
    """A category as an example: its id and its name."""
    name = as_json(category.get('name'))
    return f'id {category["id"]} {name}'


def duplicate_category_ids(case: Case) -> FoundEntries:
    """Categories whose id an earlier one has."""
    return _categories(case, later_of_one('id', case.categories))


def unknown_category(case: Case) -> FoundEntries:
    """Annotations whose category is not in the list of categories."""
    known = {c['id'] for c in case.categories}
    entries = [a for a in case.annotations if problem_of_category(a, known)]

    def detail(annotation: dict) -> str:
        return f'category {as_json(annotation["category_id"])}'

    return case.annotations_where(entries, detail)


def keypoint_names(case: Case) -> FoundEntries:
    """The category of people, if what it names its keypoints by is no list, or not all names differ."""
    wrong = []
    examples = []
    for category in case.person_categories:
        problem = problem_of_names(category)
        if problem:
            wrong.append(category)
            examples.append(f'{_shown(category)}: {problem}')
    return FoundEntries(wrong, len(case.categories), examples)


def model_keypoints(case: Case) -> FoundEntries:
    """The keypoints of the data set, if the head of the config has another number of maps."""
    names = case.source.names or ()
    maps = case.source.model_keypoints
    if not names or maps in (None, len(names)):
        return FoundEntries([], len(names), [])
    return FoundEntries(list(names), len(names), [f'{len(names)} keypoints in metainfo, {maps} in model.head'])


def keypoint_order(case: Case) -> FoundEntries:
    """Keypoints that both the file and the config name, in any spelling, at another place."""
    names = case.source.names or ()
    places = {keypoint_words(name): place for place, name in enumerate(names)}

    wrong = []
    examples = []
    for place, name in enumerate(case.file_names):
        asked_for = places.get(keypoint_words(name), place)
        if asked_for != place:
            wrong.append(name)
            examples.append(f'{name}: keypoint {place} of the file, {asked_for} of the config')
    return FoundEntries(wrong, len(case.file_names), examples[:EXAMPLES])


def flip_pairs(case: Case) -> FoundEntries:
    """Keypoints whose partner in the mirrored image is not the one that their names ask for."""
    names = case.source.names or case.file_names
    partners = case.source.flip_indices

    wrong = []
    examples = []
    for place, name in enumerate(names):
        problem = wrong_partner(place, names, partners)
        if problem:
            wrong.append(name)
            examples.append(f'{name}: {problem}')
    return FoundEntries(wrong, len(names), examples[:EXAMPLES])


def wrong_partner(place: int, names: Sequence[str], partners: Sequence[int] | None) -> str:
    """What is wrong with the partner of one keypoint, '' if nothing is.

    Args:
        place: of the keypoint in ``names``.
        names: (K,) keypoints, in any spelling of left and right.
        partners: (K,) ``flip_indices``; without them only the names are compared.
    """
    words = keypoint_words(names[place])
    mirrored = frozenset(OTHER.get(word, word) for word in words)
    words_of_all = [keypoint_words(name) for name in names]
    if mirrored not in words_of_all:
        side = ' '.join(sorted(mirrored & set(OTHER)))
        return f'no keypoint is its {side} one'
    if partners is None:
        return ''

    partner = partners[place]
    if mirrored != words and words_of_all[partner] != mirrored:
        right_one = names[words_of_all.index(mirrored)]
        return f'is swapped with {names[partner]}, not with {right_one}'
    if partners[partner] != place:
        return f'is swapped with {names[partner]}, which is swapped with another'
    return ''


def duplicate_image_ids(case: Case) -> FoundEntries:
    """Images whose id an earlier one has."""
    return case.images_where(later_of_one('id', case.images))


def duplicate_file_names(case: Case) -> FoundEntries:
    """Images whose file an earlier one has, under another id."""
    first = {image['file_name']: image for image in reversed(case.images)}

    def first_id(image: dict) -> object:
        return first[image['file_name']]['id']

    def detail(image: dict) -> str:
        return f'also id {first_id(image)}'

    entries = later_of_one('file_name', case.images)
    return case.images_where([image for image in entries if image['id'] != first_id(image)], detail)


def image_sides(case: Case) -> FoundEntries:
    """Images whose width or height cannot be that of an image."""

    def detail(image: dict) -> str:
        width = as_json(image['width'])
        height = as_json(image['height'])
        return f'{width} x {height}'

    wrong = [image for image in case.images if problem_of_sides(image)]
    return case.images_where(wrong, detail)


def duplicate_annotation_ids(case: Case) -> FoundEntries:
    """Annotations whose id an earlier one has."""
    return case.annotations_where(later_of_one('id', case.annotations))


def negative_ids(case: Case) -> FoundEntries:
    """Annotations whose id is below 0."""
    entries = [a for a in case.annotations if a['id'] < 0]
    return case.annotations_where(entries)


def later_of_one(field: str, entries: Sequence[dict]) -> list[dict]:
    """The entries that hold in a field what an earlier one holds there.

    Args:
        field: that every entry has.
        entries: images, annotations or categories.
    """
    seen = set()
    found = []
    for entry in entries:
        value = entry[field]
        if value in seen:
            found.append(entry)
        seen.add(value)
    return found


def crowd_index_missing(case: Case) -> FoundEntries:
    """Images without a crowdIndex, where the evaluation needs one."""
    if not case.needs_crowd_index:
        return case.images_where([])
    missing = [image for image in case.images if math.isnan(as_number(image.get('crowdIndex')))]
    return case.images_where(missing)


def nobody_labelled(case: Case) -> FoundEntries:
    """All images, if none of them shows a labelled person; a file without 'annotations' is one of images alone."""
    is_empty = 'annotations' in case.data and not case.is_labelled.any()
    if not is_empty:
        return FoundEntries([], len(case.images), [])
    return FoundEntries(case.images or [case.data], len(case.images), [])
