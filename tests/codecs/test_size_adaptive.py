"""The codec: annotated people -> compact targets -> heatmaps -> keypoints. Images are 96 x 64 pixels here."""

import numpy as np
import pytest
import torch
from mmpose.datasets.transforms import GenerateTarget, PackPoseInputs

from cid_mmpose.codecs import SizeAdaptiveHeatmap
from cid_mmpose.codecs.size_adaptive import sides_on_map, to_cell, to_pixel
from cid_mmpose.codecs.targets import FIELDS, gather_targets
from tests.helpers import oracle
from tests.helpers.oracle import Scene, corners

SIZE = (96, 64)  # pixels; 24 x 16 cells
STILL = (0, 0)


def encode(scene, shifts=None, **codec):
    """Targets of ``scene`` with the given jitters, none by default."""
    shifts = [STILL] * len(scene.bbox) if shifts is None else shifts
    return SizeAdaptiveHeatmap(**codec).encode(*scene, SIZE, oracle.Shifts(shifts))


def person(*keypoints, box=(10, 10, 50, 50), visible=None):
    """One person with these keypoints in pixels, all labelled unless told."""
    return Scene(np.array([keypoints], float), np.array([visible or [2] * len(keypoints)], float), corners(box))


def join(*scenes):
    return Scene(*[np.concatenate(parts) for parts in zip(*scenes)])


def test_a_cell_covers_its_stride_of_pixels_and_is_cut_towards_zero():
    xy = np.array([[0.0, 3.99], [4.0, 7.99], [-3.9, -4.0], [95.9, 63.9], [1e9, -1e9]])
    assert to_cell(xy / 4, 'down').tolist() == [[0, 0], [1, 1], [0, -1], [23, 15], [32767, -32768]]
    assert to_cell(xy / 4, 'nearest').tolist() == [[0, 1], [1, 2], [0, 0], [24, 16], [32767, -32768]]


def test_a_cell_is_read_back_at_its_middle():
    assert to_pixel(torch.tensor([[0, 1], [23, 2]]), 4).tolist() == [[2, 6], [94, 10]]
    assert to_pixel(torch.tensor([0.25]), 8).tolist() == [6]


def test_one_person_worked_out_by_hand():
    # keypoints 21, 30 and 42, 51 -> mean 31.5, 40.5; the 40 x 32 px box has 10 x 8 cells:
    # min over the three cases is the shifted one: (-25.2 + sqrt(25.2^2 + 2.8 * 4 * 0.3 * 80)) / 2 = 2.47
    targets = encode(person((21, 30), (42, 51), (90, 9), box=(10, 20, 50, 52), visible=[2, 1, 0]), [(1, -1)])
    assert targets['keypoint_cell'].tolist() == [[[5, 7], [10, 12], [22, 2]]]
    assert targets['keypoint_drawn'].tolist() == [[True, True, False]]
    assert targets['root_cell'].tolist() == [[7, 10]] and targets['root_drawn'].tolist() == [True]
    assert targets['seed_cell'].tolist() == [[8, 9]] and targets['seeded'].tolist() == [True]
    assert targets['radius'].tolist() == [2]


def test_the_root_is_the_mean_in_pixels_cut_once_not_the_mean_of_cells():
    # pixels 7 and 9: mean 8 -> cell 2; their cells 1 and 2 have the mean 1.5
    assert encode(person((7, 7), (9, 9)))['root_cell'].tolist() == [[2, 2]]


@pytest.mark.parametrize('side, rooted', [(31.9, False), (32, True)])
def test_a_person_below_32_by_32_pixels_has_keypoints_but_no_root_and_no_map(side, rooted):
    targets = encode(person((20, 20), (30, 30), box=(10, 10, 10 + side, 42)))
    assert targets['keypoint_drawn'].all()
    assert targets['root_drawn'].tolist() == targets['seeded'].tolist() == [rooted]


def test_small_people_can_be_kept():
    assert encode(person((20, 20), box=(10, 10, 12, 12)), small_person_area=0)['seeded'].tolist() == [True]


def test_the_area_of_a_rotated_box_is_that_of_the_box_not_of_the_one_around_it():
    # a 30 x 30 box turned by 45 degrees: 900 px^2, the upright box around it has 1800
    half = 15 * np.sqrt(2)
    bbox = np.array([[[48, 32 - half], [48 - half, 32], [48 + half, 32], [48, 32 + half]]])
    scene = person((48, 32))._replace(bbox=bbox)
    assert encode(scene)['root_drawn'].tolist() == [False]
    assert encode(scene, small_person_area=899)['root_drawn'].tolist() == [True]
    # 7.5 -> 8 cells a side, not the 11 of the upright box: (-1.4 * 16 + sqrt(22.4^2 + 2.8 * 4 * 0.3 * 64)) / 2 = 2.19
    assert encode(scene)['radius'].tolist() == [2]


def test_keypoints_off_the_map_are_not_drawn():
    xy = [(95, 63), (96, 30), (30, 64), (-4, 30), (30, -4), (-3.9, -3.9)]
    assert encode(person(*xy))['keypoint_drawn'].tolist() == [[True, False, False, False, False, True]]


def test_a_root_off_the_map_gives_no_map_but_the_keypoints_on_it_stay():
    targets = encode(person((90, 30), (150, 30)))
    assert targets['keypoint_drawn'].tolist() == [[True, False]]
    assert targets['root_drawn'].tolist() == targets['seeded'].tolist() == [False]


def test_a_person_without_labelled_keypoints_is_no_target():
    targets = encode(person((20, 20), (30, 30), visible=[0, 0]))
    assert not (targets['keypoint_drawn'].any() or targets['root_drawn'].any() or targets['seeded'].any())


def test_of_two_people_on_one_cell_only_the_smaller_is_seeded_but_both_have_roots():
    large, small = person((40, 32), box=(4, 4, 90, 60)), person((41, 33), box=(20, 10, 60, 50))
    targets = encode(join(large, small))
    assert targets['root_cell'].tolist() == [[10, 8], [10, 8]]
    assert targets['seeded'].tolist() == [False, True] and targets['root_drawn'].tolist() == [True, True]


def test_sharing_a_cell_is_judged_after_the_jitter():
    large, small = person((40, 32), box=(4, 4, 90, 60)), person((46, 33), box=(20, 10, 60, 50))
    assert encode(join(large, small))['seeded'].tolist() == [True, True]
    assert encode(join(large, small), [(1, 0), (0, 0)])['seeded'].tolist() == [False, True]
    assert encode(join(large, large), [(1, 0), (0, 0)])['seeded'].tolist() == [True, True]


def test_the_radius_comes_from_the_part_of_the_box_on_the_map():
    # x from -200 to 300 px is clipped to cells 0 .. 23, y from 20 to 44 px is 6 cells
    assert encode(person((40, 30), box=(-200, 20, 300, 44)))['radius'].tolist() == [oracle.radius(23, 6, 0.7)]


def test_a_turned_box_that_leaves_the_map_has_the_sides_between_its_clipped_corners():
    # in cells: left-top (4, 8), left-bottom (12, 20 -> 15), right-top (28 -> 23, 4), right-bottom on the border
    bbox = 4 * np.array([[[4, 8], [12, 20], [28, 4], [36, 16]]], float)
    width, height = sides_on_map(bbox / 4, (24, 16))
    assert width.tolist() == [np.hypot(19, 4)] and height.tolist() == [np.hypot(8, 7)]
    # 20 x 11 cells: (-1.4 * 31 + sqrt(43.4^2 + 2.8 * 4 * 0.3 * 220)) / 2 = 3.88
    assert encode(person((40, 30))._replace(bbox=bbox))['radius'].tolist() == [3]


def test_a_person_pushed_out_of_the_image_is_encoded_with_the_least_radius():
    targets = encode(person((-300, 30), (-310, 700), box=(-350, 20, -250, 800)))
    assert targets['radius'].tolist() == [0]
    assert not (targets['keypoint_drawn'].any() or targets['root_drawn'].any() or targets['seeded'].any())


def test_nobody_in_the_image_gives_empty_targets_of_the_usual_types():
    empty = encode(Scene(np.zeros((0, 17, 2)), np.zeros((0, 17)), np.zeros((0, 4, 2))))
    usual = encode(person(*[(20, 20)] * 17))
    assert empty.keys() == usual.keys() == set(FIELDS)
    for field in FIELDS:
        assert empty[field].shape == (0, *usual[field].shape[1:]) and empty[field].dtype == usual[field].dtype


@pytest.mark.parametrize('seed', range(8))
def test_a_random_crowd_becomes_what_our_second_writing_of_the_rules_says(seed):
    rng = np.random.default_rng(seed)
    scene = oracle.crowd(rng, 12, 5, SIZE)
    spread = rng.uniform(0.2, 1.5, (12, 1, 1))  # some people small, some beyond the border
    scene = Scene(scene.keypoints * spread, scene.visible, scene.bbox * spread)
    shifts = rng.integers(-1, 2, (12, 2)).tolist()
    expected, targets = oracle.targets(scene, SIZE, 4, shifts), encode(scene, shifts)
    assert len({person['seeded'] for person in expected}) == 2
    for field in set(FIELDS) - {'seed_cell'}:
        assert targets[field].tolist() == np.array([person[field] for person in expected]).tolist(), field
    seeds = np.array([person['seed_cell'] for person in expected])
    assert (targets['seed_cell'] == seeds)[targets['seeded']].all()


def test_jitter_is_drawn_anew_and_follows_the_worker_seed():
    scene, codec = oracle.crowd(np.random.default_rng(0), 30, 3, SIZE), SizeAdaptiveHeatmap()

    def seeds(seed):
        np.random.seed(seed)
        return [codec.encode(*scene, SIZE)['seed_cell'].tolist() for _ in range(2)]

    first, second = seeds(1)
    assert first != second and seeds(1) == [first, second] and seeds(2) != [first, second]


def test_a_person_costs_less_than_300_bytes():
    for keypoints in (14, 17, 26):
        targets = encode(oracle.crowd(np.random.default_rng(0), 10, keypoints, SIZE))
        assert sum(array.nbytes for array in targets.values()) / 10 < 300


def test_targets_and_loss_mask_survive_mmpose_packing():
    scene = person((21, 30), (42, 51))
    results = dict(
        img=np.zeros((64, 96, 3), np.uint8),
        keypoints=scene.keypoints,
        keypoints_visible=scene.visible,
        bbox=scene.bbox,
        input_size=SIZE,
        heatmap_mask=np.eye(16, 24, dtype=bool)[None],
    )
    results = GenerateTarget(encoder=dict(type='cid_mmpose.SizeAdaptiveHeatmap'))(results)
    sample = PackPoseInputs()(results)['data_samples']
    assert sample.gt_fields.heatmap_mask.nonzero().tolist() == [[0, i, i] for i in range(16)]
    targets = gather_targets([sample.gt_instance_labels], torch.device('cpu'))
    assert targets.keypoint_cell.tolist() == [[[5, 7], [10, 12]]]
    assert targets.radius.tolist() == [2]  # 10 x 10 cells: (-28 + sqrt(784 + 336)) / 2 = 2.73
    assert targets.keypoint_cell.dtype == torch.int16 and targets.seeded.dtype == torch.bool


@pytest.mark.parametrize('seed', range(5))
def test_decode_undoes_encode_to_half_a_cell(seed):
    scene = oracle.crowd(np.random.default_rng(seed), 8, 6, SIZE)
    targets = gather_targets([oracle.sample(scene, SIZE, small_person_area=0).gt_instance_labels], 'cpu')
    maps, drawn = oracle.drawn_people(targets, torch.arange(8), torch.zeros(1, 1, 16, 24))
    keypoints, scores = SizeAdaptiveHeatmap().decode(maps, torch.ones(8))
    labelled = scene.visible > 0
    assert torch.equal(drawn[..., 0, 0] == 1, torch.from_numpy(labelled))
    assert np.abs(keypoints.numpy() - scene.keypoints)[labelled].max() <= 2
    assert (scores.numpy()[labelled] == 1).all() and (scores.numpy()[~labelled] == 0).all()


def peak_at(x, y, neighbours=(), size=(6, 5)):
    """A map of one keypoint with a peak of 0.8 at (x, y) and 0.4 at the ``neighbours``; read at stride 4."""
    maps = torch.zeros(1, 1, size[1], size[0])
    maps[0, 0, y, x] = 0.8
    for nx, ny in neighbours:
        maps[0, 0, ny, nx] = 0.4
    keypoints, scores = SizeAdaptiveHeatmap().decode(maps, torch.tensor([0.5]))
    assert scores.tolist() == [[pytest.approx(0.4)]]
    return keypoints[0, 0].tolist()


@pytest.mark.parametrize(
    'x, y, neighbours, expected',
    [
        (2, 3, [], (10, 14)),
        (2, 3, [(3, 3)], (11, 14)),
        (2, 3, [(1, 3)], (9, 14)),
        (2, 3, [(2, 4)], (10, 15)),
        (2, 3, [(3, 3), (2, 2)], (11, 13)),
        (2, 3, [(1, 3), (3, 3)], (10, 14)),
        (0, 3, [(1, 3)], (2, 14)),
        (5, 3, [(4, 3)], (22, 14)),
        (2, 0, [(2, 1), (3, 0)], (11, 2)),
        (2, 4, [(2, 3), (1, 4)], (9, 18)),
        (0, 0, [(1, 0), (0, 1)], (2, 2)),
        (1, 1, [(0, 1), (1, 0)], (5, 5)),
    ],
)
def test_a_peak_moves_a_quarter_cell_towards_its_higher_neighbour_but_not_at_the_border(x, y, neighbours, expected):
    assert peak_at(x, y, neighbours) == list(expected)


@pytest.mark.parametrize(
    'x, y, expected',
    [
        (2, 2, (11, 11)),  # moved in both
        (1, 2, (6, 11)),  # column 1 is not moved in x
        (2, 1, (11, 6)),
        (2, 0, (10, 2)),  # row 0 is moved in neither, column 0 likewise
        (0, 2, (2, 10)),
    ],
)
def test_mmpose_leaves_more_of_the_border_alone(x, y, expected):
    maps = torch.zeros(1, 1, 5, 6)
    maps[0, 0, y, x], maps[0, 0, y, x + 1], maps[0, 0, y + 1, x] = 0.8, 0.4, 0.4
    keypoints, _ = SizeAdaptiveHeatmap(recipe='mmpose').decode(maps, torch.ones(1))
    assert keypoints[0, 0].tolist() == list(expected)


def test_decode_equals_the_loop_over_people_and_keypoints():
    maps, roots = oracle.uniform(4, 3, 7, 9), oracle.uniform(4)
    keypoints, scores = SizeAdaptiveHeatmap(stride=8).decode(maps, roots)
    for n in range(4):
        for k in range(3):
            x, y, peak = oracle.decode(maps[n, k].numpy(), 8)
            assert keypoints[n, k].tolist() == [x, y]
            assert scores[n, k].item() == pytest.approx(float(peak * roots[n]), rel=1e-6)


def test_decoding_nobody_gives_empty_arrays():
    keypoints, scores = SizeAdaptiveHeatmap().decode(torch.zeros(0, 17, 8, 8), torch.zeros(0))
    assert keypoints.shape == (0, 17, 2) and scores.shape == (0, 17)


@pytest.mark.parametrize('options', [dict(stride=0), dict(max_people=-1), dict(small_person_area=-1)])
def test_codec_refuses_options_outside_their_range(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        SizeAdaptiveHeatmap(**options)


def test_codec_names_an_unknown_option():
    with pytest.raises(TypeError, match='sigma'):
        SizeAdaptiveHeatmap(sigma=2)
