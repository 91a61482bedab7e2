"""The renderer behind SynthCrowd: what is drawn is where the annotation says, and is seen where it says."""

import cv2
import numpy as np
import pytest

from cid_mmpose.data.synth import paint, scene
from cid_mmpose.data.synth.figure import dress
from cid_mmpose.data.synth.outfit import sample_outfit
from cid_mmpose.data.synth.parts import HEAD, PARTS, SHANK, THIGH
from cid_mmpose.data.synth.placement import Person
from cid_mmpose.data.synth.pose import Pose
from cid_mmpose.data.synth.shapes import Ellipsoid, capsules
from cid_mmpose.data.synth.skeleton import Build, assemble

NOSE, LEFT_EYE, RIGHT_EYE, LEFT_EAR, RIGHT_EAR, LEFT_SHOULDER, RIGHT_SHOULDER = range(7)
LEFT_WRIST, LEFT_KNEE, LEFT_ANKLE = 9, 13, 15
SIZE = 400  # px, images of these tests; a person in them is 300 px tall


def person(yaw, x=200.0, lift=0.3):
    """Somebody upright, 300 px tall, with a little-lifted arms and no hat, bag or long hair."""
    arms, legs = np.array([[0, lift, 0.2]] * 2), np.array([[0, 0.15, 0]] * 2)
    pose = Pose(arms, np.array([[0, 0, 1.0]] * 2), legs, np.zeros(3), np.zeros(2), 0.0, False)
    outfit = sample_outfit(np.random.default_rng(0))._replace(hat=False, bag=False, hair='short', legs='trousers')
    return Person(dress(assemble(pose, Build(), yaw, 0.0), Build(), outfit), np.array([x, 190.0]), 300.0)


def seen_keypoints(*persons):
    """Keypoints (N, 17, 3) of people far to near in an otherwise empty image."""
    layers = [scene.Layer(scene.person_strokes(one), index) for index, one in enumerate(persons)]
    return scene.judge(list(persons), scene.owner_map(layers, SIZE, SIZE))


def coverage(outline):
    """How much of each pixel an outline in px covers, (SIZE, SIZE) in [0, 1]."""
    image = np.zeros((SIZE, SIZE, 3), np.uint8)
    paint.draw(image, paint.strokes([outline], [(255, 255, 255)]))
    return image[..., 0] / 255


def centroid(weights):
    """(x, y) px of a map's center of mass."""
    y, x = np.mgrid[:SIZE, :SIZE]
    return np.array([(weights * x).sum(), (weights * y).sum()]) / weights.sum()


@pytest.mark.parametrize('start, end', [((100.25, 80.5), (160.75, 120.1)), ((50.4, 50.9), (50.4, 150.3))])
def test_a_drawn_limb_is_centered_between_its_ends_to_a_tenth_of_a_pixel(start, end):
    outline = capsules(np.array([start]), np.array([end]), np.array([9.0]), np.array([9.0]))[0]
    assert np.abs(centroid(coverage(outline)) - np.mean([start, end], axis=0)).max() < 0.1


@pytest.mark.parametrize('part, keypoint', [(THIGH[0], LEFT_KNEE), (SHANK[0], LEFT_KNEE), (SHANK[0], LEFT_ANKLE)])
def test_the_end_of_a_drawn_leg_is_at_the_keypoint(part, keypoint):
    """Of a limb drawn as a capsule, the end's disc is centered on the keypoint: its farthest point is a radius away."""
    one = person(yaw=0.0)
    outline = next(p for p in one.figure.parts if p.kind == part).shapes[-1].outline * one.scale + one.origin
    spot = one.figure.keypoints[keypoint] * one.scale + one.origin
    other = one.figure.keypoints[keypoint - 2 if part == THIGH[0] or keypoint == LEFT_ANKLE else keypoint + 2]
    along = spot - (other * one.scale + one.origin)
    reach = ((outline - spot) @ along).max() / np.linalg.norm(along)
    radius = {THIGH[0]: 0.036, SHANK[0]: 0.036 if keypoint == LEFT_KNEE else 0.023}[part] * 300
    assert reach == pytest.approx(radius, rel=0.05)
    assert coverage(outline)[tuple(np.rint(spot[::-1]).astype(int))] == 1.0


def test_a_pupil_is_drawn_around_the_eye_keypoint():
    one = person(yaw=0.0)
    head = next(p for p in one.figure.parts if p.kind == HEAD)
    pupils = [mark.outline * one.scale + one.origin for mark in head.marks if mark.role == 'pupil']
    for outline, keypoint in zip(pupils[-2:], (LEFT_EYE, RIGHT_EYE)):
        spot = one.figure.keypoints[keypoint] * one.scale + one.origin
        assert np.abs(centroid(coverage(outline)) - spot).max() < 0.6


@pytest.mark.parametrize(
    'yaw, left_is_right_of_right, face, left_side, right_side',
    [
        (0, True, True, True, True),  # looks at us: their left is our right
        (np.pi, False, False, True, True),  # the back: no face, sides as our own
        (np.pi / 2, None, True, False, True),  # looks to our right: the left side is behind
        (-np.pi / 2, None, True, True, False),
    ],
)
def test_left_and_right_follow_from_the_way_a_person_faces(yaw, left_is_right_of_right, face, left_side, right_side):
    keypoints = seen_keypoints(person(yaw))[0]
    if left_is_right_of_right is not None:
        assert (keypoints[LEFT_SHOULDER, 0] > keypoints[RIGHT_SHOULDER, 0]) == left_is_right_of_right
        assert (keypoints[LEFT_ANKLE, 0] > keypoints[LEFT_ANKLE + 1, 0]) == left_is_right_of_right
    assert (keypoints[NOSE, 2] == 2) == face
    for left, right in ((LEFT_EAR, RIGHT_EAR), (LEFT_SHOULDER, RIGHT_SHOULDER)):
        assert [keypoints[left, 2] == 2, keypoints[right, 2] == 2] == [left_side, right_side]
    assert [keypoints[LEFT_EYE, 2] == 2, keypoints[RIGHT_EYE, 2] == 2] == [face and left_side, face and right_side]
    if yaw == np.pi / 2:
        assert keypoints[NOSE, 0] > keypoints[RIGHT_EYE, 0] > keypoints[RIGHT_EAR, 0]


def test_whoever_stands_in_front_hides_the_one_behind():
    alone, pair = seen_keypoints(person(0.0))[0], seen_keypoints(person(0.0), person(0.0))
    assert (alone[:, 2] == 2).all()
    assert (pair[0, :, 2] == 1).all() and (pair[1, :, 2] == 2).all()
    assert np.array_equal(pair[0, :, :2], alone[:, :2])


def test_keypoints_outside_the_image_are_zero():
    keypoints = seen_keypoints(person(0.0, x=2.0))[0]
    outside = keypoints[:, 2] == 0
    assert outside[[RIGHT_SHOULDER, 10, 12]].all() and not keypoints[outside].any()
    assert (keypoints[~outside, 0] >= 0).all()


def test_taking_a_person_away_changes_exactly_the_pixels_where_they_are_seen():
    """The owner map against the image itself: both are drawn on grey, with and without each person."""
    for seed in range(6):
        persons, layers = scene.stage(np.random.default_rng(seed), 300, 300, (4, 6), (0.4, 0.9), 0.8, 180)
        owners = scene.owner_map(layers, 300, 300)
        keypoints = scene.judge(persons, owners)
        for index in range(len(persons)):
            changed = _image(layers) != _image([layer for layer in layers if layer.person != index])
            changed = changed.any(2).astype(np.uint8)
            own = ((owners.astype(int) - 1) // len(PARTS) == index).astype(np.uint8)
            assert changed[cv2.erode(own, np.ones((3, 3))) == 1].all()
            # The soft borders of whoever stands in front let a shade of those behind through, here and there.
            assert changed[cv2.dilate(own, np.ones((5, 5))) == 0].sum() < 60
            x, y, _ = np.rint(keypoints[index][keypoints[index, :, 2] == 2]).astype(int).T
            assert changed[y, x].all()


def _image(layers):
    image = np.full((300, 300, 3), 1, np.uint8)  # a colour that nothing in a scene has
    for layer in layers:
        paint.draw(image, layer.strokes)
    return image


def test_a_person_of_whom_nothing_is_seen_is_left_out():
    layers = [scene.Layer([], 0), scene.Layer([], scene.NOBODY), scene.Layer([], 1), scene.Layer([], 2)]
    people, kept = scene.leave_out(['a', 'b', 'c'], layers, np.array([1]))
    assert people == ['a', 'c'] and [layer.person for layer in kept] == [0, scene.NOBODY, 1]


def test_crowd_index_of_two_people_worked_by_hand():
    """A has 4 labelled keypoints and 1 of B's 2 in the box: 1/4. B has 2, and 3 of A's in the box: 3/2. Mean 7/8."""
    boxes = np.array([[0, 0, 10, 10], [5, 5, 10, 10]])
    keypoints = np.zeros((2, 17, 3))
    keypoints[0, :4] = [[1, 1, 2], [6, 6, 2], [7, 7, 1], [8, 8, 2]]
    keypoints[1, :2] = [[9, 9, 1], [14, 14, 2]]
    assert scene.crowd_index(boxes, keypoints) == 7 / 8
    assert scene.crowd_index(boxes[:1], keypoints[:1]) == 0.0 and scene.crowd_index(boxes[:0], keypoints[:0]) == 0.0
    keypoints[1, 1:6] = [2, 2, 2]
    assert scene.crowd_index(boxes, keypoints) == min((6 / 4 + 3 / 6) / 2, 1)


def test_a_cap_that_faces_away_is_not_seen_and_one_that_faces_us_is_whole():
    ball = Ellipsoid(np.zeros(3), np.diag([1.0, -1.0, -1.0]), np.ones(3))  # forward looks at the viewer
    towards = ball.cap(np.array([0, 0, 1.0]), 0.5)
    assert ball.cap(np.array([0, 0, -1.0]), 0.5) is None
    assert np.hypot(*towards.T) == pytest.approx(np.sin(0.5), rel=1e-3)
    sideways = ball.cap(np.array([1.0, 0, 0]), 0.5)  # half of it is seen, on the side the axis points to
    assert sideways[:, 0].min() == pytest.approx(np.cos(0.5), abs=0.02) and cv2.contourArea(
        sideways.astype(np.float32)
    ) == pytest.approx((1.0 - np.sin(1.0)) / 2, abs=0.03)


def test_the_finish_keeps_the_mean_colour_near_and_is_never_the_same_twice():
    grey, rng = np.full((64, 64, 3), 120, np.uint8), np.random.default_rng(3)
    first, second = paint.finish(grey, rng), paint.finish(grey, rng)
    assert first.shape == grey.shape and first.dtype == np.uint8 and not np.array_equal(first, second)
    assert 50 < first.mean() < 200
