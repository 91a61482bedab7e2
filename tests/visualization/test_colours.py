"""Colours of people: that they can be told apart, and that neighbours do not share one."""

import numpy as np
import pytest

from cid_mmpose.visualization.colours import PALETTE, SIDES, colour_graph, lighter, neighbours

# linear RGB as it is seen without one kind of cones: Machado, Oliveira and Fernandes (2009), severity 1.0
SEEN_BY = dict(
    everybody=np.eye(3),
    protanopia=[[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    deuteranopia=[[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    tritanopia=[[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
)
XYZ = np.array(  # of linear sRGB, IEC 61966-2-1
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)


def lab(colours, matrix) -> np.ndarray:
    """BGR colours in CIELAB (D65), seen through a matrix of linear RGB."""
    rgb = np.array(colours, float)[:, ::-1] / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear @ np.array(matrix).T, 0, 1)
    xyz = seen @ XYZ.T / XYZ.sum(1)
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], 1)


def closest(colours, matrix) -> float:
    """The least distance between two of them."""
    places = lab(colours, matrix)
    distances = np.linalg.norm(places[:, None] - places[None], axis=2)
    return distances[np.triu_indices(len(colours), 1)].min()


def test_the_yardstick_knows_white_grey_and_the_colours_that_protanopia_confuses():
    np.testing.assert_allclose(lab([(255, 255, 255), (119, 119, 119)], np.eye(3)), [[100, 0, 0], [50, 0, 0]], atol=0.1)
    red_and_olive = [(0, 0, 200), (0, 78, 78)]
    assert closest(red_and_olive, SEEN_BY['everybody']) > 60
    assert closest(red_and_olive, SEEN_BY['protanopia']) < 20


@pytest.mark.parametrize(
    'eyes, least', [('everybody', 37), ('protanopia', 24), ('deuteranopia', 24), ('tritanopia', 24)]
)
def test_any_two_colours_can_be_told_apart(eyes, least):
    assert closest(PALETTE, SEEN_BY[eyes]) > least


@pytest.mark.parametrize('eyes', SEEN_BY)
def test_the_first_two_colours_and_those_of_left_and_right_are_far_apart_for_everybody(eyes):
    assert closest(PALETTE[:2], SEEN_BY[eyes]) > 90
    assert closest([SIDES['left'], SIDES['right']], SEEN_BY[eyes]) > 90


def test_every_colour_is_lighter_than_its_dark_edge():
    assert lab(PALETTE, np.eye(3))[:, 0].min() > 44
    assert lab([(25, 25, 25)], np.eye(3))[0, 0] < 10


def test_a_lighter_colour_lies_on_the_way_to_white():
    assert lighter((0, 100, 255), 0) == (0, 100, 255)
    assert lighter((0, 100, 255), 0.4) == (102, 162, 255)
    assert lighter((0, 100, 255), 1) == (255, 255, 255)


@pytest.mark.parametrize(
    'other, near',
    [
        ((5, 5, 25, 45), True),  # overlaps
        ((20, 0, 40, 40), True),  # touches
        ((24, 0, 44, 40), True),  # 4 px away: a tenth of the longer side
        ((25, 0, 45, 40), False),
        ((0, 45, 20, 85), False),
        ((23, 43, 43, 83), True),  # over the corner
        ((5, 5, 6, 6), True),  # inside
        ((30, 0, 40, 100), True),  # 10 px away, a tenth of the other's side
    ],
)
def test_neighbours_overlap_touch_or_are_closer_than_a_tenth_of_the_longer_side(other, near):
    found = neighbours(np.array([(0, 0, 20, 40), other], float))
    assert found.tolist() == [[False, near], [near, False]]


@pytest.mark.parametrize('count', [0, 1, 10, 60])
@pytest.mark.parametrize('seed', range(5))
def test_no_two_people_whose_boxes_overlap_or_touch_share_a_colour(count, seed):
    rng = np.random.default_rng(seed)
    middle = rng.uniform(0, (640, 480), (count, 2))
    half = rng.uniform(20, 80, (count, 1)) * (0.4, 1)
    boxes = np.concatenate([middle - half, middle + half], 1).round()  # whole numbers: some only touch
    chosen = colour_graph(neighbours(boxes), len(PALETTE))

    assert len(chosen) == count
    for one in range(count):
        for other in range(one):
            gap = np.maximum(boxes[one, :2], boxes[other, :2]) - np.minimum(boxes[one, 2:], boxes[other, 2:])
            assert gap.max() > 0 or chosen[one] != chosen[other]


@pytest.mark.parametrize('seed', range(5))
def test_whoever_has_fewer_neighbours_than_there_are_colours_differs_from_all_of_them(seed):
    """Also where the graph is not one of boxes: everybody knows at most 5 of 200."""
    rng = np.random.default_rng(seed)
    near = np.zeros((200, 200), bool)
    for one, other in rng.integers(200, size=(2000, 2)):
        if one != other and near[one].sum() < 5 and near[other].sum() < 5:
            near[one, other] = near[other, one] = True
    chosen = colour_graph(near, 6)
    assert near.sum() > 900
    assert not (near & (chosen[:, None] == chosen[None])).any()


def test_two_colours_do_where_two_can():
    near = np.zeros((9, 9), bool)
    for one in range(8):  # a row in which each knows the next
        near[one, one + 1] = near[one + 1, one] = True
    assert colour_graph(near, 2).tolist() in ([0, 1] * 4 + [0], [1, 0] * 4 + [1])


def test_people_apart_look_different_as_long_as_there_are_colours():
    alone = np.zeros((13, 13), bool)
    chosen = colour_graph(alone, 12)
    assert chosen.tolist() == [*range(12), 0]


def test_with_too_few_colours_as_few_neighbours_as_possible_share_one():
    everybody = ~np.eye(14, dtype=bool)
    chosen = colour_graph(everybody, 12)
    assert sorted(np.bincount(chosen).tolist()) == [1] * 10 + [2] * 2
