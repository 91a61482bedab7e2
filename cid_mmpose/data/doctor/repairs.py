"""Repairs, each of what one check found: they change the case's data in memory and count what they did.

A person who cannot be repaired stays as one without labelled keypoints: the loss leaves such a person's region out, and
AP does not count them. Leaving them out altogether would teach the network that nobody is there.
"""

import re
from collections import Counter
from collections.abc import Callable, Collection

import numpy as np

from cid_mmpose.data.problems import LEAST_AREA
from cid_mmpose.data.values import as_json

from .case import Case
from .of_people import at_origin, counted_keypoints, outside
from .regions import Extent, extent_of

TEXT_OF_ID = re.compile(r'\s*(-?\d{1,19})(\.0)?\s*')
FLAGS = {'0': 0, '0.0': 0, 'false': 0, 'no': 0, '': 0, '1': 1, '1.0': 1, 'true': 1, 'yes': 1}  # ways to spell 'iscrowd'
BOX_SHARE = 0.53  # of a box that a person's region fills on average; xtcocotools' choice where there is no area
Repair = Callable[[Case, list[dict]], Counter]  # case, entries found -> what was done, how often


def leave_out_people(case: Case, entries: list[dict]) -> Counter:
    """Takes annotations out."""
    case.data['annotations'] = _without(case.annotations, entries)
    return Counter({'left out': len(entries)})


def image_by_text(case: Case, entries: list[dict]) -> Counter:
    """Takes an 'image_id' that is text as the number in it, where that is an image's; leaves the others out."""
    return _id_by_text(case, entries, 'image_id', case.image_by_id)


def category_by_text(case: Case, entries: list[dict]) -> Counter:
    """Takes a 'category_id' that is text as the number in it, where that is a category's; leaves the others out."""
    known = [category['id'] for category in case.categories]
    return _id_by_text(case, entries, 'category_id', known)


def _id_by_text(case: Case, entries: list[dict], field: str, known: Collection[int]) -> Counter:
    """As ``image_by_text`` for any field that names an entry of another list."""
    unknown = []
    done = Counter()
    for annotation in entries:
        text = as_json(annotation[field]).strip('"')
        digits = TEXT_OF_ID.fullmatch(text)
        if digits and int(digits[1]) in known:
            annotation[field] = int(digits[1])
            done[f'{field} taken as a number'] += 1
        else:
            unknown.append(annotation)

    left_out = leave_out_people(case, unknown)
    return done + left_out


def leave_out_images(case: Case, entries: list[dict]) -> Counter:
    """Takes images out, with everyone in them."""
    done = leave_out_entries_of_images(case, entries)

    gone = {image['id'] for image in entries}
    people = [a for a in case.annotations if a['image_id'] in gone]
    leave_out_people(case, people)
    return done + Counter({'annotations of theirs left out': len(people)})


def leave_out_entries_of_images(case: Case, entries: list[dict]) -> Counter:
    """Takes images out and leaves the annotations to the image that has the same id."""
    case.data['images'] = _without(case.images, entries)
    return Counter({'left out': len(entries)})


def _without(everything: list[dict], entries: list[dict]) -> list[dict]:
    """All but these entries; others that are equal to one of them stay."""
    gone = set(map(id, entries))
    return [entry for entry in everything if id(entry) not in gone]


def leave_out_categories(case: Case, entries: list[dict]) -> Counter:
    """Takes categories out, with their annotations."""
    gone = {category['id'] for category in entries}
    people = [a for a in case.annotations if a['category_id'] in gone]
    leave_out_people(case, people)

    case.data['categories'] = [c for c in case.categories if c['id'] not in gone]
    return Counter({'left out': len(entries), 'annotations of theirs left out': len(people)})


def number_one(case: Case, entries: list[dict]) -> Counter:
    """Gives the category of people the id 1."""
    for annotation in case.people:
        annotation['category_id'] = 1
    entries[0]['id'] = 1
    return Counter({'given the id 1': 1, 'annotations changed with it': len(case.people)})


def new_ids(case: Case, entries: list[dict]) -> Counter:
    """Numbers annotations beyond the largest id."""
    largest = max((a['id'] for a in case.annotations), default=0)
    for number, annotation in enumerate(entries, largest + 1):
        annotation['id'] = number
    return Counter({'given new ids': len(entries)})


def crowd_flags(case: Case, entries: list[dict]) -> Counter:
    """Takes 'iscrowd' as the 0 or 1 that it spells.

    Whatever else it is, the person counts as a crowd, so that nobody is trained on, or asked for, who may be one.
    """
    done = Counter()
    for annotation in entries:
        text = as_json(annotation['iscrowd'])
        spelt = text.strip('"[] ').lower()
        flag = FLAGS.get(spelt, 1)
        annotation['iscrowd'] = flag
        done[f'taken as {flag}'] += 1
    return done


def sides_of_files(case: Case, entries: list[dict]) -> Counter:
    """Takes width and height from the image; leaves out those whose file was not decoded."""
    looks = case.looks or {}
    corrected = 0
    unknown = []
    for image in entries:
        look = looks.get(image['file_name'])
        if look and look.shape:
            height, width = look.shape
            image['height'] = int(height)
            image['width'] = int(width)
            corrected += 1
        else:
            unknown.append(image)

    left_out = leave_out_images(case, unknown)
    return Counter({'sides taken from the file': corrected}) + left_out


def unlabel_people(case: Case, entries: list[dict]) -> Counter:
    """Takes all keypoints of people as unlabelled."""
    for annotation in entries:
        annotation.update(keypoints=[0] * 3 * case.num_keypoints, num_keypoints=0)
    return Counter({'taken as people without labelled keypoints': len(entries)})


def _unlabel(case: Case, wrong: np.ndarray, entries: list[dict]) -> Counter:
    """Takes single keypoints as unlabelled; ``wrong`` (N, K) bool."""
    rows = rows_of(case, entries)
    right = case.labelled & ~wrong
    counts = (right & case.counted).sum(1)
    for annotation, row in zip(entries, rows):
        keypoints = list(annotation['keypoints'])
        for place in np.flatnonzero(wrong[row]):
            keypoints[3 * place : 3 * place + 3] = [0, 0, 0]
        annotation['keypoints'] = keypoints
        annotation['num_keypoints'] = int(counts[row])

    unlabelled = int(wrong[rows].sum())
    return Counter({'corrected': len(entries), 'keypoints taken as unlabelled': unlabelled})


def unlabel_not_finite(case: Case, entries: list[dict]) -> Counter:
    """Takes keypoints that are no numbers as unlabelled."""
    return _unlabel(case, np.isnan(case.keypoints).any(2), entries)


def unlabel_at_origin(case: Case, entries: list[dict]) -> Counter:
    """Takes keypoints at (0, 0) as unlabelled."""
    return _unlabel(case, at_origin(case), entries)


def unlabel_outside(case: Case, entries: list[dict]) -> Counter:
    """Takes keypoints outside the image as unlabelled."""
    return _unlabel(case, outside(case), entries)


def round_visibility(case: Case, entries: list[dict]) -> Counter:
    """Visibility above 0 becomes 2 unless it is 1, below 0 becomes 0."""
    for annotation in entries:
        values = annotation['keypoints'][2::3]
        annotation['keypoints'][2::3] = list(map(_rounded_visibility, values))
    return Counter({'corrected': len(entries)})


def _rounded_visibility(value: float) -> float:
    if value in (0, 1, 2):
        return value
    return 2 if value > 0 else 0


def _region_of(case: Case, annotation: dict, row: int) -> Extent:
    """Box and area of a person's region."""
    return extent_of(annotation.get('segmentation'), case.shapes[row])


def box_anew(case: Case, entries: list[dict]) -> Counter:
    """Takes the box from the region, else from the labelled keypoints; without either, the keypoints are unlabelled."""
    done = Counter()
    for annotation, row in zip(entries, rows_of(case, entries)):
        box = _region_of(case, annotation, row).box
        if box is not None:
            annotation['bbox'] = box
            done['box taken from the region'] += 1
            continue

        labelled = case.labelled[row]
        box = box_of_keypoints(case.keypoints[row, labelled, :2])
        if box is not None:
            annotation['bbox'] = box
            done['box taken from the labelled keypoints'] += 1
            continue

        done += unlabel_people(case, [annotation])
    return done


def box_of_keypoints(xy: np.ndarray) -> list[float] | None:
    """Box x, y, w, h around keypoints (n, 2) in pixels; None where it would have no size."""
    return _box_between(xy.min(0), xy.max(0))


def _box_between(low: np.ndarray, high: np.ndarray) -> list[float] | None:
    """Box x, y, w, h of two corners (2,) in pixels; None where it would have no size."""
    if not (high > low).all():
        return None
    sides = high - low
    return low.tolist() + sides.tolist()


def clip_box(case: Case, entries: list[dict]) -> Counter:
    """Cuts boxes off at the border of the image; one that lies beyond it is made anew."""
    done = Counter()
    beyond = []
    for annotation, row in zip(entries, rows_of(case, entries)):
        low = case.box[row, :2]
        high = low + case.box[row, 2:]
        sides = case.sides[row]
        box = _box_between(low.clip(0, sides), high.clip(0, sides))
        if box is None:
            beyond.append(annotation)
        else:
            annotation['bbox'] = box
            done['cut off at the border'] += 1

    made_anew = box_anew(case, beyond)
    return done + made_anew


def box_of_region(case: Case, entries: list[dict]) -> Counter:
    """Takes the box of crowds and unlabelled people from their region; without one they tell nothing, and go."""
    done = Counter()
    bare = []
    for annotation, row in zip(entries, rows_of(case, entries)):
        box = _region_of(case, annotation, row).box
        if box is None:
            bare.append(annotation)
        else:
            annotation['bbox'] = box
            done['box taken from the region'] += 1

    left_out = leave_out_people(case, bare)
    return done + left_out


def region_of_box(case: Case, entries: list[dict]) -> Counter:
    """Takes the box as the region; without a usable box there is no region."""
    done = Counter()
    for annotation, row in zip(entries, rows_of(case, entries)):
        if case.has_size[row]:
            x, y, w, h = case.box[row].tolist()
            annotation['segmentation'] = [[x, y, x + w, y, x + w, y + h, x, y + h]]
            done['box taken as the region'] += 1
        else:
            annotation['segmentation'] = []
            done['region taken out'] += 1
    return done


def area_anew(case: Case, entries: list[dict]) -> Counter:
    """Takes the area from the region, else as a share of the box; 0 without either."""
    done = Counter()
    for annotation, row in zip(entries, rows_of(case, entries)):
        area = _region_of(case, annotation, row).area
        if area:
            annotation['area'] = area
            done['area taken as the region'] += 1
        elif case.has_size[row]:
            box_area = float(case.box[row, 2:].prod())
            annotation['area'] = max(LEAST_AREA, BOX_SHARE * box_area)
            done[f'area taken as {BOX_SHARE} of the box'] += 1
        else:
            annotation['area'] = 0.0
            done['area 0, without a box'] += 1
    return done


def recount(case: Case, entries: list[dict]) -> Counter:
    """Counts the labelled keypoints again."""
    counts = counted_keypoints(case)
    for annotation, row in zip(entries, rows_of(case, entries)):
        annotation['num_keypoints'] = int(counts[row])
    return Counter({'counted again': len(entries)})


def rows_of(case: Case, entries: list[dict]) -> list[int]:
    """Where these annotations are among the people of the case."""
    rows = {id(a): row for row, a in enumerate(case.people)}
    return [rows[id(a)] for a in entries]
