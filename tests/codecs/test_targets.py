"""Who becomes a target: roots, jitter, shared cells, and how the people of a batch are joined."""

from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from cid_mmpose.codecs.targets import FIELDS, first_on_place, gather_targets, jitter, on_map, root_of
from tests.helpers import oracle


def test_root_is_the_mean_of_the_labelled_keypoints_only():
    xy = np.array([[[0.0, 0.0], [10.0, 4.0], [500.0, -300.0]], [[1.0, 1.0], [2.0, 2.0], [9.0, 3.0]]])
    labelled = np.array([[True, True, False], [True, True, True]])
    assert root_of(xy, labelled).tolist() == [[5, 2], [4, 2]]


def test_root_of_a_person_without_labelled_keypoints_is_finite():
    assert root_of(np.full((1, 3, 2), 7.0), np.zeros((1, 3), bool)).tolist() == [[0, 0]]
    assert root_of(np.zeros((0, 3, 2)), np.zeros((0, 3), bool)).shape == (0, 2)


def test_on_map_takes_width_for_x_and_height_for_y():
    cells = np.array([[0, 0], [7, 4], [8, 0], [0, 5], [5, 5], [-1, 2], [2, -1]])
    assert on_map(cells, (8, 5)).tolist() == [True, True, False, False, False, False, False]


def test_jitter_moves_each_root_by_its_own_step():
    cells = np.array([[3, 3], [4, 2], [1, 1]])
    moved = jitter(cells, (8, 5), False, oracle.Shifts([[-1, 1], [0, 0], [1, -1]]))
    assert moved.tolist() == [[2, 4], [4, 2], [2, 0]]


def test_jitter_that_would_leave_the_map_moves_in_neither_direction():
    cells = np.array([[0, 2], [7, 2], [3, 0], [3, 4], [0, 2]])
    steps = [[-1, 1], [1, -1], [1, -1], [-1, 1], [1, 1]]
    assert jitter(cells, (8, 5), False, oracle.Shifts(steps)).tolist() == [[0, 2], [7, 2], [3, 0], [3, 4], [1, 3]]


def test_jitter_takes_each_of_the_nine_steps_equally_often():
    moved = jitter(np.full((9000, 2), 5), (11, 11), False, np.random.RandomState(0)) - 5
    counts = Counter(map(tuple, moved.tolist()))
    assert sorted(counts) == [(x, y) for x in (-1, 0, 1) for y in (-1, 0, 1)]
    assert all(abs(count - 1000) < 150 for count in counts.values())  # five standard deviations


def test_of_two_people_on_one_cell_the_smaller_box_keeps_it():
    cells = np.array([[2, 3], [2, 3], [3, 2], [2, 3]])
    everyone = np.ones(4, bool)
    assert first_on_place(cells, everyone, np.array([50.0, 20.0, 90.0, 30.0])).tolist() == [False, True, True, False]


def test_a_person_who_is_no_candidate_does_not_take_the_cell():
    cells = np.array([[2, 3], [2, 3]])
    assert first_on_place(cells, np.array([True, False]), np.array([50.0, 20.0])).tolist() == [True, False]


def test_of_two_equal_boxes_on_one_cell_the_first_stays():
    assert first_on_place(np.ones((3, 2), int), np.ones(3, bool), np.full(3, 9.0)).tolist() == [True, False, False]


def first_one_by_one(place, candidate, area):
    """``first_on_place`` person by person, the smallest first."""
    kept, taken = [False] * len(place), set()
    for number in sorted(range(len(place)), key=lambda number: area[number]):
        if candidate[number] and tuple(place[number]) not in taken:
            taken.add(tuple(place[number]))
            kept[number] = True
    return kept


@pytest.mark.parametrize('people', [0, 1, 2, 7, 60])
@pytest.mark.parametrize('kind', [np.int16, np.float32])
def test_who_keeps_a_place_is_as_found_person_by_person(people, kind):
    for seed in range(30):
        rng = np.random.default_rng(seed)
        place, area = rng.integers(-2, 3, (people, 2)).astype(kind), rng.integers(1, 5, people).astype(float)
        candidate = rng.random(people) < 0.7
        before = candidate.copy()
        kept = first_on_place(place, candidate, area)
        assert kept.dtype == bool and kept.tolist() == first_one_by_one(place, candidate, area)
        assert np.array_equal(candidate, before) and kept is not candidate


def labels(count, keypoints=3):
    """An image with ``count`` people whose radii are 1, 2, ..."""
    shapes = dict(keypoint_cell=(keypoints, 2), keypoint_drawn=(keypoints,), root_cell=(2,), seed_cell=(2,))
    fields = {field: torch.zeros(count, *shapes.get(field, ())) for field in FIELDS}
    fields['radius'] = torch.arange(1, count + 1)
    return SimpleNamespace(**fields)


def test_gathering_keeps_the_order_and_says_whose_image_each_person_is_in():
    targets = gather_targets([labels(2), labels(0), labels(3), labels(1)], torch.device('cpu'))
    assert targets.image.tolist() == [0, 0, 2, 2, 2, 3] and targets.image.dtype == torch.int64
    assert targets.radius.tolist() == [1, 2, 1, 2, 3, 1]
    assert targets.keypoint_cell.shape == (6, 3, 2)


def test_arrays_are_gathered_as_tensors_are():
    samples = [labels(2), labels(0), labels(3)]
    arrays = [SimpleNamespace(**{field: value.numpy() for field, value in vars(label).items()}) for label in samples]
    for one, other in zip(gather_targets(samples, 'cpu'), gather_targets(arrays, 'cpu')):
        assert torch.equal(one, other) and one.dtype == other.dtype


def test_gathering_images_with_nobody_gives_empty_targets():
    targets = gather_targets([labels(0), labels(0)], torch.device('cpu'))
    assert len(targets.image) == 0 and targets.keypoint_cell.shape == (0, 3, 2)
