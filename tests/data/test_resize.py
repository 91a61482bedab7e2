"""An image becomes the network's input as MMPose makes it, without MMPose."""

import numpy as np
import pytest
from mmpose.datasets.transforms import BottomupResize

from cid_mmpose.data import ResizeImage
from cid_mmpose.data.resize import Placing, Resizing, placing_of

WAYS = [
    dict(input_size=(512, 512), size_factor=64, resize_mode='expand'),
    dict(input_size=(320, 256), size_factor=32, resize_mode='fit', pad_val=(104, 7, 255)),
    dict(input_size=(96, 160), size_factor=32, resize_mode='expand'),
]


@pytest.mark.parametrize('way', WAYS)
@pytest.mark.parametrize('size', [(640, 480), (481, 640), (70, 512), (333, 500), (1280, 271), (64, 64)])
def test_the_input_is_that_of_mmpose_to_the_pixel(way, size):
    width, height = size
    image = np.random.default_rng(width).integers(0, 256, (height, width, 3), np.uint8)
    given = dict(img=image, ori_shape=(height, width))
    expected = BottomupResize(**way).transform(dict(given))
    made = ResizeImage(**way).transform(dict(given))
    assert made.keys() == expected.keys()
    assert np.array_equal(made['img'], expected['img'])
    for name in ('input_center', 'input_scale'):
        assert made[name].dtype == np.float32 and np.array_equal(made[name], expected[name])
    for name in ('img_shape', 'input_size', 'ori_shape', 'aug_scale'):
        assert made[name] == expected[name]


def test_points_come_back_to_the_image_by_hand():
    placing = placing_of((200, 100), Resizing((64, 64), 32, 'expand'))
    # the short side 100 becomes 64, the long one 128: 0.64 pixels of the input for one of the image
    assert placing.size == (128, 64)
    back = placing.to_image(np.array([[0.0, 0.0], [64.0, 32.0], [128.0, 64.0]]))
    assert np.allclose(back, [[0, 0], [100, 50], [200, 100]])


def test_a_padded_image_lies_in_the_middle_of_a_fixed_input():
    placing = placing_of((100, 100), Resizing((128, 64), 32, 'fit'))
    assert placing.size == (128, 64)
    # 64 of the 128 columns are the image, from 32 to 96
    back = Placing(*placing).to_image(np.array([[32.0, 0.0], [96.0, 64.0]]))
    assert np.allclose(back, [[0, 0], [100, 100]])


@pytest.mark.parametrize('way', [Resizing((100, 64), 32, 'fit'), Resizing((64, 64), 32, 'stretch')])
def test_what_cannot_be_is_refused(way):
    with pytest.raises(ValueError, match='multiples of 32|stretch'):
        placing_of((10, 10), way)
