"""Heatmaps on images, and sheets of images."""

import cv2
import numpy as np
import pytest

from cid_mmpose.visualization import overlay, sheet
from cid_mmpose.visualization.maps import SIGNED, Grid, Scale, spread


def test_an_overlay_is_half_image_half_colour_from_blue_to_red():
    image = np.full((8, 12, 3), 100, np.uint8)
    heatmap = np.zeros((8, 12))
    heatmap[2, 5], heatmap[4, 7] = 1, 3  # 3 lies above the top and counts as it
    drawn = overlay(image, heatmap)
    jet = cv2.applyColorMap(np.array([[0, 255]], np.uint8), cv2.COLORMAP_JET)[0].tolist()  # BGR of least and most
    assert jet == [[128, 0, 0], [0, 0, 128]]
    assert drawn[0, 0].tolist() == [114, 50, 50] and drawn[2, 5].tolist() == drawn[4, 7].tolist() == [50, 50, 114]
    assert (image == 100).all()


def test_an_overlay_grows_a_small_map_to_the_image_and_can_have_another_scale():
    image = np.zeros((16, 24, 3), np.uint8)
    heatmap = np.zeros((4, 6), np.float16)
    heatmap[1, 2] = 0.2
    drawn = overlay(image, heatmap, Scale(0, 0.2))
    assert drawn.shape == (16, 24, 3) and drawn.dtype == np.uint8
    red = drawn[..., 2].astype(int) - drawn[..., 0]
    ys, xs = np.nonzero(red == red.max())
    assert 4 <= ys.min() and ys.max() < 8 and 8 <= xs.min() and xs.max() < 12  # the pixels of cell (2, 1)


def test_an_overlay_of_an_empty_map_with_an_empty_scale_is_blue():
    assert (overlay(np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4)), Scale(0, 0)) == [64, 0, 0]).all()


def test_signed_values_are_blue_below_zero_and_red_above_it_and_white_between():
    blue, white, red = Scale(-2, 2, SIGNED).paint(np.array([-5.0, 0.0, 2.0])).astype(int)
    assert blue[0] > blue[2] + 100 and red[2] > red[0] + 100  # BGR
    assert white.min() > 240


# An image of 64 x 40 px is scaled to 128 x 80, and padded by 24 rows above and below to an input of 128 x 128, whose
# map has 32 x 32 cells. The middle of cell (10, 14) is (42, 58) in the input and (21, 58 / 2 - 12) = (21, 17) here.
META = dict(input_size=(128, 128), input_scale=(64.0, 64.0), input_center=(32.0, 20.0))


def test_a_peak_lies_on_the_pixel_that_was_worked_out_by_hand_and_falls_off_to_the_next_cell():
    grid = Grid.of_input(4, META)
    assert grid.middles(np.array([10, 14])).tolist() == [21, 17]
    assert grid.cells(np.array([21, 17])).tolist() == [10, 14]
    heatmap = np.zeros((32, 32))
    heatmap[14, 10] = 1
    over = spread(heatmap, grid, (64, 40))
    assert over.shape == (40, 64)
    assert over[17, 19:24].tolist() == [0, 0.5, 1, 0.5, 0]  # a cell has two pixels of the image
    assert over[15:20, 21].tolist() == [0, 0.5, 1, 0.5, 0]
    assert over.sum() == 4  # of all pixels: (1/2 + 1 + 1/2) along x times the same along y

    drawn = overlay(np.zeros((40, 64, 3), np.uint8), heatmap, grid=grid)
    reddest = (drawn[..., 2].astype(int) - drawn[..., 0]).argmax()
    assert np.unravel_index(reddest, (40, 64)) == (17, 21)


@pytest.mark.parametrize('size', [(24, 16), (31, 9), (5, 3)])
def test_a_map_that_fills_the_image_is_resized_as_opencv_does_it(size):
    heatmap = np.random.default_rng(0).random((4, 6)).astype(np.float32)
    width, height = size
    grid = Grid(np.array([-0.5, -0.5]), np.array([width / 6, height / 4]))
    resized = cv2.resize(heatmap, size, interpolation=cv2.INTER_LINEAR)
    np.testing.assert_allclose(spread(heatmap, grid, size), resized, atol=1e-5)


@pytest.mark.parametrize(
    'count, columns, shape',
    [
        (1, 3, (14, 16)),
        (3, 3, (14, 48)),
        (4, 3, (28, 48)),
        (5, 1, (70, 16)),
    ],
)
def test_a_sheet_has_a_place_for_each_image(count, columns, shape):
    images = [np.full((10, 12, 3), 10 * i, np.uint8) for i in range(count)]  # and a margin of 4 px
    canvas = sheet(images, columns)
    assert canvas.shape == (*shape, 3)
    for i in range(count):
        y, x = i // columns * 14, i % columns * 16
        assert (canvas[y : y + 10, x : x + 12] == 10 * i).all() and (canvas[y : y + 14, x + 12 : x + 16] == 255).all()


def test_smaller_images_keep_their_size_on_white():
    canvas = sheet([np.zeros((10, 12, 3), np.uint8), np.zeros((3, 5, 3), np.uint8)], 2)
    assert canvas.shape == (14, 32, 3)
    assert (canvas[:3, 16:21] == 0).all() and (canvas[3:, 16:] == 255).all() and (canvas[:, 21:] == 255).all()
