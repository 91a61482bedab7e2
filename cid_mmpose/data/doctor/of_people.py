"""Checks of the people: keypoints, boxes, areas, regions. Each takes a case; N people, K keypoints."""

import numpy as np

from cid_mmpose.data.problems import is_image_known, problem_of_crowd_flag, problem_of_pixels
from cid_mmpose.data.regions import region_problem
from cid_mmpose.data.units import problem_of_units
from cid_mmpose.data.values import as_json

from .case import Case, Found

SLACK = 1.0  # pixels that a box may stick out of its image before it is mentioned: annotations are rounded


def _lengths(case: Case) -> np.ndarray:
    """(N,) how many numbers 'keypoints' holds; 0 if there is no list."""
    keypoints = [a.get('keypoints') for a in case.people]
    return np.array([len(k) if isinstance(k, (list, tuple)) else 0 for k in keypoints], int)


def unknown_image(case: Case) -> Found:
    """People whose image the file does not list."""
    known = np.array([is_image_known(a, case.image_of) for a in case.people], bool)
    return case.people_where(~known, detail=lambda row: f'image_id {as_json(case.people[row]["image_id"])}')


def crowd_flag(case: Case) -> Found:
    """People whose 'iscrowd' is neither 0 nor 1."""
    wrong = np.array([bool(problem_of_crowd_flag(a)) for a in case.people], bool)
    return case.people_where(wrong, detail=lambda row: f'iscrowd {as_json(case.people[row]["iscrowd"])}')


def keypoints_missing(case: Case) -> Found:
    """People, not crowds, without keypoints."""
    return case.people_where((_lengths(case) == 0) & ~case.crowd, ~case.crowd)


def keypoints_count(case: Case) -> Found:
    """People, not crowds, with another number of keypoints than the data set."""
    lengths = _lengths(case)
    needed = 3 * case.num_keypoints
    return case.people_where(
        (lengths > 0) & (lengths != needed) & ~case.crowd,
        ~case.crowd,
        lambda row: f'{lengths[row]} numbers, {case.num_keypoints} keypoints need {needed}',
    )


def keypoints_not_finite(case: Case) -> Found:
    """People with a keypoint that is NaN, infinite or no number."""
    wrong = np.isnan(case.keypoints).any(2)
    found = wrong.any(1) & ~case.crowd & (_lengths(case) == 3 * case.num_keypoints)
    return case.people_where(found, ~case.crowd, lambda row: f'keypoints {np.flatnonzero(wrong[row]).tolist()}')


def visibility(case: Case) -> Found:
    """People with a visibility that is a number other than 0, 1 and 2."""
    values = case.keypoints[..., 2]
    wrong = ~np.isin(values, (0, 1, 2)) & np.isfinite(values)
    return case.people_where(
        wrong.any(1) & ~case.crowd, ~case.crowd, lambda row: f'values {np.unique(values[row][wrong[row]]).tolist()}'
    )


def keypoints_at_origin(case: Case) -> Found:
    """People with a labelled keypoint at exactly (0, 0), which their box does not reach."""
    inside = (case.box[:, :2] <= 0).all(1) & case.has_size
    wrong = at_origin(case) & ~inside[:, None]
    return case.people_where(
        wrong.any(1) & ~case.crowd, case.is_labelled, lambda row: f'keypoints {np.flatnonzero(wrong[row]).tolist()}'
    )


def at_origin(case: Case) -> np.ndarray:
    """(N, K) bool: labelled keypoints at (0, 0)."""
    return case.labelled & (case.keypoints[..., :2] == 0).all(2)


def keypoints_outside(case: Case) -> Found:
    """People with a labelled keypoint outside the image."""
    wrong = outside(case)
    return case.people_where(
        wrong.any(1) & ~case.crowd,
        case.is_labelled,
        lambda row: ', '.join(map(str, case.keypoints[row, wrong[row], :2].tolist())),
    )


def outside(case: Case) -> np.ndarray:
    """(N, K) bool: labelled keypoints that are not in [0, width) x [0, height) of their image."""
    xy = case.keypoints[..., :2]
    return case.labelled & ((xy < 0) | (xy >= case.sides[:, None])).any(2)


def box_missing(case: Case) -> Found:
    """Labelled people without a box of four numbers in a list."""
    boxes = [a.get('bbox') for a in case.people]
    missing = np.array([not isinstance(box, (list, tuple)) or len(box) != 4 for box in boxes], bool)
    return case.people_where(missing & case.is_labelled, case.is_labelled)


def box_not_finite(case: Case) -> Found:
    """Labelled people with a number in their box that is NaN, infinite or no number."""
    boxes = [a.get('bbox') for a in case.people]
    listed = np.array([isinstance(box, (list, tuple)) and len(box) == 4 for box in boxes], bool)
    return case.people_where(
        listed & np.isnan(case.box).any(1) & case.is_labelled, case.is_labelled, lambda row: as_json(boxes[row])
    )


def box_no_size(case: Case) -> Found:
    """Labelled people whose box has zero or negative sides."""
    wrong = np.isfinite(case.box).all(1) & ~case.has_size
    return case.people_where(
        wrong & case.is_labelled, case.is_labelled, lambda row: f'{case.box[row, 2]:g} x {case.box[row, 3]:g} pixels'
    )


def no_pixels(case: Case) -> Found:
    """All labelled people, if their boxes or keypoints are plainly not in pixels."""
    sound = case.is_labelled & case.has_size & np.isfinite(case.keypoints).all((1, 2))
    people = [case.people[row] for row in np.flatnonzero(sound)]
    shapes = {person['image_id']: case.sides[row][::-1] for person, row in zip(people, np.flatnonzero(sound))}
    text = problem_of_units(people, shapes)
    return case.people_where(sound & bool(text), case.is_labelled, lambda row: text)


def box_outside(case: Case) -> Found:
    """Labelled people whose box reaches out of the image by more than ``SLACK``."""
    low, high = case.box[:, :2], case.box[:, :2] + case.box[:, 2:]
    wrong = ((low < -SLACK) | (high > case.sides + SLACK)).any(1) & case.has_size
    return case.people_where(
        wrong & case.is_labelled,
        case.is_labelled,
        lambda row: f'{case.box[row].tolist()} in {case.sides[row].tolist()}',
    )


def unlabelled_box(case: Case) -> Found:
    """Crowds and people without labelled keypoints that have no usable box."""
    return case.people_where(~case.is_labelled & ~case.has_size, ~case.is_labelled)


def same_person_twice(case: Case) -> Found:
    """Labelled people with exactly the keypoints of an earlier one in the same image."""
    keypoints = np.where(case.labelled[..., None], case.keypoints, 0)
    first, same = {}, np.zeros(len(case.people), bool)
    for row in np.flatnonzero(case.is_labelled):
        key = case.people[row]['image_id'], keypoints[row].tobytes()
        same[row] = first.setdefault(key, row) != row

    def twin(row: int) -> str:
        return f'as id {case.people[first[case.people[row]["image_id"], keypoints[row].tobytes()]]["id"]}'

    return case.people_where(same, case.is_labelled, twin)


def region_broken(case: Case) -> Found:
    """Crowds and people without labelled keypoints whose region does not decode; of others nobody reads the region."""
    problems = {
        row: text
        for row in np.flatnonzero(~case.is_labelled)
        if (text := region_problem(case.people[row].get('segmentation'), case.sides[row][::-1]))
    }
    return case.people_where(
        np.isin(np.arange(len(case.people)), list(problems)), ~case.is_labelled, lambda row: problems[row]
    )


def rle_regions(case: Case) -> Found:
    """Crowds and people without labelled keypoints whose region is run-length encoded."""
    encoded = np.array([isinstance(a.get('segmentation'), dict) for a in case.people], bool)
    return case.people_where(encoded & ~case.is_labelled, ~case.is_labelled)


def no_region(case: Case) -> Found:
    """Crowds and people without labelled keypoints that have no region."""
    bare = np.array([not a.get('segmentation') for a in case.people], bool)
    return case.people_where(bare & ~case.is_labelled, ~case.is_labelled)


def _area_missing(case: Case) -> np.ndarray:
    return np.array(['area' not in a for a in case.people], bool)


def area_missing(case: Case) -> Found:
    """People and crowds without an area, where the evaluation takes it from the file."""
    return case.people_where(_area_missing(case) & case.needs_area)


def area_invalid(case: Case) -> Found:
    """Labelled people whose area cannot be a person's, where the evaluation takes it from the file."""
    asked_for = case.is_labelled & ~_area_missing(case) & case.needs_area
    problems = {
        row: problem_of_pixels(case.people[row]['area'], case.sides[row][::-1]) for row in np.flatnonzero(asked_for)
    }
    wrong = np.array([bool(problems.get(row)) for row in range(len(case.people))], bool)
    return case.people_where(wrong, case.is_labelled, lambda row: f'area {as_json(case.people[row]["area"])}')


def area_estimated(case: Case) -> Found:
    """People and crowds without an area, where the evaluation does not ask for it."""
    return case.people_where(_area_missing(case) & (not case.needs_area))


def num_keypoints(case: Case) -> Found:
    """People whose 'num_keypoints' is missing or not the number of labelled keypoints, as this file counts them."""
    count = counted_keypoints(case)
    stale = np.array([a.get('num_keypoints') != n for a, n in zip(case.people, count.tolist())], bool)
    usable = ~case.crowd & np.isfinite(case.keypoints).all((1, 2))
    return case.people_where(
        stale & usable, usable, lambda row: f'{as_json(case.people[row].get("num_keypoints"))} instead of {count[row]}'
    )


def counted_keypoints(case: Case) -> np.ndarray:
    """(N,) labelled keypoints, as this file counts them."""
    return (case.labelled & case.counted).sum(1)


def head_or_neck_only(case: Case) -> Found:
    """Labelled people none of whose labelled keypoints counts in CrowdPose's 'num_keypoints'."""
    return case.people_where(case.is_labelled & (counted_keypoints(case) == 0), case.is_labelled)
