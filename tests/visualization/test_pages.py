"""Pages of panels: every pixel of a picture is where it should be, bars are as long as their values."""

import numpy as np

from cid_mmpose.visualization.maps import Scale
from cid_mmpose.visualization.pages import (
    BAR,
    CHART_BELOW,
    CHART_LEFT,
    EDGE,
    HEADING,
    TICKS,
    TITLE,
    WIDTH,
    Chart,
    Panel,
    page,
    slot_width,
    trimmed,
)


def noise(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def test_pictures_are_on_the_page_pixel_by_pixel_and_begin_on_one_line():
    first, second = noise(50, 60), noise(40, 70, 1)
    drawn = page([[Panel('a', first), Panel('b', second, Scale(0, 1)), None]], ['heading', 'and more'])
    top = EDGE + 2 * HEADING + TITLE + BAR + TICKS
    left = EDGE + slot_width(3) + EDGE
    assert drawn.shape == (top + 50 + EDGE, WIDTH, 3) and drawn.dtype == np.uint8
    assert (drawn[top : top + 50, EDGE : EDGE + 60] == first).all()
    assert (drawn[top : top + 40, left : left + 70] == second).all()
    assert (drawn[top:, left + 70 :] == 255).all()
    assert (drawn[:top, : EDGE + 60] < 100).any()  # heading and title


def test_a_row_stands_below_the_highest_picture_of_the_row_above():
    pictures = [noise(30, 40), noise(80, 40, 1), noise(20, 40, 2)]
    drawn = page([[Panel('a', pictures[0]), Panel('b', pictures[1])], [Panel('c', pictures[2])]])
    top = EDGE + TITLE + 80 + EDGE + TITLE
    assert (drawn[top : top + 20, EDGE : EDGE + 40] == pictures[2]).all() and len(drawn) == top + 20 + EDGE


def test_a_trimmed_page_ends_an_edge_behind_its_last_picture():
    picture = noise(30, 400)
    drawn = page([[Panel('a', picture), None]])
    assert trimmed(drawn).shape == (len(drawn), EDGE + 400 + EDGE, 3)
    assert (trimmed(drawn) == drawn[:, : EDGE + 400 + EDGE]).all()


def test_a_colour_bar_goes_from_the_lowest_colour_to_the_highest():
    scale = Scale(-3, 5)
    drawn = page([[Panel('a', noise(20, 300), scale)]])
    bar = drawn[EDGE + TITLE : EDGE + TITLE + BAR, EDGE : EDGE + 300]
    assert (bar == bar[:1]).all()
    assert (bar[0] == scale.paint(np.linspace(-3, 5, 300))).all()
    below = drawn[EDGE + TITLE + BAR : EDGE + TITLE + BAR + TICKS]
    dark = np.flatnonzero((below < 100).all(-1).any(0))
    # -3 begins at the left, 5 ends at the right, 1 is in the middle
    assert dark.min() - EDGE < 6 and EDGE + 300 - dark.max() < 6 and ((dark > 152) & (dark < 172)).any()


def test_bars_are_as_long_as_their_values_red_above_zero_and_blue_below():
    drawn = page([[Chart('a', np.array([2.0, -1.0, 0.5]), 2.0, (440, 232))]]).astype(int)
    top = EDGE + TITLE
    plot = drawn[top : top + 232 - CHART_BELOW, EDGE + CHART_LEFT : EDGE + 440]
    red = plot[..., 2] - plot[..., 0] > 100  # BGR
    blue = plot[..., 0] - plot[..., 2] > 100
    # the axis is 4 high on 200 px; bars stand at 1, 2 and 3 of 4 parts of 400 px
    np.testing.assert_allclose([red[:, x].sum() for x in (100, 200, 300)], [100, 0, 25], atol=2)
    assert abs(blue[:, 200].sum() - 50) <= 2 and not blue[:100].any() and not red[101:].any()
    assert not red[:, 180:220].any()
