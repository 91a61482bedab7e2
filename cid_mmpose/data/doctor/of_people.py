"""Checks of the people: keypoints, boxes, areas, regions. Each takes a case; N people, K keypoints."""

from typing import Any

import numpy as np

from cid_mmpose.data.problems import is_image_known, problem_of_crowd_flag, problem_of_pixels
from cid_mmpose.data.regions import region_problem
from cid_mmpose.data.units import problem_of_units
from cid_mmpose.data.values import as_json

from .case import Case, FoundEntries

SLACK = 1.0  # pixels that a box may stick out of its image before it is mentioned: annotations are rounded


def _length(value: Any) -> int:
    """Number of entries of a list; 0 of anything else."""
    return len(value) if isinstance(value, (list, tuple)) else 0


def _lengths(case: Case) -> np.ndarray:
    """(N,) how many numbers 'keypoints' holds; 0 if there is no list."""
    lengths = list(map(_length, case.values_of('keypoints')))
    return np.array(lengths, int)


def _places(mask: np.ndarray) -> str:
    """'keypoints [0, 3]', the places where ``mask`` (K,) is true."""
    return f'keypoints {np.flatnonzero(mask).tolist()}'


def unknown_image(case: Case) -> FoundEntries:
    """People whose image the file does not list."""

    def is_unknown(annotation: dict) -> bool:
        return not is_image_known(annotation, case.image_by_id)

    def detail(row: int) -> str:
        return f'image_id {as_json(case.people[row]["image_id"])}'

    return case.people_where(case.mask_of(is_unknown), detail=detail)


def crowd_flag(case: Case) -> FoundEntries:
    """People whose 'iscrowd' is neither 0 nor 1."""

    def detail(row: int) -> str:
        return f'iscrowd {as_json(case.people[row]["iscrowd"])}'

    return case.people_where(case.mask_of(problem_of_crowd_flag), detail=detail)


def keypoints_missing(case: Case) -> FoundEntries:
    """People, not crowds, without keypoints."""
    return case.people_where(_lengths(case) == 0, ~case.crowd)


def keypoints_count(case: Case) -> FoundEntries:
    """People, not crowds, with another number of keypoints than the data set."""
    lengths = _lengths(case)
    needed = 3 * case.num_keypoints
    wrong = (lengths > 0) & (lengths != needed)

    def detail(row: int) -> str:
        return f'{lengths[row]} numbers, {case.num_keypoints} keypoints need {needed}'

    return case.people_where(wrong, ~case.crowd, detail)


def keypoints_not_finite(case: Case) -> FoundEntries:
    """People with a keypoint that is NaN, infinite or no number."""
    wrong = np.isnan(case.keypoints).any(2)
    is_complete = _lengths(case) == 3 * case.num_keypoints

    def detail(row: int) -> str:
        return _places(wrong[row])

    return case.people_where(wrong.any(1) & is_complete, ~case.crowd, detail)


def visibility(case: Case) -> FoundEntries:
    """People with a visibility that is a number other than 0, 1 and 2."""
    values = case.keypoints[..., 2]
    wrong = ~np.isin(values, (0, 1, 2)) & np.isfinite(values)

    def detail(row: int) -> str:
        wrong_values = np.unique(values[row][wrong[row]])
        return f'values {wrong_values.tolist()}'

    return case.people_where(wrong.any(1), ~case.crowd, detail)


def keypoints_at_origin(case: Case) -> FoundEntries:
    """People with a labelled keypoint at exactly (0, 0), which their box does not reach."""
    low = case.box[:, :2]
    high = low + case.box[:, 2:]
    # a box that ends at 0 has no size once it is cut off at the border
    reaches_origin = (low <= 0).all(1) & (high > 0).all(1) & case.has_size
    wrong = at_origin(case) & ~reaches_origin[:, None]

    def detail(row: int) -> str:
        return _places(wrong[row])

    return case.people_where(wrong.any(1), case.is_labelled, detail)


def at_origin(case: Case) -> np.ndarray:
    """(N, K) bool: labelled keypoints at (0, 0)."""
    xy = case.keypoints[..., :2]
    return case.labelled & (xy == 0).all(2)


def keypoints_outside(case: Case) -> FoundEntries:
    """People with a labelled keypoint outside the image."""
    wrong = outside(case)

    def detail(row: int) -> str:
        points = case.keypoints[row, wrong[row], :2].tolist()
        return ', '.join(map(str, points))

    return case.people_where(wrong.any(1), case.is_labelled, detail)


def outside(case: Case) -> np.ndarray:
    """(N, K) bool: labelled keypoints that are not in [0, width) x [0, height) of their image."""
    xy = case.keypoints[..., :2]
    is_outside = (xy < 0) | (xy >= case.sides[:, None])
    return case.labelled & is_outside.any(2)


def _has_four(case: Case) -> np.ndarray:
    """(N,) bool: people whose 'bbox' is a list of four entries."""
    lengths = list(map(_length, case.values_of('bbox')))
    return np.array(lengths, int) == 4


def box_missing(case: Case) -> FoundEntries:
    """Labelled people without a box of four numbers in a list."""
    return case.people_where(~_has_four(case), case.is_labelled)


def box_not_finite(case: Case) -> FoundEntries:
    """Labelled people with a number in their box that is NaN, infinite or no number."""
    wrong = _has_four(case) & np.isnan(case.box).any(1)

    def detail(row: int) -> str:
        return as_json(case.people[row].get('bbox'))

    return case.people_where(wrong, case.is_labelled, detail)


def box_no_size(case: Case) -> FoundEntries:
    """Labelled people whose box has zero or negative sides."""
    wrong = np.isfinite(case.box).all(1) & ~case.has_size

    def detail(row: int) -> str:
        _, _, width, height = case.box[row]
        return f'{width:g} x {height:g} pixels'

    return case.people_where(wrong, case.is_labelled, detail)


def no_pixels(case: Case) -> FoundEntries:
    """All labelled people, if their boxes or keypoints are plainly not in pixels."""
    is_complete = np.isfinite(case.keypoints).all((1, 2))
    sound = case.is_labelled & case.has_size & is_complete

    people = []
    shapes = {}
    for row in np.flatnonzero(sound):
        person = case.people[row]
        people.append(person)
        shapes[person['image_id']] = case.shapes[row]
    problem = problem_of_units(people, shapes)

    def detail(_: int) -> str:
        return problem

    return case.people_where(sound & bool(problem), case.is_labelled, detail)


def box_outside(case: Case) -> FoundEntries:
    """Labelled people whose box reaches out of the image by more than ``SLACK``."""
    low = case.box[:, :2]
    high = low + case.box[:, 2:]
    is_outside = (low < -SLACK) | (high > case.sides + SLACK)
    wrong = is_outside.any(1) & case.has_size

    def detail(row: int) -> str:
        box = case.box[row].tolist()
        sides = case.sides[row].tolist()
        return f'{box} in {sides}'

    return case.people_where(wrong, case.is_labelled, detail)


def unlabelled_box(case: Case) -> FoundEntries:
    """Crowds and people without labelled keypoints that have no usable box."""
    return case.people_where(~case.has_size, ~case.is_labelled)


def same_person_twice(case: Case) -> FoundEntries:
    """Labelled people with exactly the keypoints of an earlier one in the same image."""
    keypoints = np.where(case.labelled[..., None], case.keypoints, 0)
    first_rows: dict[tuple, int] = {}
    twins: dict[int, int] = {}  # row of a person -> row of the first with the same keypoints
    for row in np.flatnonzero(case.is_labelled):
        key = (case.people[row]['image_id'], keypoints[row].tobytes())
        first = first_rows.setdefault(key, row)
        if first != row:
            twins[row] = first

    def detail(row: int) -> str:
        return f'as id {case.people[twins[row]]["id"]}'

    return case.people_where(_mask_of_rows(case, twins), case.is_labelled, detail)


def _mask_of_rows(case: Case, rows: dict[int, Any]) -> np.ndarray:
    """(N,) bool: the people whose row is a key."""
    mask = np.zeros(len(case.people), bool)
    mask[list(rows)] = True
    return mask


def region_broken(case: Case) -> FoundEntries:
    """Crowds and people without labelled keypoints whose region does not decode; of others nobody reads the region."""
    problems: dict[int, str] = {}
    for row in np.flatnonzero(~case.is_labelled):
        region = case.people[row].get('segmentation')
        problem = region_problem(region, case.shapes[row])
        if problem:
            problems[row] = problem

    def detail(row: int) -> str:
        return problems[row]

    return case.people_where(_mask_of_rows(case, problems), ~case.is_labelled, detail)


def rle_regions(case: Case) -> FoundEntries:
    """Crowds and people without labelled keypoints whose region is run-length encoded."""

    def is_encoded(annotation: dict) -> bool:
        return isinstance(annotation.get('segmentation'), dict)

    return case.people_where(case.mask_of(is_encoded), ~case.is_labelled)


def no_region(case: Case) -> FoundEntries:
    """Crowds and people without labelled keypoints that have no region."""

    def is_bare(annotation: dict) -> bool:
        return not annotation.get('segmentation')

    return case.people_where(case.mask_of(is_bare), ~case.is_labelled)


def _area_missing(case: Case) -> np.ndarray:
    """(N,) bool: people and crowds without the field 'area'."""

    def lacks_area(annotation: dict) -> bool:
        return 'area' not in annotation

    return case.mask_of(lacks_area)


def area_missing(case: Case) -> FoundEntries:
    """People and crowds without an area, where the evaluation takes it from the file."""
    return case.people_where(_area_missing(case) & case.needs_area)


def area_invalid(case: Case) -> FoundEntries:
    """Labelled people whose area cannot be a person's, where the evaluation takes it from the file."""
    wrong = np.zeros(len(case.people), bool)
    asked_for = case.is_labelled & ~_area_missing(case) & case.needs_area
    for row in np.flatnonzero(asked_for):
        area = case.people[row]['area']
        wrong[row] = bool(problem_of_pixels(area, case.shapes[row]))

    def detail(row: int) -> str:
        return f'area {as_json(case.people[row]["area"])}'

    return case.people_where(wrong, case.is_labelled, detail)


def area_estimated(case: Case) -> FoundEntries:
    """People and crowds without an area, where the evaluation does not ask for it."""
    return case.people_where(_area_missing(case) & (not case.needs_area))


def num_keypoints(case: Case) -> FoundEntries:
    """People whose 'num_keypoints' is missing or not the number of labelled keypoints, as this file counts them."""
    count = counted_keypoints(case)
    own = case.values_of('num_keypoints')
    stale = np.array([said != counted for said, counted in zip(own, count.tolist())], bool)
    usable = ~case.crowd & np.isfinite(case.keypoints).all((1, 2))

    def detail(row: int) -> str:
        return f'{as_json(own[row])} instead of {count[row]}'

    return case.people_where(stale, usable, detail)


def counted_keypoints(case: Case) -> np.ndarray:
    """(N,) labelled keypoints, as this file counts them."""
    return (case.labelled & case.counted).sum(1)


def head_or_neck_only(case: Case) -> FoundEntries:
    """Labelled people none of whose labelled keypoints counts in CrowdPose's 'num_keypoints'."""
    return case.people_where(counted_keypoints(case) == 0, case.is_labelled)
