"""Regions are checked before pycocotools sees them; what passes is what pycocotools draws."""

import math

import numpy as np
import pycocotools.mask as coco_mask
import pytest

from cid_mmpose.data.regions import LONGEST_OUTLINE, region_of, region_problem, unpacked

SHAPE = (37, 53)  # height, width of the image in pixels


def masks(number: int = 40) -> list:
    """Masks of all densities, with long and short runs."""
    made = []
    for seed in range(number):
        noise = np.random.default_rng(seed).random(SHAPE)
        made.append(np.asfortranarray(noise < seed / (number - 1), np.uint8))
    made += [np.asfortranarray(np.pad(np.ones((9, 30), np.uint8), ((5, 23), (3, 20))))]
    return made


def packed(mask: np.ndarray) -> dict:
    runs = coco_mask.encode(mask)
    return dict(size=list(SHAPE), counts=runs['counts'].decode())


def run_lengths(mask: np.ndarray) -> list:
    """Down the columns, nothing first."""
    values = np.concatenate([[0], mask.ravel(order='F'), [2]])
    edges = np.flatnonzero(np.diff(values))
    return np.diff(np.concatenate([[0], edges])).tolist()


def test_packed_text_holds_the_run_lengths_that_pycocotools_packed():
    for mask in masks():
        assert unpacked(packed(mask)['counts']) == run_lengths(mask)


def test_packed_text_of_large_images_is_read_as_pycocotools_reads_it():
    counts = [5_000_000, 3, 90_000_000, 70_000_000, 1, 12_999_996]
    runs = coco_mask.frPyObjects(dict(size=[1000, 178_000], counts=counts), 1000, 178_000)
    assert unpacked(runs['counts'].decode()) == counts
    assert region_problem(dict(runs, counts=runs['counts'].decode()), (1000, 178_000)) == ''


def test_what_pycocotools_packs_has_no_problem_and_gives_the_same_pixels():
    for mask in masks():
        assert region_problem(packed(mask), SHAPE) == ''
        assert np.array_equal(region_of(packed(mask), SHAPE), mask)


def test_one_character_changed_is_found_or_changes_no_sum():
    rng = np.random.default_rng(0)
    for mask in masks(12):
        text = packed(mask)['counts']
        for place in rng.integers(0, len(text), 40):
            changed = text[:place] + chr(rng.integers(48, 112)) + text[place + 1 :]
            problem = region_problem(dict(size=list(SHAPE), counts=changed), SHAPE)
            if not problem:  # then it must be safe to draw, and all of it drawn
                assert set(np.unique(region_of(dict(size=list(SHAPE), counts=changed), SHAPE))) <= {0, 1}
                assert sum(unpacked(changed)) == SHAPE[0] * SHAPE[1]


@pytest.mark.parametrize('counts', ['', '0', 'o', 'oooooooooooooooo', 'P', '\x00', 'é', '\ud800', '~~~~', 'T3T3'])
def test_text_that_is_no_run_lengths_of_the_image_is_refused(counts):
    assert region_problem(dict(size=[10, 10], counts=counts), (10, 10)).startswith('run lengths that ')
    assert unpacked('T3') == [100]


@pytest.mark.parametrize(
    'counts', [[0, 99], [0, 101], [], [50, -1, 51], [100.0], [True] * 100, ['100'], [2**40], [None], [[100]], [10**400]]
)
def test_run_lengths_that_do_not_fill_the_image_are_refused(counts):
    assert region_problem(dict(size=[10, 10], counts=counts), (10, 10)).startswith('run lengths that ')


@pytest.mark.parametrize(
    'size',
    [[10], [10, 10, 10], [0, 10], [10, -10], ['10', 10], [10, 11], [math.nan, 10], None, 100, [10**400, 10], [5, 20]],
)
def test_run_lengths_of_another_size_than_the_image_are_refused(size):
    assert region_problem(dict(size=size, counts=[0, 100]), (10, 10)).startswith('run lengths ')


@pytest.mark.parametrize('value', [1e18, -1e18, 1e300, math.nan, math.inf, 10**400, '5', None, True, [5]])
def test_a_coordinate_that_is_far_or_no_number_is_refused(value):
    assert region_problem([[1, 1, 9, 1, 9, value]], (10, 10)).startswith('a polygon with ')


def test_a_polygon_may_leave_the_image_but_not_by_far():
    assert region_problem([[-90, -90, 105, 1, 9, 9]], (10, 10)) == ''
    assert region_problem([[-101, 1, 9, 1, 9, 9]], (10, 10)) == (
        'a polygon with the coordinate -101 in an image of 10 x 10'
    )


def test_an_outline_without_end_is_refused():
    zigzag = [v for i in range(int(LONGEST_OUTLINE / 1000) + 2) for v in (1000 * (i % 2), i % 1000)]
    assert region_problem([zigzag], (1000, 1000)).startswith('polygons with outlines of 1e+06 pixels')
    assert region_problem([zigzag[:1000]], (1000, 1000)) == ''


@pytest.mark.parametrize('region', ['x', 5, [5], [[1, 1, 5, 1, 5, 5], 'x'], [dict(size=[10, 10], counts=[100])], True])
def test_what_is_neither_polygons_nor_run_lengths_is_refused(region):
    assert 'neither a list of polygons nor run lengths' in region_problem(region, (10, 10))


@pytest.mark.parametrize('region', [None, [], '', {}, 0])
def test_nothing_is_no_region_and_no_problem(region):
    assert region_problem(region, (10, 10)) == ''
