"""Checks of what the file says of itself: categories, keypoint names, images, ids. Each takes a case."""

from collections import Counter
from collections.abc import Sequence

from cid_mmpose.data.annotations import keypoint_words, problem_of_names
from cid_mmpose.data.problems import problem_of_category, problem_of_sides
from cid_mmpose.data.values import as_json

from .case import EXAMPLES, Case, Found
from .numbers import as_number

OTHER = dict(left='right', right='left')


def several_categories(case: Case) -> Found:
    """Categories beside that of people."""
    return _categories(case, [c for c in case.categories if case.person is not None and c['id'] != case.person])


def no_person_category(case: Case) -> Found:
    """All categories, where none of several is that of people."""
    return _categories(case, case.categories if case.person is None else [])


def person_id(case: Case) -> Found:
    """The category of people, if its id is not 1."""
    return _categories(case, [c for c in case.categories if c['id'] == case.person != 1])


def _categories(case: Case, entries: list[dict]) -> Found:
    people = Counter(a['category_id'] for a in case.annotations)
    examples = [f'id {c["id"]} {as_json(c.get("name"))}: {people[c["id"]]} annotations' for c in entries[:EXAMPLES]]
    return Found(entries, len(case.categories), examples)


def duplicate_category_ids(case: Case) -> Found:
    """Categories whose id an earlier one has."""
    return _categories(case, later([c['id'] for c in case.categories], case.categories))


def unknown_category(case: Case) -> Found:
    """Annotations whose category is not in the list of categories."""
    known = {c['id'] for c in case.categories}
    entries = [a for a in case.annotations if problem_of_category(a, known)]
    return Found(
        entries,
        len(case.annotations),
        [case.shown(a, f'category {as_json(a["category_id"])}') for a in entries[:EXAMPLES]],
    )


def keypoint_names(case: Case) -> Found:
    """The category of people, if what it names its keypoints by is no list, or not all names differ."""
    wrong = [c for c in case.categories if c['id'] == case.person and problem_of_names(c)]
    shown = [f'id {c["id"]} {as_json(c.get("name"))}: {problem_of_names(c)}' for c in wrong]
    return Found(wrong, len(case.categories), shown)


def model_keypoints(case: Case) -> Found:
    """The keypoints of the data set, if the head of the config has another number of maps."""
    names, maps = case.source.names or (), case.source.model_keypoints
    wrong = names if maps not in (None, len(names)) else ()
    return Found(list(wrong), len(names), [f'{len(names)} keypoints in metainfo, {maps} in model.head'] * bool(wrong))


def keypoint_order(case: Case) -> Found:
    """Keypoints that both the file and the config name, in any spelling, at another place."""
    config = {keypoint_words(name): place for place, name in enumerate(case.source.names or ())}
    wrong = [
        (place, name) for place, name in enumerate(case.file_names) if config.get(keypoint_words(name), place) != place
    ]
    examples = [
        f'{name}: keypoint {place} of the file, {config[keypoint_words(name)]} of the config'
        for place, name in wrong[:EXAMPLES]
    ]
    return Found([name for _, name in wrong], len(case.file_names), examples)


def flip_pairs(case: Case) -> Found:
    """Keypoints whose partner in the mirrored image is not the one that their names ask for."""
    names = case.source.names or case.file_names
    partners = case.source.flip_indices
    wrong = [(name, text) for place, name in enumerate(names) if (text := wrong_partner(place, names, partners))]
    return Found([name for name, _ in wrong], len(names), [f'{name}: {text}' for name, text in wrong[:EXAMPLES]])


def wrong_partner(place: int, names: Sequence[str], partners: Sequence[int] | None = None) -> str:
    """What is wrong with the partner of one keypoint, '' if nothing is.

    Args:
        place: of the keypoint in ``names``.
        names: (K,) keypoints, in any spelling of left and right.
        partners: (K,) ``flip_indices``; without them only the names are compared.
    """
    words = keypoint_words(names[place])
    mirrored = frozenset(OTHER.get(word, word) for word in words)
    asked = [keypoint_words(name) for name in names]
    if mirrored not in asked:
        return f'no keypoint is its {" ".join(sorted(mirrored & set(OTHER)))} one'
    if partners is None:
        return ''
    partner = partners[place]
    if mirrored != words and asked[partner] != mirrored:
        return f'is swapped with {names[partner]}, not with {names[asked.index(mirrored)]}'
    return '' if partners[partner] == place else f'is swapped with {names[partner]}, which is swapped with another'


def duplicate_image_ids(case: Case) -> Found:
    """Images whose id an earlier one has."""
    return case.images_where(later([p['id'] for p in case.images], case.images))


def duplicate_file_names(case: Case) -> Found:
    """Images whose file an earlier one has, under another id."""
    first = {p['file_name']: p for p in reversed(case.images)}
    entries = later([p['file_name'] for p in case.images], case.images)
    return case.images_where(
        [p for p in entries if p['id'] != first[p['file_name']]['id']],
        lambda p: f'also id {first[p["file_name"]]["id"]}',
    )


def image_sides(case: Case) -> Found:
    """Images whose width or height cannot be that of an image."""

    def text(image: dict) -> str:
        return f'{as_json(image["width"])} x {as_json(image["height"])}'

    return case.images_where([p for p in case.images if problem_of_sides(p)], text)


def duplicate_annotation_ids(case: Case) -> Found:
    """Annotations whose id an earlier one has."""
    entries = later([a['id'] for a in case.annotations], case.annotations)
    return Found(entries, len(case.annotations), [case.shown(a) for a in entries[:EXAMPLES]])


def negative_ids(case: Case) -> Found:
    """Annotations whose id is below 0."""
    entries = [a for a in case.annotations if a['id'] < 0]
    return Found(entries, len(case.annotations), [case.shown(a) for a in entries[:EXAMPLES]])


def later(keys: Sequence, entries: Sequence[dict]) -> list[dict]:
    """The entries whose key an earlier one has.

    Args:
        keys: one an entry.
        entries: as many.
    """
    seen, found = set(), []
    for key, entry in zip(keys, entries):
        if key in seen:
            found.append(entry)
        seen.add(key)
    return found


def crowd_index_missing(case: Case) -> Found:
    """Images without a crowdIndex, where the evaluation needs one."""
    missing = [p for p in case.images if as_number(p.get('crowdIndex')) != as_number(p.get('crowdIndex'))]
    return case.images_where(missing if case.needs_crowd_index else [])


def nobody_labelled(case: Case) -> Found:
    """All images, if none of them shows a labelled person; a file without 'annotations' is one of images alone."""
    is_empty = 'annotations' in case.data and not case.is_labelled.any()
    return Found((case.images or [case.data]) if is_empty else [], len(case.images), [])
