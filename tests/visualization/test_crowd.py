"""Crowds as they are drawn: who is seen where, over whom, in which colour, and what is written."""

import subprocess
import sys

import numpy as np
import pytest

from cid_mmpose.errors import BadInput
from cid_mmpose.inference import KeypointSet
from cid_mmpose.visualization import DrawOptions, draw_crowd
from cid_mmpose.visualization.colours import PALETTE, SIDES
from cid_mmpose.visualization.crowd import far_to_near
from cid_mmpose.visualization.options import least_keypoint_score

ROD = KeypointSet(('left_end', 'right_end', 'middle'), links=((0, 2), (2, 1)), swaps=(1, 0, 2))
GREY = 90
PLAIN = dict(labels='none')


def grey(height=200, width=300):
    return np.full((height, width, 3), GREY, np.uint8)


def rod(x1, y1, x2, y2):
    """A person: a straight line with a keypoint in the middle."""
    return np.array([(x1, y1), (x2, y2), ((x1 + x2) / 2, (y1 + y2) / 2)], float)


def draw(people, keypoint_scores=None, image=None, **options):
    """On grey, by default without labels."""
    keypoints = np.array(people, float).reshape(-1, 3, 2)
    if keypoint_scores is None:
        keypoint_scores = np.ones(keypoints.shape[:2])
    image = grey() if image is None else image
    return draw_crowd(image, keypoints, np.asarray(keypoint_scores), ROD, **PLAIN | options)


def colour_at(drawn, x, y):
    """The colour of the palette that a pixel has; a line of one pixel is smoothed by a few levels."""
    differences = abs(np.array(PALETTE) - drawn[y, x].astype(int)).max(1)
    assert differences.min() < 30
    return PALETTE[differences.argmin()]


def changed(drawn):
    return (drawn != GREY).any(2)


def test_a_person_is_drawn_where_the_keypoints_are_and_the_image_stays_as_it_is():
    image = grey()
    drawn = draw([rod(50, 20, 50, 180)], image=image)
    rows, columns = np.nonzero(changed(drawn))
    assert (image == GREY).all() and drawn.shape == image.shape and drawn.dtype == np.uint8
    assert 15 <= rows.min() <= 20 and 180 <= rows.max() <= 185
    assert 45 <= columns.min() <= 49 and 51 <= columns.max() <= 55
    assert tuple(drawn[60, 50]) == PALETTE[0]


@pytest.mark.parametrize('turned', [np.s_[:, ::-1], np.s_[::-1], np.s_[..., ::-1]])
def test_an_image_that_is_a_view_is_drawn_on_too(turned):
    drawn = draw([rod(50, 20, 50, 180)], image=grey()[turned])
    np.testing.assert_array_equal(drawn, draw([rod(50, 20, 50, 180)]))


def test_keypoints_with_a_low_score_are_left_out_with_their_lines():
    drawn = draw([rod(50, 20, 50, 180)], [[0.31, 0.29, 0.9]])
    rows = np.flatnonzero(changed(drawn).any(1))
    assert rows.min() < 20 and 100 <= rows.max() < 106  # from the left end to the middle at y = 100
    lower = draw([rod(50, 20, 50, 180)], [[0.31, 0.29, 0.9]], min_keypoint_score=0.29)
    np.testing.assert_array_equal(lower, draw([rod(50, 20, 50, 180)]))


@pytest.mark.parametrize('nowhere', [np.nan, np.inf, -np.inf])
def test_a_keypoint_that_is_nowhere_is_left_out(nowhere):
    person = rod(50, 20, 50, 180)
    person[1, 0] = nowhere
    np.testing.assert_array_equal(draw([person]), draw([rod(50, 20, 50, 180)], [[1, 0, 1]]))


@pytest.mark.parametrize('far', [1e3, 1e9, 1e30])
def test_a_keypoint_far_outside_draws_the_line_to_the_border(far):
    drawn = draw([[(50, 20), (50, far), (50, 100)]])
    assert tuple(drawn[199, 50]) == PALETTE[0]
    empty = draw([rod(far, 20, far, 180)], legend=False)
    assert empty.min() == empty.max()


def width_at(drawn, row):
    return int((drawn[row] == PALETTE[0]).all(1).sum())


@pytest.mark.parametrize(
    'size, image_size, width',
    [
        (160, (200, 300), 2),  # 1.6
        (400, (480, 640), 4),
        (440, (480, 640), 4),  # 4.4
        (1500, (3000, 4000), 15),
        (150, (3000, 4000), 6),  # 4 % of the person
        (2900, (3000, 4000), 29),
        (100, (128, 128), 1),
    ],
)
def test_lines_are_as_wide_as_person_and_image_ask_for(size, image_size, width):
    drawn = draw([rod(50, 20, 50, 20 + size)], image=grey(*image_size))
    assert abs(width_at(drawn, 20 + size // 4) - width) <= 1 + width // 10


def test_thickness_is_a_factor():
    person = rod(300, 40, 300, 440)
    widths = [width_at(draw([person], image=grey(480, 640), thickness=factor), 150) for factor in (0.5, 1, 3)]
    assert np.abs(np.subtract(widths, [2, 4, 12])).max() <= 1


def test_small_and_high_is_far_and_large_and_low_is_near():
    extents = np.array(
        [
            (0, 0, 100, 200),  # large
            (0, 0, 50, 100),  # small and high
            (0, 100, 50, 200),  # small and low
            (0, 0, 50, 100),  # as the second: its order stays
        ]
    )
    assert far_to_near(extents).tolist() == [1, 3, 2, 0]


@pytest.mark.parametrize('order', [(0, 1), (1, 0)])
def test_the_near_person_lies_over_the_far_one_who_shows_through(order):
    far, near = rod(20, 60, 180, 60), rod(60, 10, 60, 190)
    drawn = draw([(far, near)[number] for number in order])
    colours = [PALETTE[order.index(number)] for number in (0, 1)]
    assert tuple(drawn[60, 30]) == colours[0] and tuple(drawn[30, 60]) == colours[1]
    # where they cross: 65 % of the near one's colour over 35 % of the far one's
    mixed = 0.65 * np.array(colours[1]) + 0.35 * np.array(colours[0])
    np.testing.assert_allclose(drawn[60, 60], mixed, atol=1)


def test_people_who_share_no_pixel_are_opaque_whether_the_others_are_there_or_not():
    far, near = rod(20, 20, 20, 120), rod(90, 20, 90, 190)
    both = draw([far, near])
    np.testing.assert_array_equal(both[:, 60:], draw([rod(500, 0, 500, 9), near])[:, 60:])  # another outside
    assert colour_at(both, 20, 50) == PALETTE[0] and colour_at(both, 90, 50) == PALETTE[1]


def test_in_a_crowd_nobody_has_the_colour_of_who_stands_close():
    rng = np.random.default_rng(0)
    people = [rod(x, y, x, y + 200) for x, y in rng.uniform(5, (635, 270), (40, 2)).round()]
    drawn = draw(people, image=grey(480, 640))
    # who is covered by nobody a quarter from above shows the colour there
    seen = {}
    for number, person in enumerate(people):
        x, y = (0.75 * person[0] + 0.25 * person[1]).astype(int)
        if abs(np.array(PALETTE) - drawn[y, x].astype(int)).max(1).min() < 30:
            seen[number] = colour_at(drawn, x, y)
    close = [  # a tenth of 200 px apart, or less
        (one, other)
        for one in seen
        for other in seen
        if one < other and abs(people[one][0, 0] - people[other][0, 0]) <= 20
    ]
    assert len(seen) > 25 and len(close) > 20
    assert [pair for pair in close if seen[pair[0]] == seen[pair[1]]] == []


def test_people_whose_given_boxes_touch_differ_though_their_keypoints_are_far_apart():
    people = [rod(20 * number, 20, 20 * number, 30) for number in range(1, 14)]  # one more than there are colours
    apart = draw(people)
    assert colour_at(apart, 20, 22) == colour_at(apart, 260, 22)
    boxes = np.array([(20 * number - 5, 0, 20 * number + 5, 190) for number in range(1, 14)], float)
    boxes[-1, 0] = 0  # the last one's box lies over all others
    touching = draw(people, boxes=boxes)
    others = [colour_at(touching, 20 * number, 22) for number in range(1, 13)]
    assert len(set(others)) == 11 and colour_at(touching, 260, 22) not in others


def test_sides_have_their_colours():
    drawn = draw([rod(50, 20, 50, 180)], colours='side')
    assert tuple(drawn[60, 50]) == SIDES['left'] and tuple(drawn[140, 50]) == SIDES['right']


def test_boxes_are_drawn_only_where_asked_for():
    boxes = np.array([(30.0, 10, 100, 190)])
    drawn = draw([rod(50, 20, 50, 180)], boxes=boxes, show_boxes=True)
    assert colour_at(drawn, 30, 100) == colour_at(drawn, 80, 190) == PALETTE[0]
    assert not changed(draw([rod(50, 20, 50, 180)], boxes=boxes))[100, 30]
    around = draw([rod(50, 20, 150, 180)], show_boxes=True)
    assert colour_at(around, 50, 100) == colour_at(around, 80, 180) == PALETTE[0]


@pytest.mark.parametrize('count', [0, 2])
def test_an_image_without_people_says_so_at_the_top_left(count):
    people = [rod(100, 100, 100, 180)] * count
    scores = np.full((count, 3), 0.2)
    drawn = draw(people, scores, scores=np.ones(count), labels='score')
    rows, columns = np.nonzero(changed(drawn))
    assert 0 < rows.min() and rows.max() < 30 and columns.max() < 150 and drawn.max() > 240
    assert (draw(people, scores, legend=False) == GREY).all()


def test_the_legend_names_the_threshold():
    nobody = dict(people=[])
    usual = draw(**nobody)
    assert (draw(**nobody, min_score=0.3) == usual).all()
    higher = draw(**nobody, min_score=0.5)
    assert (higher != usual).any() and (draw(**nobody, min_keypoint_score=0.5) == higher).all()


def test_where_people_have_no_keypoint_that_is_drawn_the_legend_does_not_say_that_nobody_is_there():
    two = [rod(50, 20, 50, 180), rod(150, 20, 150, 180)]
    weak = np.full((2, 3), 0.2)
    nobody = draw([])
    assert (draw(two, weak, scores=np.array([0.2, 0.2]), min_score=0.1) != nobody).any()
    assert (draw(two, weak, scores=np.array([0.2, 0.2]), min_score=0.3) == nobody).all()


def test_everyone_who_was_asked_for_is_drawn_down_to_the_lowest_score():
    person, weak = [rod(50, 20, 50, 180)], [[0.06, 0.06, 0.06]]
    assert changed(draw(person, weak, min_keypoint_score=least_keypoint_score(0.06)))[60, 50]
    assert (least_keypoint_score(0.06), least_keypoint_score(0.3), least_keypoint_score(0.9)) == (0.06, 0.3, 0.3)


def test_people_with_a_low_score_are_left_out():
    two = [rod(50, 20, 50, 180), rod(150, 20, 150, 180)]
    scores = np.array([0.4, 0.6])
    np.testing.assert_array_equal(draw(two, scores=scores, min_score=0.5), draw(two[1:]))
    assert changed(draw(two, scores=scores))[60, 50]


def label(people, **options):
    """Where the labels are: the pixels that differ from those of an image without."""
    return (draw(people, **options) != draw(people)).any(2)


def test_a_score_is_written_above_the_person_and_below_where_that_is_taken():
    person = rod(150, 60, 150, 160)
    rows, columns = np.nonzero(label([person], labels='score', scores=np.array([0.87])))
    assert 35 < rows.min() and rows.max() < 60 and 130 < columns.min() and columns.max() < 170

    far = rod(150, 60, 151, 150)
    rows, _ = np.nonzero(label([far, person], labels='score', scores=np.array([0.5, 0.87])))
    assert rows.min() > 35 and 150 < rows.max() < 175  # the near one's above, the far one's below


@pytest.mark.parametrize('x', [0, 150, 299])
@pytest.mark.parametrize('y', [0, 40])
def test_a_label_stays_in_the_image(x, y):
    place = label([rod(x, y, x, y + 150)], labels='score', scores=np.array([0.87]))
    apart = np.count_nonzero(label([rod(150, 40, 150, 190)], labels='score', scores=np.array([0.87])))
    assert 0.7 * apart < np.count_nonzero(place) < 1.4 * apart  # the line may lie below some of it


def test_labels_have_two_digits_or_the_number_in_the_arrays():
    people = [rod(50, 60, 50, 160), rod(150, 60, 150, 160)]

    def shown(score, kind):
        return label(people, labels=kind, scores=np.array([0.1, score]), min_score=0.2)

    assert (shown(0.868, 'score') == shown(0.874, 'score')).all()
    assert (shown(0.868, 'score') != shown(0.862, 'score')).any()
    assert (shown(0.868, 'number') == shown(0.862, 'number')).all()
    assert (label(people[1:], labels='number') != shown(0.9, 'number')).any()  # 0 there, 1 here


def test_there_is_no_label_without_scores_and_none_on_small_people():
    assert not label([rod(150, 60, 150, 160)], labels='score').any()
    small = label([rod(150, 60, 150, 90)], labels='score', scores=np.array([0.87]))
    assert not small.any()


def test_drawing_needs_numpy_and_opencv_alone():
    code = (
        'import sys\n'
        "for name in ('torch', 'mmengine', 'mmcv', 'mmpose', 'matplotlib', 'PIL', 'supervision'):\n"
        '    sys.modules[name] = None\n'  # import fails
        'import numpy as np\n'
        'from cid_mmpose.inference import KeypointSet, People\n'
        'from cid_mmpose.visualization import draw_crowd, draw_people, overlay, sheet\n'
        'one = People([[[5, 5]]], [[1]], [1], [[0, 0, 9, 9]], [[5, 5]], KeypointSet(("a",)), (40, 30))\n'
        'print(one.draw(np.zeros((30, 40, 3), np.uint8))[5, 5].tolist())\n'
    )
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == '[255, 197, 115]'  # the first colour, 45 % on the way to white


@pytest.mark.parametrize(
    'options, said',
    [
        (dict(colours='moon'), "draw: option 'colours' is 'moon'; give one of 'person', 'side'"),
        (dict(labels=True), "draw: option 'labels' is True; give one of 'score', 'number', 'none'"),
        (dict(min_keypoint_score=1.1), "draw: option 'min_keypoint_score' is 1.1; give a number from 0 to 1"),
        (dict(min_score='0.3'), "draw: option 'min_score' is '0.3'; give a number from 0 to 1"),
        (dict(min_score=float('nan')), "draw: option 'min_score' is nan; give a number from 0 to 1"),
        (dict(show_boxes=1), "draw: option 'show_boxes' is 1; give True or False"),
        (dict(legend='yes'), "draw: option 'legend' is 'yes'; give True or False"),
        (dict(thickness=0), "draw: option 'thickness' is 0; give a number above 0"),
        (dict(thickness=True), "draw: option 'thickness' is True; give a number above 0"),
        (
            dict(moon=1),
            "draw: there is no option 'moon'; there are colours, min_keypoint_score, min_score, labels, show_boxes, "
            'legend, thickness',
        ),
    ],
)
def test_a_wrong_option_is_told_in_one_line(options, said):
    with pytest.raises(BadInput) as error:
        draw([rod(50, 20, 50, 180)], **options)
    assert str(error.value) == said


def test_options_are_checked_when_they_are_made_and_stay():
    with pytest.raises(BadInput, match="'thickness' is -1"):
        DrawOptions(thickness=-1)
    with pytest.raises(AttributeError):
        DrawOptions().thickness = 2


@pytest.mark.parametrize(
    'image, said',
    [
        (np.zeros((5, 5), np.uint8), r'an array of shape \(5, 5\) and type uint8; give \(h, w, 3\) uint8 BGR'),
        (np.zeros((5, 5, 4), np.uint8), r'an array of shape \(5, 5, 4\)'),
        (np.zeros((5, 5, 3)), 'type float64'),
        (np.zeros((0, 5, 3), np.uint8), r'shape \(0, 5, 3\)'),
        ('image.jpg', 'the image is a str'),
    ],
)
def test_what_is_no_image_is_refused(image, said):
    with pytest.raises(ValueError, match=said):
        draw([rod(50, 20, 50, 180)], image=image)


@pytest.mark.parametrize(
    'wrong, said',
    [
        (dict(keypoint_scores=np.ones((1, 2))), r'keypoint_scores has shape \(1, 2\) where \(1, 3\) belongs'),
        (dict(scores=np.ones(2)), r'scores has shape \(2,\) where \(1,\) belongs'),
        (dict(boxes=np.ones((1, 2))), r'boxes has shape \(1, 2\) where \(1, 4\) belongs'),
    ],
)
def test_arrays_that_do_not_belong_together_are_refused(wrong, said):
    with pytest.raises(ValueError, match=said):
        draw([rod(50, 20, 50, 180)], **wrong)
