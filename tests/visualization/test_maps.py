"""Heatmaps on images, and sheets of images."""

import cv2
import numpy as np
import pytest

from cid_mmpose.visualization import caption, overlay, sheet


def test_an_overlay_is_half_image_half_colour_from_blue_to_red():
    image = np.full((8, 12, 3), 100, np.uint8)
    heatmap = np.zeros((8, 12))
    heatmap[2, 5], heatmap[4, 7] = 1, 3  # 3 lies above the top and counts as it
    drawn = overlay(image, heatmap)
    jet = cv2.applyColorMap(np.array([[0, 255]], np.uint8), cv2.COLORMAP_JET)[0].tolist()  # BGR of least and most
    assert jet == [[128, 0, 0], [0, 0, 128]]
    assert drawn[0, 0].tolist() == [114, 50, 50] and drawn[2, 5].tolist() == drawn[4, 7].tolist() == [50, 50, 114]
    assert (image == 100).all()


def test_an_overlay_grows_a_small_map_to_the_image_and_can_have_another_top():
    image = np.zeros((16, 24, 3), np.uint8)
    heatmap = np.zeros((4, 6), np.float16)
    heatmap[1, 2] = 0.2
    drawn = overlay(image, heatmap, top=0.2)
    assert drawn.shape == (16, 24, 3) and drawn.dtype == np.uint8
    red = drawn[..., 2].astype(int) - drawn[..., 0]
    ys, xs = np.nonzero(red == red.max())
    assert 4 <= ys.min() and ys.max() < 8 and 8 <= xs.min() and xs.max() < 12  # the pixels of cell (2, 1)


def test_an_overlay_of_an_empty_map_with_top_zero_is_blue():
    assert (overlay(np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4)), top=0.0) == [64, 0, 0]).all()


def test_a_caption_writes_on_a_copy_near_the_top_left():
    image = np.full((60, 120, 3), 90, np.uint8)
    written = caption(image, 'two')
    assert (image == 90).all() and written.shape == image.shape
    ys, xs = np.nonzero((written != 90).any(-1))
    assert 0 < len(ys) and ys.max() < 22 and xs.max() < 60
    assert written.max() > 200 and written.min() < 50  # white on black, seen on any image


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
