"""Colours in a video: who keeps theirs, who gets another, and when somebody is forgotten."""

import numpy as np
import pytest

from cid_mmpose.inference import KeypointSet, People
from cid_mmpose.inference.drawing import Drawer
from cid_mmpose.visualization import draw_crowd
from cid_mmpose.visualization.colour_memory import PATIENCE, ColourMemory, overlaps
from cid_mmpose.visualization.colours import PALETTE, colour_graph, neighbours

KEYPOINTS = KeypointSet(('top', 'bottom'), ((0, 1),))
NOBODY = np.empty((0, 4))


def boxes(*lefts: float) -> np.ndarray:
    """Boxes of 20 x 40 px whose left sides are these."""
    return np.array([[left, 0, left + 20, 40] for left in lefts], float)


def test_what_two_boxes_share_worked_out_by_hand():
    # 10 of 20 px wide in common: 400 of 800 + 800 - 400; the last has no area
    given = np.array([[0, 0, 20, 40], [10, 0, 30, 40], [100, 0, 120, 40], [5, 5, 5, 5]], float)
    np.testing.assert_allclose(overlaps(given[:1], given), [[1, 1 / 3, 0, 0]])
    assert overlaps(given[3:], given[3:]).tolist() == [[0]]
    assert overlaps(NOBODY, given).shape == (0, 4)


def test_people_keep_their_colours_in_whatever_order_they_come():
    memory = ColourMemory()
    first = memory.choose(boxes(0, 30, 60))
    assert len(set(first)) == 3
    assert memory.choose(boxes(65, 3, 34)).tolist() == first[[2, 0, 1]].tolist()
    assert memory.choose(boxes(8, 70)).tolist() == first[[0, 2]].tolist()


def test_two_people_who_pass_each_other_do_not_swap_colours():
    memory = ColourMemory()
    start = memory.choose(np.array([[0, 0, 20, 40], [200, 20, 240, 100]], float))
    for step in range(1, 41):
        moved = np.array([[5 * step, 0, 20 + 5 * step, 40], [200 - 5 * step, 20, 240 - 5 * step, 100]], float)
        assert memory.choose(moved[::-1]).tolist() == start[::-1].tolist()


@pytest.mark.parametrize('frames, known', [(1, True), (PATIENCE, True), (PATIENCE + 1, False)])
def test_somebody_who_is_not_seen_is_remembered_for_a_while(frames, known):
    memory = ColourMemory()
    memory.choose(boxes(0, 100))
    for _ in range(frames):
        memory.choose(boxes(100))
    # the other one has colour 1; a new person gets the least used one of those that are seen, which is 0 as well
    assert len(memory.boxes) == 1 + (frames <= PATIENCE)
    memory.colours[-1] = 7
    assert (memory.choose(boxes(102, 1))[1] == 7) == known


def test_neighbours_never_share_a_colour_also_where_both_had_it_before():
    memory = ColourMemory()
    memory.choose(boxes(0, 100))
    memory.colours[:] = 4
    chosen = memory.choose(boxes(5, 95))
    assert chosen.tolist() == [4, 4]
    for left in range(5, 45, 4):
        chosen = memory.choose(boxes(left, 100 - left))
    assert chosen[0] == 4 and chosen[1] != 4
    chosen = memory.choose(boxes(5, 10, 15, 20))
    assert len(set(chosen)) == 4


def test_an_empty_frame_is_a_frame():
    memory = ColourMemory()
    assert memory.choose(NOBODY).shape == (0,)
    first = memory.choose(boxes(0))
    memory.choose(NOBODY)
    assert memory.choose(boxes(1)).tolist() == first.tolist()


def test_colours_that_are_given_stay_and_the_others_are_chosen_around_them():
    near = neighbours(boxes(0, 15, 30))
    assert colour_graph(near, 12, np.array([-1, 3, -1]))[1] == 3
    assert colour_graph(near, 12, np.array([5, 5, -1]))[0] == 5
    assert colour_graph(near, 2, np.array([1, 1, 1])).tolist() == [1, 0, 1]  # the outer two are no neighbours


def video(order: list[int], frame: int, path: str = 'clip.mp4') -> People:
    """Three people side by side, in this order, on grey."""
    lefts = np.array([20.0, 60, 100])[order] + frame
    keypoints = np.stack([np.stack([lefts, np.full(3, 20.0)], 1), np.stack([lefts, np.full(3, 80.0)], 1)], 1)
    around = np.concatenate([keypoints[:, 0] - (15, 5), keypoints[:, 1] + (15, 5)], 1)
    image = np.full((100, 140, 3), 128, np.uint8)
    ones = np.ones((3, 2))
    return People(keypoints, ones, np.ones(3), around, keypoints[:, 0], KEYPOINTS, (140, 100), path, frame, 0.0, image)


def colours_of(drawn: np.ndarray, frame: int) -> list[int]:
    """The colours of the palette that are nearest to the middles of the three lines, from left to right."""
    middles = drawn[50, [left + frame for left in (20, 60, 100)]].astype(int)
    return np.abs(middles[:, None] - np.array(PALETTE)).sum(2).argmin(1).tolist()


def test_in_the_frames_of_a_video_a_person_keeps_a_colour_and_another_video_starts_anew():
    drawer = Drawer(labels='none')
    first = colours_of(drawer.draw(video([0, 1, 2], 0)), 0)
    assert len(set(first)) == 3
    assert colours_of(drawer.draw(video([2, 0, 1], 1)), 1) == first
    assert colours_of(drawer.draw(video([2, 0, 1], 1)), 1) == first  # for a window as well
    other = video([2, 0, 1], 2, 'other.mp4')
    alone = draw_crowd(other.image, other.keypoints, other.keypoint_scores, KEYPOINTS, boxes=other.boxes, labels='none')
    assert np.array_equal(drawer.draw(other), alone)
    assert colours_of(alone, 2) != first
