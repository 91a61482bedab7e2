"""CIDHead in testing: batches, flip test, limits, agreement with the loops."""

import numpy as np
import pytest
import torch
from mmpose.structures import PoseDataSample

from cid_mmpose.models import Roots, sample_at
from cid_mmpose.models.gfd import to_scores
from cid_mmpose.models.person_nms import make_people
from tests.helpers import oracle

SWAP = [0, 2, 1, 3]  # keypoints 1 and 2 are left and right
FIELDS = ('keypoints', 'keypoint_scores', 'centers', 'bboxes', 'bbox_scores')


def samples(count):
    return [PoseDataSample(metainfo=dict(flip_indices=SWAP, input_size=(96, 64))) for _ in range(count)]


def features(count, seed=0):
    """(B, 6, 16, 24), smooth enough for a handful of peaks."""
    rough = oracle.normal(count, 6, 16, 24, seed=seed)
    return torch.nn.functional.avg_pool2d(rough, 5, 1, 2) * 5


def head(**test):
    return oracle.head(seed=1, test=dict(sigmas=(0.05,) * 4, **test))


def assert_same(people, others):
    for field in FIELDS:
        np.testing.assert_allclose(people.get(field), others.get(field), atol=1e-4, err_msg=field)


@pytest.mark.parametrize('nms', [0.8, 1.0])
def test_predict_equals_the_loops_over_cells_and_people(nms):
    module, maps = head(nms=nms), features(1)
    (people,) = module.predict([maps], samples(1))
    with torch.no_grad():
        center = oracle.smooth(to_scores(module.iia(maps))[0, -1].numpy(), 3)
        found = oracle.peaks(center, 30, 0.01, 3)
        roots = Roots(torch.tensor([[x, y] for _, x, y in found]), torch.zeros(len(found), dtype=int))
        heat = to_scores(oracle.gfd(module.gfd, maps, sample_at(maps, roots), roots)).numpy()
    read = np.array([[oracle.decode(oracle.smooth(m, 3), 4) for m in person] for person in heat])
    scores = read[..., 2] * np.array([score for score, _, _ in found])[:, None]
    centers = (np.array([(x, y) for _, x, y in found]) + 0.5) * 4
    expected = make_people(read[..., :2], scores, centers, np.full(4, 0.05), nms)
    assert 3 < len(expected) <= len(found)
    assert_same(people, expected)


@pytest.mark.parametrize('flip', [False, True])
def test_a_batch_equals_its_images_one_by_one(flip):
    module, plain, mirrored = head(), features(3), features(3, seed=1)
    plain[1] = mirrored[1] = 0  # different head counts in the batch

    def predict(rows):
        maps = ([plain[rows]], [mirrored[rows]]) if flip else [plain[rows]]
        return module.predict(maps, samples(len(rows)), dict(flip_test=flip))

    together = predict([0, 1, 2])
    assert len({len(people.keypoints) for people in together}) > 1
    for b in range(3):
        assert_same(together[b], predict([b])[0])


def symmetric_head():
    """A head for which a mirrored image is a mirrored problem: its mask looks left as it looks right."""
    module = head()
    kernel = module.gfd.spatial.conv.weight.data  # (1, 3, 5, 5) over similarity, x, y
    kernel[:, [0, 2]] += kernel[:, [0, 2]].flip(-1)
    kernel[:, 1] -= kernel[:, 1].flip(-1)
    return module


def mirrored_answer(people, width=96):
    """The same people seen in a mirror: x turned, left and right keypoints swapped."""
    keypoints = people.keypoints[:, SWAP] * [-1, 1] + [width, 0]
    return keypoints, people.keypoint_scores[:, SWAP]


def test_the_flip_test_of_the_mirrored_image_gives_the_mirrored_answer():
    module, plain, mirrored = symmetric_head(), features(2), features(2, seed=1)
    people = module.predict(([plain], [mirrored]), samples(2), dict(flip_test=True))
    turned = module.predict(([mirrored], [plain]), samples(2), dict(flip_test=True))
    for there, back in zip(people, turned):
        keypoints, scores = mirrored_answer(there)
        assert len(keypoints) > 3
        np.testing.assert_allclose(back.keypoints, keypoints, atol=1e-4)
        np.testing.assert_allclose(back.keypoint_scores, scores, atol=1e-5)


def test_the_flip_test_averages_both_halves_with_swapped_keypoints_worked_out_from_single_passes():
    module, plain, mirrored = head(), features(1), features(1, seed=1)
    _, fields = module.predict(([plain], [mirrored]), samples(1), dict(flip_test=True, output_heatmaps=True))
    with torch.no_grad():
        back = mirrored.flip(-1)
        center = sum(to_scores(module.iia(half))[0, -1] for half in (plain, back)) / 2
        found = oracle.peaks(oracle.smooth(center.numpy(), 3), 30, 0.01, 3)
        roots = Roots(torch.tensor([[x, y] for _, x, y in found]), torch.zeros(len(found), dtype=int))
        maps = [to_scores(oracle.gfd(module.gfd, half, sample_at(half, roots), roots)) for half in (plain, back)]
    expected = (maps[0] + maps[1][:, SWAP]) / 2
    np.testing.assert_allclose(fields[0].heatmaps.detach(), expected.amax(0), atol=1e-5)


def test_the_flip_test_of_a_symmetric_image_changes_nothing():
    module, maps = symmetric_head(), features(1)
    module.gfd.heatmap.weight.data = module.gfd.heatmap.weight.data[[0, 1, 1, 3]]  # left and right look alike
    module.gfd.heatmap.bias.data = module.gfd.heatmap.bias.data[[0, 1, 1, 3]]
    (plain,) = module.predict([maps], samples(1))
    (flipped,) = module.predict(([maps], [maps.flip(-1)]), samples(1), dict(flip_test=True))
    assert_same(plain, flipped)


@pytest.mark.parametrize('flip', [False, True])
def test_nobody_found_gives_empty_arrays_of_the_right_shape(flip):
    module = head()
    torch.nn.init.zeros_(module.iia.conv.weight)
    torch.nn.init.constant_(module.iia.conv.bias, -9)
    maps = ([features(2)], [features(2)]) if flip else [features(2)]
    people, fields = module.predict(maps, samples(2), dict(flip_test=flip, output_heatmaps=True))
    for found, field in zip(people, fields):
        assert [found.get(name).shape for name in FIELDS] == [(0, 4, 2), (0, 4), (0, 2), (0, 4), (0,)]
        assert field.heatmaps.shape == (4, 16, 24) and not field.heatmaps.any()


def test_at_most_so_many_people_are_found_and_they_are_the_best():
    maps = features(1)
    (everyone,) = head(nms=1.0).predict([maps], samples(1))
    few = head(nms=1.0, max_people=3)
    (people,) = few.predict([maps], samples(1))
    assert len(everyone.keypoints) > 3 == len(people.keypoints)
    rows = {tuple(row) for row in everyone.keypoints.reshape(-1, 8).round(3).tolist()}
    assert all(tuple(row) in rows for row in people.keypoints.reshape(-1, 8).round(3).tolist())


def test_output_heatmaps_hold_the_larger_value_of_all_people():
    module, maps = head(), features(2)
    seen = module([maps])
    roots, everyone = seen.roots, to_scores(seen.heatmaps)
    _, fields = module.predict([maps], samples(2), dict(output_heatmaps=True))
    for b in range(2):
        expected = everyone[roots.image == b].amax(0)
        np.testing.assert_allclose(fields[b].heatmaps.detach(), expected.detach(), atol=1e-5)


def test_an_unknown_test_option_is_refused_by_name():
    with pytest.raises(ValueError, match="model.test_cfg: unknown .*'multiscale_test'.*flip_test"):
        head().predict([features(1)], samples(1), dict(flip_test=False, multiscale_test=True))


def test_scores_stay_off_zero_and_one_in_any_precision():
    for dtype in (torch.float32, torch.float16, torch.bfloat16):
        scores = to_scores(torch.tensor([-60.0, 0.0, 60.0], dtype=dtype))
        assert scores.dtype == torch.float32
        np.testing.assert_allclose(scores, [1e-4, 0.5, 1 - 1e-4], rtol=1e-6)


@torch.no_grad()
def test_sigmas_of_test_cfg_decide_whom_the_nms_keeps():
    # the OKS of two people grows with the sigmas: near 1 for large ones, near 0 for tiny ones
    counts = []
    for sigma in (1e-4, 1e4):
        (found,) = head(nms=0.5).predict([features(1)], samples(1), dict(sigmas=(sigma,) * 4))
        counts.append(len(found.bboxes))
    assert counts[0] > 3 and counts[1] == 1


@pytest.mark.parametrize('flip', [False, True])
def test_people_do_not_depend_on_how_many_and_which_rows_are_taken_at_once(flip, monkeypatch):
    module, plain, mirrored = head(), features(2), features(2, seed=1)
    given = ([plain], [mirrored]) if flip else [plain]
    options = dict(flip_test=flip, output_heatmaps=True)
    together, fields = module.predict(given, samples(2), options)
    for cells in (1, 24 * 3, 24 * 3 * 4):  # one row of one person, three rows of one, three rows of four
        monkeypatch.setattr('cid_mmpose.models.fast.person_peaks.cells_in_budget', lambda *args: cells)
        alone, other = module.predict(given, samples(2), options)
        for b in range(2):
            assert_same(together[b], alone[b])
            np.testing.assert_allclose(fields[b].heatmaps, other[b].heatmaps, atol=1e-6)


@pytest.mark.parametrize('flip', [False, True])
def test_people_from_branches_equal_those_from_their_stack(flip):
    from mmpose.models.necks import FeatureMapProcessor

    module, neck = head(), FeatureMapProcessor(concat=True)
    halves = [
        [features(1, seed)[:, :2], torch.nn.functional.avg_pool2d(features(1, seed + 2)[:, 2:], 2)] for seed in (0, 1)
    ]
    stacked = [neck(half) for half in halves]
    (people,) = module.predict(halves if flip else halves[0], samples(1), dict(flip_test=flip))
    (expected,) = module.predict(stacked if flip else stacked[0], samples(1), dict(flip_test=flip))
    assert len(people.keypoints) > 3
    assert_same(people, expected)
