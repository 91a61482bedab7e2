"""Arrays that are images: any kind becomes three channels from 0 to 255, BGR."""

import numpy as np
import pytest

from cid_mmpose.data.image_array import bgr_of
from cid_mmpose.errors import BadInput


@pytest.mark.parametrize(
    'given, expected',
    [
        (np.uint8([[7]]), [7, 7, 7]),
        (np.uint8([[[7]]]), [7, 7, 7]),
        (np.uint8([[[1, 2, 3]]]), [1, 2, 3]),
        (np.uint8([[[1, 2, 3, 0]]]), [1, 2, 3]),
        (np.uint16([[[256, 513, 65535]]]), [1, 2, 255]),
        (np.float64([[[0, 2.5, 255]]]), [0, 2.5, 255]),
    ],
)
def test_an_array_of_any_kind_becomes_three_channels_from_0_to_255(given, expected):
    assert bgr_of(given).tolist() == [[expected]]


@pytest.mark.parametrize(
    'given, complaint',
    [
        (np.zeros((3, 8, 8), np.uint8), r'has shape \(3, 8, 8\); give \(height, width, 3\)'),
        (np.zeros((0, 8, 3), np.uint8), r'has shape \(0, 8, 3\)'),
        (np.zeros((2, 2), np.int64), 'holds int64; give uint8'),
        (np.full((2, 2, 3), np.nan), 'floats from nan to nan'),
        (np.full((2, 2, 3), -1.0), 'floats from -1 to -1'),
        (np.full((2, 2, 3), 0.5), 'floats from 0 to 1; multiply by 255'),
    ],
)
def test_an_array_that_is_no_image_is_refused_in_one_line(given, complaint):
    with pytest.raises(BadInput, match=complaint) as caught:
        bgr_of(given)
    assert '\n' not in str(caught.value)
