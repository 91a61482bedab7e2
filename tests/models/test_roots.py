"""Finding people on the center map: blur, peaks, limits."""

import numpy as np
import pytest
import torch

from cid_mmpose.models import find_roots
from cid_mmpose.models.roots import smooth
from tests.helpers import oracle


def center(h, w, **values):
    """A center map (1, H, W) with values such as ``x3y2=0.5``."""
    maps = torch.zeros(1, h, w)
    for name, value in values.items():
        x, y = name[1:].split('y')
        maps[0, int(y), int(x)] = value
    return maps


def cells(maps, max_people=30, min_score=0.01, blur=1):
    return find_roots(maps, max_people, min_score, blur).cell.tolist()


def test_smoothing_a_single_cell_worked_out_by_hand():
    # half of 0.9 stays, and half of a 3 x 3 mean, 0.9 / 9 / 2 = 0.05, falls on each cell around
    maps = smooth(center(4, 5, x2y1=0.9), 3)[0]
    expected = [[0, 0.05, 0.05, 0.05, 0], [0, 0.05, 0.5, 0.05, 0], [0, 0.05, 0.05, 0.05, 0], [0] * 5]
    np.testing.assert_allclose(maps, expected, atol=1e-7)


@pytest.mark.parametrize('blur', [1, 3, 11])
def test_smoothing_equals_the_window_by_window_mean_with_zeros_beyond_the_border(blur):
    maps = oracle.uniform(2, 3, 6, 8)
    expected = [[oracle.smooth(m.numpy(), blur) for m in image] for image in maps]
    np.testing.assert_allclose(smooth(maps, blur), expected, rtol=1e-5)


def test_smoothing_no_maps_gives_no_maps():
    assert smooth(torch.zeros(0, 17, 6, 8), 3).shape == (0, 17, 6, 8)


def test_roots_are_x_and_y_of_the_peaks_best_first():
    roots = find_roots(center(6, 9, x1y5=0.3, x7y0=0.9, x4y3=0.6), 30, 0.01, 1)
    assert roots.cell.tolist() == [[7, 0], [4, 3], [1, 5]]
    np.testing.assert_allclose(roots.score, [0.9, 0.6, 0.3])
    assert roots.cell.dtype == roots.image.dtype == torch.int64


def test_of_two_neighbours_also_diagonal_ones_only_the_higher_is_a_peak():
    assert cells(center(6, 9, x3y3=0.8, x4y4=0.7)) == [[3, 3]]
    assert cells(center(6, 9, x3y3=0.8, x5y3=0.7)) == [[3, 3], [5, 3]]


def test_both_cells_of_a_plateau_are_peaks_as_in_the_reference():
    assert sorted(cells(center(6, 9, x3y3=0.8, x4y3=0.8))) == [[3, 3], [4, 3]]


def test_the_score_is_the_height_after_the_blur():
    roots = find_roots(center(6, 9, x3y3=0.9), 30, 0.06, 3)
    assert roots.cell.tolist() == [[3, 3]] and roots.score.item() == pytest.approx(0.5)


def test_only_the_best_people_are_kept():
    maps = center(6, 9, x1y1=0.3, x3y3=0.5, x5y1=0.4, x7y3=0.2)
    assert cells(maps, max_people=2) == [[3, 3], [5, 1]]


def test_a_root_must_lie_above_the_least_score():
    maps = center(6, 9, x1y1=0.5, x3y3=0.25, x5y1=0.26)
    assert cells(maps, min_score=0.25) == [[1, 1], [5, 1]]
    assert cells(maps, min_score=0.5) == []


@pytest.mark.parametrize('h, w, window', [(8, 392, 3), (9, 392, 5), (8, 592, 5), (9, 592, 7)])
def test_the_window_grows_with_the_mean_side_of_the_map(h, w, window):
    # mean sides 200, 200.5, 300 and 300.5; a lower peak survives if it lies outside the window of the higher one
    for distance in (1, 2, 3, 4):
        maps = center(h, w, **{'x50y4': 0.9, f'x{50 + distance}y4': 0.5})
        assert len(cells(maps)) == (1 if distance <= window // 2 else 2)


@pytest.mark.parametrize('h, w', [(1, 1), (2, 3), (5, 5)])
def test_maps_with_fewer_cells_than_people_allowed_work(h, w):
    rng = np.random.default_rng(0)
    for _ in range(5):
        values = rng.random((h, w)).astype(np.float32)
        found = find_roots(torch.from_numpy(values)[None], 30, 0.01, 1)
        expected = oracle.peaks(values, 30, 0.01, 3)
        assert found.cell.tolist() == [[x, y] for _, x, y in expected]


@pytest.mark.parametrize('blur, max_people, min_score', [(1, 30, 0.01), (3, 30, 0.5), (3, 4, 0.01), (11, 30, 0.2)])
def test_roots_of_a_batch_equal_the_loop_over_cells_of_each_image(blur, max_people, min_score):
    maps = oracle.uniform(4, 12, 15, seed=blur)
    roots = find_roots(maps, max_people, min_score, blur)
    expected = [oracle.peaks(smooth(m, blur).numpy(), max_people, min_score, 3) for m in maps]
    assert roots.cell.tolist() == [[x, y] for people in expected for _, x, y in people]
    assert roots.image.tolist() == [b for b, people in enumerate(expected) for _ in people]
    np.testing.assert_allclose(roots.score, [score for people in expected for score, _, _ in people])


def test_a_batch_equals_its_images_one_by_one():
    maps = oracle.uniform(3, 8, 8)
    maps[1] = 0
    together = find_roots(maps, 5, 0.3, 3)
    alone = [find_roots(m[None], 5, 0.3, 3) for m in maps]
    assert together.cell.tolist() == sum((roots.cell.tolist() for roots in alone), [])
    assert together.score.tolist() == sum((roots.score.tolist() for roots in alone), [])
    assert together.image.tolist() == [0] * 5 + [2] * 5 and len(alone[1].cell) == 0


def test_nobody_stands_out_of_an_empty_map():
    roots = find_roots(torch.zeros(2, 6, 8), 30, 0.0, 3)
    assert roots.cell.shape == (0, 2) and roots.image.shape == roots.score.shape == (0,)
