"""Words on an image: where they stand, and that they are seen on any background."""

import numpy as np
import pytest

from cid_mmpose.visualization.text import Rectangle, text_size, write


@pytest.mark.parametrize('height', [7, 8.5, 12, 40])
@pytest.mark.parametrize('shade', [0, 120, 255])
def test_a_text_fills_the_place_that_it_asks_for_and_no_more(height, shade):
    canvas = np.full((120, 400, 3), shade, np.uint8)
    width, tall = text_size('0.87', height)
    write(canvas, '0.87', 30, 20, height, (0, 255, 255))
    rows, columns = np.nonzero((canvas != shade).any(2))
    assert 20 <= rows.min() and rows.max() < 20 + tall
    assert 30 <= columns.min() and columns.max() < 30 + width
    assert rows.max() - rows.min() >= height and columns.max() - columns.min() > 0.7 * width
    assert abs(canvas.astype(int) - shade).max() > 100


@pytest.mark.parametrize(
    'other, meets',
    [
        ((5, 5, 15, 15), True),
        ((10, 0, 20, 10), False),  # right and bottom lie outside
        ((9, 9, 20, 20), True),
        ((0, 10, 10, 20), False),
        ((2, 2, 3, 3), True),
    ],
)
def test_two_places_meet_where_they_share_a_pixel(other, meets):
    place = Rectangle(0, 0, 10, 10)
    assert place.meets(Rectangle(*other)) == Rectangle(*other).meets(place) == meets
