"""LossMask: crowds, people without labels and what lies outside the image do not count, cell by cell."""

import numpy as np
import pycocotools.mask as coco_mask
import pytest

from cid_mmpose.data import LossMask
from cid_mmpose.data.augment import affine_matrix
from cid_mmpose.data.regions import region_of
from cid_mmpose.errors import BadInput

SHAPE = (60, 80)  # height, width of the image in pixels
LEFT, TOP, RIGHT, BOTTOM = 20, 16, 52, 44  # a rectangle of whole pixels, right and bottom not included


def rectangle() -> np.ndarray:
    region = np.zeros(SHAPE, np.uint8)
    region[TOP:BOTTOM, LEFT:RIGHT] = 1
    return region


def plain_runs() -> dict:
    """The rectangle as run lengths down the columns, nothing first."""
    gap, run = SHAPE[0] - (BOTTOM - TOP), BOTTOM - TOP
    counts = [LEFT * SHAPE[0] + TOP] + [run, gap] * (RIGHT - LEFT)
    counts[-1] += SHAPE[0] * (SHAPE[1] - RIGHT) - TOP
    return dict(size=list(SHAPE), counts=counts)


def packed_runs(as_text: bool) -> dict:
    packed = coco_mask.encode(np.asfortranarray(rectangle()))
    return dict(packed, counts=packed['counts'].decode()) if as_text else packed


KINDS = {
    'polygon': [[LEFT, TOP, RIGHT, TOP, RIGHT, BOTTOM, LEFT, BOTTOM]],
    'two polygons': [[LEFT, TOP, 36, TOP, 36, BOTTOM, LEFT, BOTTOM], [36, TOP, RIGHT, TOP, RIGHT, BOTTOM, 36, BOTTOM]],
    'runs': plain_runs(),
    'packed text': packed_runs(True),
    'packed bytes': packed_runs(False),
}


def mask(segmentations: list, matrix: np.ndarray, size=(80, 60), flip=False) -> np.ndarray:
    results = dict(img_shape=SHAPE, invalid_segs=segmentations, warp_mat=matrix, input_size=size, flip=flip)
    made = LossMask().transform(results)['heatmap_mask']
    assert made.dtype == bool and made.shape == (1, size[1] // 4, size[0] // 4)
    return made[0]


def places(matrix: np.ndarray, size: tuple) -> np.ndarray:
    """(H, W, 2) where each cell of the map lies in the image, x and y in pixels."""
    cells = np.stack(np.meshgrid(np.arange(size[0] // 4), np.arange(size[1] // 4)), -1) * 4.0
    return (cells - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T


def depth(xy: np.ndarray, box: tuple) -> np.ndarray:
    """How deep inside a box (left, top, right, bottom) a point lies, in pixels; below 0 outside."""
    return np.minimum.reduce([xy[..., 0] - box[0], xy[..., 1] - box[1], box[2] - xy[..., 0], box[3] - xy[..., 1]])


@pytest.mark.parametrize('kind', KINDS)
def test_each_way_to_write_a_region_gives_its_pixels(kind):
    assert np.array_equal(region_of(KINDS[kind], SHAPE), rectangle())


@pytest.mark.parametrize('kind', KINDS)
def test_a_region_is_false_in_its_cells_and_the_rest_is_true(kind):
    expected = np.ones((15, 20), bool)
    expected[4:11, 5:13] = False  # rows 16..43 and columns 20..51 at every fourth pixel
    assert np.array_equal(mask([KINDS[kind]], np.eye(2, 3)), expected)


def test_with_nothing_invalid_the_whole_image_counts():
    assert mask([], np.eye(2, 3)).all()
    results = dict(img_shape=SHAPE, warp_mat=np.eye(2, 3), input_size=(80, 60))
    assert LossMask().transform(results)['heatmap_mask'].all()  # data sets without regions have no such key


def test_outside_the_image_nothing_counts():
    inside = mask([], np.array([[1.0, 0, 40], [0, 1, 20]]), size=(160, 120))
    expected = np.zeros((30, 40), bool)
    expected[5:20, 10:30] = True
    assert np.array_equal(inside, expected)


@pytest.mark.parametrize('flip', [False, True])
@pytest.mark.parametrize('kind', ['polygon', 'runs'])
@pytest.mark.parametrize('seed', range(3))
def test_the_mask_moves_with_the_image_as_computed_cell_by_cell(kind, flip, seed):
    rng, size = np.random.default_rng(seed), (128, 96)
    matrix = affine_matrix(rng.uniform(20, 50, 2), rng.uniform(1, 2), rng.uniform(-30, 30), size)
    xy = places(matrix, size)
    in_region = depth(xy, (LEFT - 0.5, TOP - 0.5, RIGHT - 0.5, BOTTOM - 0.5))
    in_image = depth(xy, (-0.5, -0.5, SHAPE[1] - 0.5, SHAPE[0] - 0.5))
    sure = (abs(in_region) > 0.6) & (abs(in_image) > 0.6)  # not on a border, where pixels are mixed
    expected = (in_image > 0) & (in_region < 0)
    made = mask([KINDS[kind]], matrix, size, flip)
    assert 0.2 < expected.mean() < 0.9 and sure.mean() > 0.8
    assert np.array_equal((made[:, ::-1] if flip else made)[sure], expected[sure])


def test_regions_of_all_kinds_are_joined():
    corner = [[0, 0, 12, 0, 12, 8, 0, 8]]
    expected = mask([KINDS['runs']], np.eye(2, 3)) & mask([corner], np.eye(2, 3))
    assert np.array_equal(mask([KINDS['packed text'], corner, KINDS['two polygons']], np.eye(2, 3)), expected)


@pytest.mark.parametrize('segmentations', [[KINDS['packed text']], [KINDS['packed text'], KINDS['polygon']]])
def test_run_lengths_of_another_size_are_refused(segmentations):
    results = dict(img_shape=(40, 80), invalid_segs=segmentations, warp_mat=np.eye(2, 3), input_size=(80, 40))
    with pytest.raises(BadInput, match=r"'segmentation' has run lengths of .*\[60, 80\].*; mend the annotation file"):
        LossMask().transform(results)
