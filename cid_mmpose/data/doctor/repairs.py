"""Repairs, each of what one check found: they change the case's data in memory and count what they did.

A person who cannot be repaired stays as one without labelled keypoints: the loss leaves such a person's region out, and
AP does not count them. Leaving them out altogether would teach the network that nobody is there.
"""

import re
from collections import Counter
from collections.abc import Callable, Collection
from itertools import count

import numpy as np

from cid_mmpose.data.problems import LEAST_AREA
from cid_mmpose.data.values import as_json

from .case import Case
from .of_people import at_origin, counted_keypoints, outside
from .regions import box_and_area

FLAGS = {'0': 0, '0.0': 0, 'false': 0, 'no': 0, '': 0, '1': 1, '1.0': 1, 'true': 1, 'yes': 1}  # ways to spell 'iscrowd'
BOX_SHARE = 0.53  # of a box that a person's region fills on average; xtcocotools' choice where there is no area
Repair = Callable[[Case, list[dict]], Counter]  # case, entries found -> what was done, how often


def leave_out_people(case: Case, entries: list[dict]) -> Counter:
    """Takes annotations out."""
    gone = set(map(id, entries))
    case.data['annotations'] = [a for a in case.annotations if id(a) not in gone]
    return Counter({'left out': len(entries)})


def image_by_text(case: Case, entries: list[dict]) -> Counter:
    """Takes an 'image_id' that is text as the number in it, where that is an image's; leaves the others out."""
    return _id_by_text(case, entries, 'image_id', case.image_of)


def category_by_text(case: Case, entries: list[dict]) -> Counter:
    """Takes a 'category_id' that is text as the number in it, where that is a category's; leaves the others out."""
    return _id_by_text(case, entries, 'category_id', [category['id'] for category in case.categories])


def _id_by_text(case: Case, entries: list[dict], field: str, known: Collection[int]) -> Counter:
    """As ``image_by_text`` for any field that names an entry of another list."""
    unknown = []
    done = Counter()
    for annotation in entries:
        digits = re.fullmatch(r'\s*(-?\d{1,19})(\.0)?\s*', as_json(annotation[field]).strip('"'))
        if digits and int(digits[1]) in known:
            annotation[field] = int(digits[1])
            done[f'{field} taken as a number'] += 1
        else:
            unknown.append(annotation)
    return done + leave_out_people(case, unknown)


def leave_out_images(case: Case, entries: list[dict]) -> Counter:
    """Takes images out, with everyone in them."""
    done = leave_out_entries_of_images(case, entries)
    gone = {image['id'] for image in entries}
    people = [a for a in case.annotations if a['image_id'] in gone]
    leave_out_people(case, people)
    return done + Counter({'annotations of theirs left out': len(people)})


def leave_out_entries_of_images(case: Case, entries: list[dict]) -> Counter:
    """Takes images out and leaves the annotations to the image that has the same id."""
    gone = set(map(id, entries))
    case.data['images'] = [p for p in case.images if id(p) not in gone]
    return Counter({'left out': len(entries)})


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
    numbers = [a['id'] for a in case.annotations]
    for annotation, number in zip(entries, count(max(numbers, default=0) + 1)):
        annotation['id'] = number
    return Counter({'given new ids': len(entries)})


def crowd_flags(case: Case, entries: list[dict]) -> Counter:
    """Takes 'iscrowd' as the 0 or 1 that it spells; whatever else it is, the person counts as a crowd, so that nobody
    is trained on, or asked for, who may be one.
    """
    done = Counter()
    for annotation in entries:
        spelt = as_json(annotation['iscrowd']).strip('"[] ').lower()
        annotation['iscrowd'] = FLAGS.get(spelt, 1)
        done[f'taken as {annotation["iscrowd"]}'] += 1
    return done


def sides_of_files(case: Case, entries: list[dict]) -> Counter:
    """Takes width and height from the image; leaves out those whose file was not decoded."""
    looks = case.looks or {}
    seen = {id(p): looks[p['file_name']].shape for p in entries if p['file_name'] in looks}
    known = [p for p in entries if seen.get(id(p))]
    for image in known:
        image['height'], image['width'] = map(int, seen[id(image)])
    done = leave_out_images(case, [p for p in entries if not seen.get(id(p))])
    return Counter({'sides taken from the file': len(known)}) + done


def unlabel_people(case: Case, entries: list[dict]) -> Counter:
    """Takes all keypoints of people as unlabelled."""
    for annotation in entries:
        annotation.update(keypoints=[0] * 3 * case.num_keypoints, num_keypoints=0)
    return Counter({'taken as people without labelled keypoints': len(entries)})


def _unlabel(case: Case, wrong: np.ndarray, entries: list[dict]) -> Counter:
    """Takes single keypoints as unlabelled; ``wrong`` (N, K) bool."""
    rows = rows_of(case, entries)
    left = counted_keypoints(case) - (case.labelled & wrong & case.counted).sum(1)
    for annotation, row in zip(entries, rows):
        keypoints = [0 if wrong[row, place // 3] else value for place, value in enumerate(annotation['keypoints'])]
        annotation.update(keypoints=keypoints, num_keypoints=int(left[row]))
    return Counter({'corrected': len(entries), 'keypoints taken as unlabelled': int(wrong[rows].sum())})


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
        annotation['keypoints'][2::3] = [v if v in (0, 1, 2) else 2 * int(v > 0) for v in values]
    return Counter({'corrected': len(entries)})


def box_anew(case: Case, entries: list[dict]) -> Counter:
    """Takes the box from the region, else from the labelled keypoints; without either, the keypoints are unlabelled."""
    done = Counter()
    for annotation, row in zip(entries, rows_of(case, entries)):
        box, source = box_and_area(annotation.get('segmentation'), case.sides[row][::-1])[0], 'region'
        if box is None:
            box, source = box_of_keypoints(case.keypoints[row, case.labelled[row], :2]), 'labelled keypoints'
        if box is None:
            done += unlabel_people(case, [annotation])
        else:
            annotation['bbox'] = box
            done[f'box taken from the {source}'] += 1
    return done


def box_of_keypoints(xy: np.ndarray) -> list[float] | None:
    """Box x, y, w, h around keypoints (n, 2) in pixels; None where it would have no size."""
    low, high = xy.min(0), xy.max(0)
    return [*low.tolist(), *(high - low).tolist()] if (high > low).all() else None


def clip_box(case: Case, entries: list[dict]) -> Counter:
    """Cuts boxes off at the border of the image; one that lies beyond it is made anew."""
    beyond, done = [], Counter()
    for annotation, row in zip(entries, rows_of(case, entries)):
        low, high = (
            edge.clip(0, case.sides[row]) for edge in (case.box[row, :2], case.box[row, :2] + case.box[row, 2:])
        )
        if (high > low).all():
            annotation['bbox'] = [*low.tolist(), *(high - low).tolist()]
            done['cut off at the border'] += 1
        else:
            beyond.append(annotation)
    return done + box_anew(case, beyond)


def box_of_region(case: Case, entries: list[dict]) -> Counter:
    """Takes the box of crowds and unlabelled people from their region; without one they tell nothing and are left out."""
    bare, done = [], Counter()
    for annotation, row in zip(entries, rows_of(case, entries)):
        box, _ = box_and_area(annotation.get('segmentation'), case.sides[row][::-1])
        if box is None:
            bare.append(annotation)
        else:
            annotation['bbox'] = box
            done['box taken from the region'] += 1
    return done + leave_out_people(case, bare)


def region_of_box(case: Case, entries: list[dict]) -> Counter:
    """Takes the box as the region; without a usable box there is no region."""
    done = Counter()
    for annotation, row in zip(entries, rows_of(case, entries)):
        x, y, w, h = case.box[row].tolist()
        outline = [[x, y, x + w, y, x + w, y + h, x, y + h]]
        annotation['segmentation'] = outline if case.has_size[row] else []
        done['box taken as the region' if case.has_size[row] else 'region taken out'] += 1
    return done


def area_anew(case: Case, entries: list[dict]) -> Counter:
    """Takes the area from the region, else as a share of the box; 0 without either."""
    done = Counter()
    for annotation, row in zip(entries, rows_of(case, entries)):
        _, area = box_and_area(annotation.get('segmentation'), case.sides[row][::-1])
        source = 'the region' if area else f'{BOX_SHARE} of the box'
        if not area:
            area = max(LEAST_AREA, BOX_SHARE * float(case.box[row, 2:].prod())) if case.has_size[row] else 0.0
        annotation['area'] = area
        done[f'area taken as {source}' if area else 'area 0, without a box'] += 1
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
