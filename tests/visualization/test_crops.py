"""Parts of an image as large as a panel, and rings on them."""

import numpy as np
import pytest

from cid_mmpose.visualization.crops import Region, around, crop_of, mark
from cid_mmpose.visualization.maps import Grid

GRID = Grid(np.array([0.0, -12.0]), np.array([2.0, 2.0]))  # two pixels a cell


def test_a_place_of_the_image_is_at_the_same_place_of_its_crop_worked_out_by_hand():
    image = np.zeros((40, 64, 3), np.uint8)
    image[17, 21] = 255
    crop = crop_of(image, GRID, Region(10, 5, 30, 25), (40, 60))
    assert crop.image.shape == (40, 40, 3)  # twice as large
    # pixel 11, 12 of the part covers the pixels 22 to 23 and 24 to 25 of the crop
    assert crop.places(np.array([21, 17])).tolist() == [22.5, 24.5]
    ys, xs = np.nonzero(crop.image[..., 0] > 150)
    assert (xs.min(), xs.max(), ys.min(), ys.max()) == (22, 23, 24, 25)
    assert crop.grid.middles(np.array([10, 14])).tolist() == [22.5, 24.5]  # (21, 17) in the image
    assert crop.grid.step.tolist() == [4, 4]


@pytest.mark.parametrize('room, shape', [((32, 99), (20, 32)), ((99, 10), (10, 16)), ((640, 400), (400, 640))])
def test_a_crop_is_as_large_as_the_room_allows_and_keeps_its_form(room, shape):
    crop = crop_of(np.zeros((40, 64, 3), np.uint8), GRID, Region(0, 0, 64, 40), room)
    assert crop.image.shape == (*shape, 3)


@pytest.mark.parametrize(
    'box, region',
    [
        ([50, 50, 60, 70], (33, 38, 77, 82)),  # 44 = 2.2 x 20 px around (55, 60)
        ([0, 50, 10, 70], (0, 38, 44, 82)),  # moved into the image
        ([95, 90, 105, 110], (56, 56, 100, 100)),
        ([10, 10, 90, 90], (0, 0, 100, 100)),  # a large person: the whole image
        ([55, 60, 55, 60], (42, 48, 67, 73)),  # all keypoints on one place: a quarter of the image around it
        ([-900, 400, -880, 420], (0, 56, 44, 100)),  # outside
    ],
)
def test_the_region_around_a_person_is_larger_and_lies_in_the_image(box, region):
    assert around(np.array(box, float), (100, 100)) == region


def test_a_ring_is_drawn_around_a_place_and_a_text_stays_inside():
    image = np.full((40, 60, 3), 90, np.uint8)
    mark(image, np.array([[20.0, 20.0]]), radius=6)
    assert (image[20, 20] == 90).all() and (image[20, 26] > 200).all() and (image[14, 20] > 200).all()
    corner = np.full((40, 60, 3), 90, np.uint8)
    mark(corner, np.array([[59.0, 0.0]]), ['12'])
    assert (corner > 200).any() and (corner[30:] == 90).all()
    mark(corner, np.array([[-500.0, 800.0]]), ['3'])  # a place outside is no error
