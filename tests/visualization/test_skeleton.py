"""Lines and dots of one person: widths, what is left of a face, colours of sides, and what they cover."""

import numpy as np
import pytest

from cid_mmpose.inference import KeypointSet
from cid_mmpose.visualization.skeleton import (
    DARK,
    anatomy,
    cover,
    is_of_head,
    limb_width,
    link_side,
    make_skeleton,
    paint,
)

BLUE, RED, GREEN = (255, 0, 0), (0, 0, 255), (0, 255, 0)
PALETTE = dict(left=BLUE, right=RED, middle=GREEN)
BODY = KeypointSet(
    names=('nose', 'left_eye', 'left_hip', 'right_hip', 'left_knee', 'right_knee'),
    links=((0, 1), (2, 3), (2, 4), (3, 5), (0, 2)),
    swaps=(0, 1, 3, 2, 5, 4),
)
PLACES = np.array([[50, 10], [54, 10], [60, 50], [40, 50], [60, 90], [40, 53]], float)


def skeleton(width=4.0, places=PLACES, drawn=(True,) * 6, shape=(100, 100)):
    return make_skeleton(places, np.array(drawn), anatomy(BODY), width, PALETTE, shape)


@pytest.mark.parametrize(
    'size, diagonal, width',
    [
        (300, 800, 3.0),  # a hundredth of the person
        (700, 800, 800 / 170),  # at most, of 640 x 480 px
        (50, 800, 800 / 700),  # at least
        (20, 800, 1.0),  # one pixel is the least there is
        (2000, 5000, 20.0),  # of 4000 x 3000 px
        (100, 5000, 4.0),  # a small person in it: 4 % of the size, not 7 px
        (0, 5000, 1.0),  # of whom one keypoint is seen
        (128, 181, 181 / 170),  # of 128 x 128 px
    ],
)
def test_widths_follow_the_person_within_bounds_of_the_image(size, diagonal, width):
    assert limb_width(size, diagonal) == pytest.approx(width)


@pytest.mark.parametrize(
    'name, of_head',
    [
        ('nose', True),
        ('left_eye', True),
        ('top_head', True),
        ('L_EarBase', True),
        ('RightEar', True),
        ('face-12', True),
        ('LEFT_EYE', True),
        ('left_wrist', False),
        ('forearm', False),  # has an ear in it
        ('heart', False),
        ('L_F_Paw', False),
        ('neck', False),
    ],
)
def test_keypoints_of_a_head_are_known_by_the_words_in_their_names(name, of_head):
    assert is_of_head(name) == of_head


@pytest.mark.parametrize(
    'start, end, side',
    [
        ('left', 'left', 'left'),
        ('left', 'middle', 'left'),
        ('middle', 'right', 'right'),
        ('left', 'right', 'middle'),
        ('middle', 'middle', 'middle'),
    ],
)
def test_a_line_is_of_the_side_of_its_ends(start, end, side):
    assert link_side(start, end) == side


def kinds(found):
    """Colour, width, outer width and number of lines of each kind."""
    return {(lines.colour, lines.width, lines.outer, len(lines.ends)) for lines in found.lines}


def test_lines_of_a_head_are_thin_without_an_edge_and_left_out_where_they_would_fill_a_face():
    # hips 20 px apart and the left thigh of 40 px: 4 px wide, 2 px of edge together; the right one of 3 px: 1 px wide;
    # nose to hip: 0.3 of 4 px; nose to eye, 4 px apart: none
    assert kinds(skeleton()) == {(GREEN, 4, 6, 1), (BLUE, 4, 6, 1), (RED, 1, 2, 1), (BLUE, 1, 1, 1)}


def test_in_a_large_face_its_lines_are_drawn():
    # ten times as large, and so are limbs: nose to eye 40 px apart, min(0.3 * 40, 0.3 * 40); right thigh 0.3 * 30
    large = skeleton(40.0, PLACES * 10, shape=(1000, 1000))
    assert kinds(large) == {
        (GREEN, 40, 60, 1),
        (BLUE, 40, 60, 1),
        (RED, 9, 13, 1),
        (GREEN, 12, 12, 1),
        (BLUE, 12, 12, 1),
    }


def test_dots_of_a_head_and_those_close_to_each_other_are_small():
    radii = [dot.radius for dot in skeleton().dots]
    # nose and eye: 0.3 of the 4 px between them; the right hip and knee: 0.3 of 3 px
    assert radii == pytest.approx([1.2, 1.2, 4, 0.9, 4, 0.9])
    assert [dot.outer for dot in skeleton().dots] == pytest.approx([1.7, 1.7, 5, 1.4, 5, 1.4])


def test_keypoints_that_are_not_drawn_take_their_lines_with_them():
    found = skeleton(drawn=(False, False, True, True, False, True))
    assert kinds(found) == {(GREEN, 4, 6, 1), (RED, 1, 2, 1)}
    assert [dot.place for dot in found.dots] == [(60 * 16, 50 * 16), (40 * 16, 50 * 16), (40 * 16, 53 * 16)]


def test_a_limb_has_its_width_between_dark_edges_and_its_joint_a_lighter_dot():
    canvas = np.full((100, 100, 3), 200, np.uint8)
    paint(canvas, skeleton(width=6.0))
    across = canvas[70, 50:71].astype(int)  # through the left thigh, x = 50 to 70, blue from (60, 50) to (60, 90)
    is_blue = (across == BLUE).all(1)
    is_dark = (across == DARK).all(1)
    is_background = (across == 200).all(1)
    assert 5 <= is_blue.sum() <= 7 and is_blue[10]
    assert 2 <= is_dark.sum() <= 3 and not is_dark[8:13].any()
    assert is_background[:4].all() and is_background[17:].all()
    assert canvas[90, 60].tolist() == [255, 115, 115]  # 45 % on the way to white


@pytest.mark.parametrize('shade', [0, 255])
def test_limbs_are_seen_on_black_and_on_white(shade):
    canvas = np.full((100, 100, 3), shade, np.uint8)
    paint(canvas, skeleton(width=6.0))
    differences = abs(canvas[70, 50:71].astype(int) - shade).max(1)
    assert differences.max() > 200


@pytest.mark.parametrize('width', [1.0, 1.5, 4.0, 9.0])
@pytest.mark.parametrize('shift', [0, 0.3, -30, 45.5])
def test_what_is_painted_lies_in_the_mask_and_the_mask_in_rows_and_columns(width, shift):
    found = skeleton(width, PLACES + shift)
    canvas = np.full((100, 100, 3), 128, np.uint8)
    mask = np.zeros((100, 100), np.uint8)
    paint(canvas, found)
    cover(mask, found)

    painted = abs(canvas.astype(int) - 128).max(2) > 5  # the faintest smoothing does not count
    assert painted.any() and not (painted & (mask == 0)).any()
    assert not ((mask > 30) & ~painted).any()
    mask[found.rows, found.columns] = 0
    assert not mask.any()


def test_outside_the_image_nothing_is_left_to_draw():
    found = skeleton(places=PLACES + 500)
    assert found.columns == slice(100, 100) and found.rows == slice(100, 100)
