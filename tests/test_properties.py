"""What must hold for every person and every crowd, on people that hypothesis makes up. Images: 256 x 192 px."""

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from mmpose.structures import PoseDataSample

from cid_mmpose.codecs import SizeAdaptiveHeatmap, gather_targets, render_crowd
from cid_mmpose.codecs.targets import FIELDS
from cid_mmpose.data.augment import MIRRORED_CORNERS, mirror_x
from tests.helpers import oracle

SIZE = (256, 192)
CELLS = (64, 48)
SWAP = [0, 2, 1, 3]
LIKE = torch.zeros(1, 1, *CELLS[::-1])
MANY = settings(max_examples=60, deadline=None)
PER_PERSON = sorted(set(FIELDS) - {'seed_cell', 'seeded'})

inside = st.tuples(st.floats(0, 255.9), st.floats(0, 191.9))
person = st.tuples(st.lists(inside, min_size=4, max_size=4), st.tuples(st.floats(1, 600), st.floats(1, 600)))
crowds = st.lists(person, min_size=1, max_size=6)


def scene_of(people):
    """People whose boxes are centered on their keypoints, all keypoints labelled."""
    xy = np.array([keypoints for keypoints, _ in people], float).reshape(-1, 4, 2)
    half, middle = np.array([sides for _, sides in people], float).reshape(-1, 2) / 2, xy.mean(1)
    boxes = np.concatenate([middle - half, middle + half], 1)
    return oracle.Scene(xy, np.ones(xy.shape[:2]), oracle.corners(*boxes))


def encode(scene, **options):
    still = oracle.Shifts(np.zeros((len(scene.bbox), 2)))
    return SizeAdaptiveHeatmap(**options).encode(*scene, SIZE, still)


def targets_of(scene, **options):
    return gather_targets([oracle.labels(encode(scene, **options))], 'cpu')


@MANY
@given(people=crowds)
def test_the_target_is_one_at_the_keypoints_cell_and_nowhere_else_for_every_size_and_position(people):
    targets = targets_of(scene_of(people))
    maps, _ = oracle.drawn_people(targets, torch.arange(len(people)), LIKE)
    cells = (np.array([keypoints for keypoints, _ in people]) // 4).astype(int)
    for person_maps, person_cells in zip(maps, cells):
        for one, (x, y) in zip(person_maps, person_cells):
            assert (one == 1).nonzero().tolist() == [[y, x]] and one.max() == 1


@MANY
@given(people=crowds)
def test_decode_undoes_encode_to_half_a_cell(people):
    scene = scene_of(people)
    maps, _ = oracle.drawn_people(targets_of(scene), torch.arange(len(people)), LIKE)
    keypoints, scores = SizeAdaptiveHeatmap().decode(maps, torch.ones(len(people)))
    assert np.abs(keypoints.numpy() - scene.keypoints).max() <= 2 and (scores == 1).all()


@MANY
@given(people=crowds)
def test_mirroring_the_image_mirrors_the_targets(people):
    """At the last cell, as the authors mirror; keypoints on whole pixels of a cell, where both ways cut alike."""
    scene = scene_of(people)
    snapped = scene._replace(keypoints=scene.keypoints // 4 * 4)
    mirrored = oracle.Scene(
        mirror_x(snapped.keypoints[:, SWAP], SIZE[0] - 4),
        snapped.visible[:, SWAP],
        mirror_x(snapped.bbox[:, MIRRORED_CORNERS], SIZE[0] - 4),
    )
    one, other = (targets_of(s, small_person_area=0) for s in (snapped, mirrored))
    same_size = one.radius == other.radius  # a box cut by the border on one side only has another size there
    maps, _ = oracle.drawn_people(one, same_size.nonzero()[:, 0], LIKE)
    turned, _ = oracle.drawn_people(other, same_size.nonzero()[:, 0], LIKE)
    assert torch.equal(maps.flip(-1)[:, SWAP], turned)


@MANY
@given(people=crowds, order=st.randoms())
def test_people_in_another_order_are_the_same_people(people, order):
    index = order.sample(range(len(people)), len(people))
    one, other = encode(scene_of(people)), encode(scene_of([people[i] for i in index]))
    for field in PER_PERSON:
        assert np.array_equal(one[field][index], other[field]), field
    crowd, shuffled = (render_crowd(gather_targets([oracle.labels(t)], 'cpu'), CELLS, 1) for t in (one, other))
    assert torch.equal(crowd, shuffled)


@MANY
@given(people=crowds, newcomer=person)
def test_a_newcomer_leaves_the_targets_of_the_others_alone(people, newcomer):
    before, after = encode(scene_of(people)), encode(scene_of(people + [newcomer]))
    for field in PER_PERSON:
        assert np.array_equal(before[field], after[field][:-1]), field
    apart = (np.abs(before['seed_cell'] - after['seed_cell'][-1]) > 0).any(1)
    assert np.array_equal(before['seeded'][apart], after['seeded'][:-1][apart])


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1000), counts=st.lists(st.integers(1, 3), min_size=1, max_size=3))
def test_a_batch_is_answered_as_its_images_one_by_one(seed, counts):
    head = oracle.head(seed=seed, test=dict(sigmas=(0.05,) * 4))
    maps = torch.nn.functional.avg_pool2d(oracle.normal(len(counts), 6, 16, 24, seed=seed), 5, 1, 2) * 5
    samples = [PoseDataSample(metainfo=dict(flip_indices=SWAP)) for _ in counts]
    together = head.predict([maps], samples)
    for b, people in enumerate(together):
        (alone,) = head.predict([maps[b : b + 1]], samples[:1])
        assert len(people) == len(alone)
        np.testing.assert_allclose(people.keypoints, alone.keypoints, atol=0.01)
        np.testing.assert_allclose(people.bbox_scores, alone.bbox_scores, atol=1e-5)
