"""The recipe 'reference' against our own second writing of the authors' rules: slow, plain, in ``helpers/oracle.py``.

Both are by the same hands, so that what was misread once is wrong in both: ``test_authors.py`` has figures of
the authors' own code.

Random crowds, float64 on the other side. ``make agreement`` prints the largest differences.
"""

import numpy as np
import pytest
import torch
from mmpose.structures import PoseDataSample

from cid_mmpose.codecs import SizeAdaptiveHeatmap, gather_targets, render_crowd
from cid_mmpose.models import Roots, sample_at
from cid_mmpose.models.gfd import to_scores
from cid_mmpose.models.losses import FocalHeatmapLoss, contrastive_loss
from tests.helpers import oracle

SIZE = (160, 96)  # pixels; 40 x 24 cells
TABLE = "recipe reference against our second writing of the authors' rules (largest difference, limit)"
SEEDS = range(4)


def crowd_of(seed, people=10, keypoints=6):
    """(scene, seeds' steps): some people small, some beyond the border."""
    rng = np.random.default_rng(seed)
    scene = oracle.crowd(rng, people, keypoints, SIZE)
    spread = rng.uniform(0.2, 1.5, (people, 1, 1))
    return (
        oracle.Scene(scene.keypoints * spread, scene.visible, scene.bbox * spread),
        rng.integers(-1, 2, (people, 2)).tolist(),
    )


def expected_maps(people, keypoints):
    """The crowd's maps and each seeded person's, drawn cell by cell."""
    w, h = SIZE[0] // 4, SIZE[1] // 4
    crowd, own = np.zeros((keypoints + 1, h, w)), []
    for person in people:
        mine = np.zeros((keypoints, h, w))
        for k in np.flatnonzero(person['keypoint_drawn']):
            oracle.draw(mine[k], person['keypoint_cell'][k], person['radius'])
        crowd[:-1] = np.maximum(crowd[:-1], mine)
        if person['root_drawn']:
            oracle.draw(crowd[-1], person['root_cell'], person['radius'])
        if person['seeded']:
            own.append(mine)
    return crowd, np.array(own)


@pytest.mark.parametrize('seed', SEEDS)
def test_targets_equal_our_second_writing(seed, figures):
    scene, steps = crowd_of(seed)
    people = oracle.targets(scene, SIZE, 4, steps)
    encoded = SizeAdaptiveHeatmap().encode(*scene, SIZE, oracle.Shifts(steps))
    targets = gather_targets([oracle.labels(encoded)], 'cpu')
    crowd, own = expected_maps(people, 6)
    like = torch.zeros(1, 1, SIZE[1] // 4, SIZE[0] // 4)
    maps, _ = oracle.drawn_people(targets, targets.seeded.nonzero()[:, 0], like)
    assert targets.seed_cell[targets.seeded].tolist() == [list(p['seed_cell']) for p in people if p['seeded']]
    rendered = render_crowd(targets, (SIZE[0] // 4, SIZE[1] // 4), 1)[0]
    difference = max(np.abs(rendered.numpy() - crowd).max(), np.abs(maps.numpy() - own).max())
    sigma = np.abs(targets.sigma.numpy() - [(2 * p['radius'] + 1) / 6 for p in people]).max()
    figures(TABLE, f'target maps, crowd {seed}', difference, 1e-6)
    figures(TABLE, f'sigma in cells, crowd {seed}', sigma, 1e-6)
    assert difference < 1e-6 and sigma < 1e-6


@pytest.mark.parametrize('seed', SEEDS)
def test_focal_loss_of_the_crowd_and_its_gradient_equals_our_second_writing(seed, figures):
    scene, steps = crowd_of(seed)
    crowd, _ = expected_maps(oracle.targets(scene, SIZE, 4, steps), 6)
    logits = oracle.normal(1, *crowd.shape, seed=seed)
    mine, other = logits.clone().requires_grad_(), logits.double().requires_grad_()
    target, everywhere = torch.tensor(crowd)[None], torch.ones(1)
    loss = FocalHeatmapLoss()(mine, target.float(), everywhere)
    expected = oracle.focal(other, target, everywhere)
    loss.backward()
    expected.backward()
    relative = abs(loss.item() / expected.item() - 1)
    gradient = ((mine.grad - other.grad).abs().max() / other.grad.abs().max()).item()
    figures(TABLE, f'focal loss, relative, crowd {seed}', relative, 1e-5)
    figures(TABLE, f'gradient of the focal loss, relative, crowd {seed}', gradient, 1e-4)
    assert relative < 1e-5 and gradient < 1e-4


@pytest.mark.parametrize('seed', SEEDS)
def test_contrastive_loss_equals_our_second_writing(seed, figures):
    vectors, image = oracle.normal(9, 16, seed=seed) + 3, [0, 0, 0, 1, 1, 2, 4, 4, 4]
    expected = oracle.contrastive(vectors.numpy(), image, 0.05)
    relative = abs(contrastive_loss(vectors, torch.tensor(image), 0.05).item() / expected - 1)
    figures(TABLE, f'contrastive loss, relative, people {seed}', relative, 1e-5)
    assert relative < 1e-5 and expected > 0.01


@pytest.mark.parametrize('recalibration', ['fused', 'spatial', 'channel'])
def test_attention_and_maps_of_people_equal_our_second_writing(recalibration, figures):
    head = oracle.head(recalibration=recalibration)
    features = oracle.normal(2, 6, 9, 11)
    roots = Roots(torch.tensor([[0, 0], [10, 8], [4, 3]]), torch.tensor([0, 0, 1]))
    with torch.no_grad():
        maps = head([features], roots).heatmaps
        exact = head.double().gfd
        expected = oracle.gfd(exact, features.double(), sample_at(features.double(), roots), roots)
    difference = ((maps - expected).abs().max() / expected.abs().max()).item()
    figures(TABLE, f'logits of the maps, {recalibration}, relative', difference, 1e-5)
    assert difference < 1e-5


@pytest.mark.parametrize('seed', SEEDS)
def test_everything_from_features_to_people_equals_our_second_writing(seed, figures):
    head = oracle.head(seed=seed, test=dict(sigmas=(0.05,) * 4, nms=0.8))
    features = torch.nn.functional.avg_pool2d(oracle.normal(1, 6, 24, 40, seed=seed), 5, 1, 2) * 5
    sample = PoseDataSample(metainfo=dict(flip_indices=[0, 2, 1, 3], input_size=SIZE))
    with torch.no_grad():
        (people,) = head.predict([features], [sample])
        center = oracle.smooth(to_scores(head.iia(features))[0, -1].numpy(), 3)
        found = oracle.peaks(center, 30, 0.01, 3)
        roots = Roots(torch.tensor([[x, y] for _, x, y in found]), torch.zeros(len(found), dtype=int))
        heat = to_scores(oracle.gfd(head.gfd, features, sample_at(features, roots), roots)).numpy()
    read = np.array([[oracle.decode(oracle.smooth(m, 3), 4) for m in person] for person in heat])
    scores = read[..., 2] * np.array([score for score, _, _ in found])[:, None]
    kept = oracle.oks_nms(read[..., :2], scores.mean(1), [0.05] * 4, 0.8)
    assert len(people) == len(kept) > 3
    moved = np.abs(people.keypoints - read[kept, :, :2]).max()
    score = np.abs(people.keypoint_scores - scores[kept]).max()
    figures(TABLE, f'keypoints in px, features {seed}', moved, 0.01)
    figures(TABLE, f'scores of keypoints, features {seed}', score, 1e-5)
    assert moved < 0.01 and score < 1e-5
