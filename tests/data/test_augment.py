"""RandomAffine and RandomMirror: what they draw, and that points go where the pixels go."""

import numpy as np
import pytest
from mmpose.structures.bbox import bbox_xyxy2corner

from cid_mmpose.data import RandomAffine, RandomMirror
from cid_mmpose.data.augment import affine_matrix, move_points

STILL = dict(rotation=0, scale=(1, 1), shift=0)
CORNERS = bbox_xyxy2corner(np.array([[10, 20, 60, 50.0]]))  # of the made person
COCO_FLIP = [0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15]


def image(width: int, height: int, dots: list) -> dict:
    """Black, with a soft white dot at each keypoint of one person."""
    xy = np.array(dots, np.float32)
    grid = np.stack(np.meshgrid(np.arange(width), np.arange(height)), -1)
    light = np.exp(-((grid[None] - xy[:, None, None]) ** 2).sum(-1) / 8).max(0) * 255
    box = np.array([[10, 20, 60, 50]], np.float32)
    return dict(
        img=np.dstack([light] * 3).astype(np.uint8),
        keypoints=xy[None],
        keypoints_visible=np.ones((1, len(xy))),
        bbox=box,
        flip_indices=list(range(len(xy)))[::-1],
    )


def dot_near(image: np.ndarray, point: np.ndarray) -> np.ndarray:
    """Center of the light within 8 px of a point, (x, y)."""
    y, x = np.mgrid[: image.shape[0], : image.shape[1]]
    light = image[..., 0] * (np.hypot(x - point[0], y - point[1]) < 8).astype(float)
    return np.array([(x * light).sum(), (y * light).sum()]) / light.sum()


def draws(shape: tuple, count: int = 4000, **options) -> tuple:
    """Angles in degrees, scales and shifts (in window sides) of many random matrices for a square input of 512."""
    rng, step = np.random.default_rng(0), RandomAffine(input_size=(512, 512), **options)
    matrices = np.array([step.draw_matrix(shape, rng) for _ in range(count)])
    factor = np.hypot(matrices[:, 0, 0], matrices[:, 0, 1])
    angle = np.degrees(np.arctan2(matrices[:, 0, 1], matrices[:, 0, 0]))
    center = np.linalg.solve(matrices[:, :, :2], (256 - matrices[:, :, 2])[..., None])[..., 0]
    window = 512 / factor
    return angle, window / min(shape), (center - np.array(shape[::-1]) / 2) / window[:, None]


def is_uniform(values: np.ndarray, low: float, high: float) -> bool:
    """Kolmogorov's distance from the uniform distribution, below its 0.1 % level."""
    share = np.sort((values - low) / (high - low))
    steps = np.arange(len(share) + 1) / len(share)
    distance = max(abs(steps[1:] - share).max(), abs(share - steps[:-1]).max())
    return distance < 1.95 / np.sqrt(len(share)) and share[0] >= -1e-6 and share[-1] <= 1 + 1e-6


@pytest.mark.parametrize('shape', [(480, 640), (640, 480), (300, 300)])
def test_angle_scale_and_shift_are_uniform_over_the_paper_s_ranges(shape):
    angle, scale, shift = draws(shape)
    assert is_uniform(angle, -30, 30)
    assert is_uniform(scale, 0.75, 1.5)
    assert is_uniform(shift[:, 0], -0.2, 0.2) and is_uniform(shift[:, 1], -0.2, 0.2)
    assert abs(np.corrcoef([angle, scale, *shift.T]) - np.eye(4)).max() < 0.06  # drawn apart from each other


def test_options_set_the_ranges():
    angle, scale, shift = draws((480, 640), rotation=5, scale=(1, 1.1), shift=0.01)
    assert is_uniform(angle, -5, 5) and is_uniform(scale, 1, 1.1) and is_uniform(shift[:, 1], -0.01, 0.01)


def test_without_chance_the_short_side_fills_the_input_and_the_middle_stays():
    matrix = RandomAffine(input_size=(512, 512), **STILL).draw_matrix((480, 640), np.random.default_rng(0))
    corners = move_points(np.array([[320, 240], [80, 0], [560, 480], [0, 0]]), matrix)
    # the window is 480 px wide around (320, 240); 640 px outside it on each side are 80 * 512 / 480 = 85.33 away
    assert np.allclose(corners, [[256, 256], [0, 0], [512, 512], [-85.333, 0]], atol=1e-3)


def test_an_input_that_is_not_square_shows_more_of_its_long_side():
    matrix = RandomAffine(input_size=(640, 320), **STILL).draw_matrix((100, 100), np.random.default_rng(0))
    assert np.allclose(move_points(np.array([[0, 0], [100, 100]]), matrix), [[160, 0], [480, 320]], atol=1e-4)


@pytest.mark.parametrize('size', [(100, 100), (200, 100)])
def test_by_the_long_side_the_whole_image_is_shown(size):
    step = RandomAffine(input_size=size, scale_type='long', **STILL)
    corners = move_points(np.array([[0, 0], [400, 200]]), step.draw_matrix((200, 400), np.random.default_rng(0)))
    # 400 px fill the input's short side of 100: a quarter of the size, around the middle
    assert np.allclose(corners - np.array(size) / 2, [[-50, -25], [50, 25]], atol=1e-4)


def test_a_quarter_turn_by_hand():
    matrix = affine_matrix(np.array([10.0, 20.0]), 2.0, 90.0, (100, 60))
    # anticlockwise on the screen: right of the center goes above it, below it goes right of it
    assert np.allclose(move_points(np.array([[10, 20], [15, 20], [10, 25]]), matrix), [[50, 30], [50, 20], [60, 30]])


@pytest.mark.parametrize('size', [(96, 96), (160, 96), (96, 160)])
@pytest.mark.parametrize('seed', range(4))
def test_points_move_with_the_pixels(size, seed):
    np.random.seed(seed)
    results = image(120, 90, [[50, 40], [72, 52]])
    results = RandomAffine(input_size=size, scale=(0.75, 1.5), shift=0.1).transform(results)
    assert results['img'].shape == (size[1], size[0], 3) and results['input_size'] == size
    for point in results['keypoints'][0]:
        assert np.abs(dot_near(results['img'], point) - point).max() < 0.3


@pytest.mark.parametrize('mirror, off', [('input', 0), ('map', 3)])
def test_mirrored_points_lie_on_their_pixels_or_a_cell_s_rest_beside_them(mirror, off):
    results = RandomMirror(prob=1, mirror=mirror).transform(image(120, 90, [[50, 40], [90, 60]]))
    for point in results['keypoints'][0]:
        assert np.abs(dot_near(results['img'], point) - point - [off, 0]).max() < 0.1


@pytest.mark.parametrize('mirror, x', [('map', 36), ('input', 39)])
def test_a_wide_input_turns_at_its_width(mirror, x):
    results = dict(image(8, 8, [[600, 100]]), img=np.zeros((512, 640, 3), np.uint8), flip_indices=[0])
    assert RandomMirror(prob=1, mirror=mirror).transform(results)['keypoints'].tolist() == [[[x, 100]]]


def test_mirroring_at_the_map_turns_whole_cells():
    cells = np.arange(0, 160)
    x = np.stack([cells * 4.0, np.zeros(160)], -1)[None]
    results = dict(
        img=np.zeros((8, 640, 3), np.uint8),
        keypoints=x,
        keypoints_visible=np.ones((1, 160)),
        bbox=np.zeros((1, 4, 2)),
        flip_indices=range(160),
    )
    assert np.array_equal(RandomMirror(prob=1).transform(results)['keypoints'][0, :, 0] / 4, 159 - cells)


def test_mirroring_swaps_left_and_right_with_their_visibility():
    keypoints = np.stack([np.arange(17.0) * 2, np.arange(17.0)], -1)[None]
    visible = (np.arange(17) % 3 > 0).astype(float)[None]
    results = dict(
        img=np.zeros((40, 40, 3), np.uint8),
        keypoints=keypoints,
        keypoints_visible=visible,
        bbox=np.zeros((1, 4, 2)),
        flip_indices=COCO_FLIP,
    )
    results = RandomMirror(prob=1).transform(results)
    assert results['keypoints'][0, 5].tolist() == [36 - 12, 6]  # the left shoulder is where the right one was
    assert results['keypoints'][0, 0].tolist() == [36, 0]
    assert results['keypoints_visible'][0].tolist() == [visible[0, i] for i in COCO_FLIP]


def test_mirroring_happens_as_often_as_asked_and_otherwise_changes_nothing():
    np.random.seed(0)
    step = RandomMirror(prob=0.25)
    flips = [step.transform(image(8, 8, [[2, 3]]))['flip'] for _ in range(1000)]
    assert abs(np.mean(flips) - 0.25) < 0.05  # 3.6 standard deviations
    still = RandomMirror(prob=0).transform(image(8, 8, [[2, 3]]))
    assert still['flip'] is False and still['keypoints'].tolist() == [[[2, 3]]]


def sides(corners: np.ndarray) -> tuple:
    """Width and height of a box from left-top, left-bottom, right-top."""
    return np.linalg.norm(corners[2] - corners[0]), np.linalg.norm(corners[1] - corners[0])


def test_a_box_keeps_its_corners_order_and_scales_with_the_image():
    np.random.seed(3)
    results = image(120, 90, [[50, 40]])
    results = RandomAffine(input_size=(96, 96)).transform(results)
    factor = np.hypot(*results['warp_mat'][0, :2])
    assert results['bbox'].shape == (1, 4, 2)
    assert np.allclose(sides(results['bbox'][0]), [50 * factor, 30 * factor], atol=1e-3)
    assert np.allclose(results['bbox'], move_points(CORNERS, results['warp_mat']))
    mirrored = RandomMirror(prob=1).transform({**results, 'flip_indices': [0]})
    assert np.allclose(sides(mirrored['bbox'][0]), [50 * factor, 30 * factor], atol=1e-3)


def test_left_corners_of_a_box_become_right_ones_in_the_mirror():
    results = dict(image(8, 8, [[2, 3]]), img=np.zeros((80, 100, 3), np.uint8), flip_indices=[0])
    results['bbox'] = np.array([[[10, 20], [12, 50], [60, 22], [62, 52]]], float)
    mirrored = RandomMirror(prob=1, mirror='input').transform(results)['bbox']
    # x -> 99 - x; left-top, left-bottom, right-top, right-bottom
    assert mirrored.tolist() == [[[39, 22], [37, 52], [89, 20], [87, 50]]]


def test_points_keep_the_digits_that_decide_on_which_side_of_a_cell_they_lie():
    still = np.eye(2, 3)
    assert move_points(np.array([[7.9999999, 0]]), still)[0, 0] < 8  # in float32 it would be 8, the next cell
    assert move_points(np.array([[1, 2]], np.float32), still).dtype == np.float64


def test_nobody_in_the_image_goes_through():
    results = dict(
        img=np.zeros((90, 120, 3), np.uint8),
        keypoints=np.zeros((0, 17, 2), np.float32),
        keypoints_visible=np.zeros((0, 17)),
        bbox=np.zeros((0, 4), np.float32),
        flip_indices=COCO_FLIP,
    )
    results = RandomMirror(prob=1).transform(RandomAffine(input_size=(64, 64)).transform(results))
    assert results['keypoints'].shape == (0, 17, 2) and results['bbox'].shape == (0, 4, 2)


def test_what_lies_outside_the_image_is_black():
    results = dict(image(8, 8, [[2, 3]]), img=np.full((48, 64, 3), 255, np.uint8))
    pixels = RandomAffine(input_size=(128, 64), **STILL).transform(results)['img']
    assert pixels[:, :21].max() == 0 and pixels[:, 107:].max() == 0 and pixels[2:-2, 23:105].min() == 255


@pytest.mark.parametrize(
    'step, options',
    [
        (RandomAffine, dict(input_size=(0, 64))),
        (RandomAffine, dict(input_size=(64, 64), scale=(1.5, 0.75))),
        (RandomAffine, dict(input_size=(64, 64), shift=-1)),
        (RandomAffine, dict(input_size=(64, 64), scale_type='both')),
        (RandomMirror, dict(prob=1.5)),
        (RandomMirror, dict(mirror='image')),
        (RandomAffine, dict(input_size=(64, 64), distribution='normal')),
        (RandomAffine, dict(input_size=(64, 64), shift_of='image')),
    ],
)
def test_options_outside_their_range_are_refused(step, options):
    with pytest.raises(ValueError, match=f'{step.__name__}( needs|: [a-z_]+ must (be one of|lie in))'):
        step(**options)
