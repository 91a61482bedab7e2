"""Target Gaussians: how wide they are, where they peak, and how people share a map."""

import math

import numpy as np
import pytest
import torch

from cid_mmpose.codecs import gaussian, gaussian_axes, render_max, render_people, whole_gaussian
from cid_mmpose.codecs.gaussian import fractional_gaussian
from tests.helpers import oracle


def radii(width, height, overlap=0.7):
    """Whole radii of boxes."""
    return whole_gaussian(np.array(width), np.array(height), overlap)[0].tolist()


def whole_axes(cell, radius, drawn, size):
    """Factors of Gaussians with whole radii."""
    return gaussian_axes(cell, radius.float(), (2 * radius.float() + 1) / 6, drawn, size)


def one(cell, radius, size=(12, 10), drawn=True):
    """A single Gaussian as a map (H, W)."""
    axes = whole_axes(torch.tensor([[cell]]), torch.tensor([[radius]]), torch.tensor([[drawn]]), size)
    return render_people(*axes)[0, 0]


def test_radius_of_a_10_by_20_box_worked_out_by_hand():
    # w + h = 30, w * h = 200, overlap 0.7
    # shifted: (30 + sqrt(900 - 4 * 200 * 0.3 / 1.7)) / 2            = (30 + sqrt(758.824)) / 2        = 28.77
    # inside:  (60 + sqrt(3600 - 16 * 0.3 * 200)) / 2                = (60 + sqrt(2640)) / 2           = 55.69
    # outside: (-42 + sqrt(42^2 + 4 * 2.8 * 0.3 * 200)) / 2          = (-42 + sqrt(2436)) / 2          = 3.68
    assert radii([10.0], [20.0]) == [3]
    assert whole_gaussian(np.array([10.0]), np.array([20.0]))[1].tolist() == [np.float32(7 / 6)]  # (2 * 3 + 1) / 6


def test_radius_rounds_the_sides_up_to_whole_cells():
    assert radii([9.01], [19.5]) == radii([10.0], [20.0])
    assert radii([40.01], [60.0]) == radii([41.0], [60.0])


def test_radius_equals_the_three_textbook_cases_for_random_boxes():
    rng = np.random.default_rng(0)
    width, height = rng.uniform(1e-6, 160, (2, 300))
    for overlap in (0.3, 0.7, 0.9):
        expected = [oracle.radius(w, h, overlap) for w, h in zip(width, height)]
        assert radii(width, height, overlap) == expected


def test_radius_is_a_whole_number_and_nobody_is_a_normal_case():
    assert radii([1e-6], [1e-6]) == [0]
    assert radii(np.zeros(0), np.zeros(0)) == []
    assert all(value.dtype == np.float32 for value in whole_gaussian(np.array([31.4]), np.array([7.7])))


def test_fractional_radius_of_a_10_by_20_box_worked_out_by_hand():
    # the case outside above without rounding: (-42 + sqrt(2436)) / 2 = 3.677928, sigma a third of it
    radius, sigma = fractional_gaussian(np.array([10.0]), np.array([20.0]))
    assert radius[0] == pytest.approx((math.sqrt(2436) - 42) / 2, rel=1e-6) and sigma[0] == pytest.approx(radius[0] / 3)


@pytest.mark.parametrize(
    'radius, first, peak, last',
    [
        (2.3, 7, 9, 12),  # truncated at both steps: the peak is a cell beside the keypoint's
        (2.7, 7, 10, 12),
        (3.0, 7, 10, 13),  # a whole radius stays where it is
        (10.4, 0, 10, 20),  # the left edge is truncated towards zero, and here the keypoint's cell is met by chance
    ],
)
def test_window_of_a_fractional_gaussian_at_cell_10_worked_out_by_hand(radius, first, peak, last):
    axes = gaussian_axes(
        torch.tensor([[[10, 10]]]),
        torch.tensor([[radius]]),
        torch.tensor([[radius / 3]]),
        torch.tensor([[True]]),
        (40, 30),
    )
    row = axes[0][0, 0]
    assert row.nonzero()[:, 0].tolist() == list(range(first, last + 1)) and row.argmax() == peak
    assert row[peak] == 1 and row[peak + 1].item() == pytest.approx(math.exp(-4.5 / radius**2), rel=1e-6)


@pytest.mark.parametrize('width, height', [(0, 3), (3, -1), (np.nan, 3), (3, np.inf)])
def test_radius_refuses_sides_that_are_not_positive_and_finite(width, height):
    with pytest.raises(ValueError, match='box sides'):
        whole_gaussian(np.array([5.0, width]), np.array([5.0, height]))


@pytest.mark.parametrize('overlap', [0, 1, -0.1, 1.5])
def test_radius_refuses_an_overlap_outside_its_range(overlap):
    with pytest.raises(ValueError, match='min_overlap'):
        whole_gaussian(np.array([5.0]), np.array([5.0]), overlap)


@pytest.mark.parametrize('radius', range(12))
def test_target_is_exactly_one_at_its_cell_and_nowhere_else_for_every_radius_and_position(radius):
    w, h = 12, 10
    y, x = torch.meshgrid(torch.arange(h), torch.arange(w), indexing='ij')
    cells = torch.stack([x, y], -1).reshape(-1, 1, 2)
    axes = whole_axes(cells, torch.full((w * h, 1), radius), torch.ones(w * h, 1, dtype=torch.bool), (w, h))
    is_one = render_people(*axes)[:, 0].flatten(1) == 1
    assert torch.equal(is_one, torch.eye(w * h, dtype=torch.bool))


def test_gaussian_of_radius_two_at_cells_worked_out_by_hand():
    # sigma = 5 / 6, so 2 sigma^2 = 25 / 18: one cell off exp(-0.72), two off exp(-2.88), diagonal exp(-1.44)
    drawn = one((5, 4), 2)
    assert drawn[4, 6].item() == pytest.approx(math.exp(-0.72), rel=1e-6)
    assert drawn[6, 5].item() == pytest.approx(math.exp(-2.88), rel=1e-6)
    assert drawn[3, 4].item() == pytest.approx(math.exp(-1.44), rel=1e-6)
    assert drawn[6, 7].item() == pytest.approx(math.exp(-5.76), rel=1e-6)  # the corner of the 5 x 5 square
    assert drawn[4, 8] == 0 and drawn[1, 5] == 0  # three cells off: cut
    assert (drawn > 0).sum() == 25


@pytest.mark.parametrize('cell, radius', [((0, 0), 3), ((11, 9), 4), ((5, 4), 0), ((3, 8), 7), ((11, 0), 20)])
def test_gaussian_equals_the_one_drawn_cell_by_cell(cell, radius):
    expected = np.zeros((10, 12))
    oracle.draw(expected, cell, radius)
    np.testing.assert_allclose(one(cell, radius).numpy(), expected, rtol=1e-5, atol=1e-8)


def test_cutting_at_the_radius_leaves_no_value_below_the_float_eps():
    for radius in range(1, 80):
        corner = one((0, 0), radius, (90, 90))[radius, radius].item()
        assert np.finfo(np.float64).eps < corner < math.exp(-3)


def test_a_gaussian_that_is_not_drawn_is_zero_whatever_its_cell():
    assert one((5, 4), 3, drawn=False).abs().sum() == 0
    assert one((-30000, 32767), 3, drawn=False).abs().sum() == 0


def test_compact_int16_targets_give_the_same_maps_as_int64():
    cell, radius, drawn = torch.tensor([[[150, 3]]]), torch.tensor([[9]]), torch.tensor([[True]])
    wide = whole_axes(cell, radius, drawn, (160, 160))
    short = whole_axes(cell.short(), radius.short(), drawn, (160, 160))
    assert all(torch.equal(a, b) and a.dtype == torch.float32 for a, b in zip(wide, short))


def test_where_two_people_meet_the_larger_value_counts():
    cells, radii = torch.tensor([[[3, 4]], [[6, 4]]]), torch.tensor([[4], [2]])
    axes = whole_axes(cells, radii, torch.ones(2, 1, dtype=torch.bool), (12, 10))
    together = render_max(*axes, torch.tensor([0, 0]), 1)[0, 0].numpy()
    expected = np.zeros((10, 12))
    oracle.draw(expected, (3, 4), 4)
    oracle.draw(expected, (6, 4), 2)
    np.testing.assert_allclose(together, expected, rtol=1e-5, atol=1e-8)
    assert together[4, 3] == together[4, 6] == 1
    # between them, at x = 5: exp(-4 / (2 * 1.5^2)) = 0.411 from the wide one, exp(-0.72) = 0.487 from the narrow one
    assert together[4, 5] == pytest.approx(math.exp(-0.72), rel=1e-6)


def test_people_are_drawn_into_their_own_image_and_an_image_with_nobody_stays_empty():
    cells = torch.tensor([[[1, 1]], [[5, 5]], [[9, 2]]])
    axes = whole_axes(cells, torch.ones(3, 1, dtype=int), torch.ones(3, 1, dtype=torch.bool), (12, 10))
    maps = render_max(*axes, torch.tensor([0, 2, 2]), 4)
    assert maps.shape == (4, 1, 10, 12)
    assert [(m == 1).nonzero().tolist() for m in maps[:, 0]] == [[[1, 1]], [], [[2, 9], [5, 5]], []]


def test_a_batch_with_nobody_gives_empty_maps_of_the_right_shape():
    axes = whole_axes(torch.zeros(0, 3, 2), torch.zeros(0, 3), torch.zeros(0, 3, dtype=torch.bool), (12, 10))
    assert render_people(*axes).shape == (0, 3, 10, 12)
    assert torch.equal(render_max(*axes, torch.zeros(0, dtype=int), 2), torch.zeros(2, 3, 10, 12))


def max_one_by_one(gx, gy, image, num_images):
    """``render_max`` person by person."""
    maps = torch.zeros(num_images, gx.shape[1], gy.shape[-1], gx.shape[-1])
    for person, number in enumerate(image.tolist()):
        maps[number] = torch.maximum(maps[number], gy[person, :, :, None] * gx[person, :, None, :])
    return maps


@pytest.mark.parametrize('people, at_once', [(1, 1), (9, 1), (9, 4), (9, 9), (9, 100)])
@pytest.mark.parametrize('in_order', [True, False])
def test_everyone_in_one_map_is_bitwise_as_laid_person_by_person(monkeypatch, people, at_once, in_order):
    size, floats, drawn = (12, 10), 3 * 12 * 10, []
    monkeypatch.setattr(gaussian, 'FLOATS_AT_ONCE', floats * at_once)
    monkeypatch.setattr(gaussian, 'render_people', lambda *axes: drawn.append(render_people(*axes)) or drawn[-1])
    torch.manual_seed(people)
    cell, radius = torch.randint(-2, 13, (people, 3, 2)), torch.randint(0, 6, (people, 3))
    image = torch.randint(0, 4, (people,))
    image = image.sort()[0] if in_order else image
    axes = whole_axes(cell, radius, torch.rand(people, 3) < 0.8, size)
    assert torch.equal(render_max(*axes, image, 4), max_one_by_one(*axes, image, 4))
    assert sum(map(len, drawn)) == people and max(part.numel() for part in drawn) <= floats * at_once


def test_no_images_give_no_maps():
    axes = whole_axes(torch.zeros(0, 3, 2), torch.zeros(0, 3), torch.zeros(0, 3, dtype=torch.bool), (12, 10))
    assert render_max(*axes, torch.zeros(0, dtype=int), 0).shape == (0, 3, 10, 12)
