"""CIDHead in training: losses, gradients, limits, options. Maps are 24 x 16 cells, four keypoints, six channels."""

import numpy as np
import pytest
import torch

from cid_mmpose.codecs.targets import gather_targets
from cid_mmpose.errors import BadInput
from cid_mmpose.models import HeatmapLoss, Roots, sample_at, stack_branches
from tests.helpers import oracle
from tests.helpers.known_answers import COCO
from tests.helpers.training_batch import KEYS, SIZE, batch


def people_of(samples):
    """Targets as plain lists of people: (image, radius, keypoints, drawn, root, rooted, seed, seeded)."""
    t = gather_targets([sample.gt_instance_labels for sample in samples], 'cpu')
    fields = (t.image, t.radius, t.keypoint_cell, t.keypoint_drawn, t.root_cell, t.root_drawn, t.seed_cell, t.seeded)
    return list(zip(*[x.tolist() for x in fields]))


def expected_losses(head, features, samples):
    """The three losses with targets drawn cell by cell and the textbook forms of everything."""
    people = people_of(samples)
    crowd, person, weight = np.zeros((len(samples), 5, 16, 24)), [], []
    for image, radius, keypoints, drawn, root, rooted, _, seeded in people:
        own = np.zeros((4, 16, 24))
        for k in np.flatnonzero(drawn):
            oracle.draw(own[k], keypoints[k], radius)
            oracle.draw(crowd[image, k], keypoints[k], radius)
        if rooted:
            oracle.draw(crowd[image, 4], root, radius)
        if seeded:
            person.append(own)
            weight.append(drawn)
    roots = Roots(torch.tensor([p[6] for p in people if p[7]]), torch.tensor([p[0] for p in people if p[7]]))
    params = sample_at(features, roots)
    maps = oracle.gfd(head.gfd, features, params, roots)
    weight = torch.tensor(weight).float()[..., None, None]
    return dict(
        loss_crowd=oracle.focal(head.iia(features), torch.tensor(crowd), torch.ones(1)),
        loss_person=4 * oracle.focal(maps, torch.tensor(np.array(person)), weight),
        loss_contrastive=oracle.contrastive(params.numpy(), roots.image.tolist(), 0.05),
    )


@pytest.mark.parametrize('counts', [(1,), (3, 2), (0, 4, 1)])
def test_the_losses_equal_the_textbook_forms_on_targets_drawn_cell_by_cell(counts):
    head = oracle.head()
    feats, samples = batch(*counts)
    losses = head.loss(feats, samples)
    with torch.no_grad():
        expected = expected_losses(head, feats[0], samples)
    for key in KEYS:
        assert losses[key].item() == pytest.approx(float(expected[key]), rel=1e-4, abs=1e-5), key


def test_a_person_who_lost_the_cell_to_another_still_has_keypoints_and_a_root_in_the_crowd_maps():
    head, (feats, samples) = oracle.head(), batch(3)
    samples[0].gt_instance_labels.seeded[1] = False
    losses = head.loss(feats, samples)
    with torch.no_grad():
        expected = expected_losses(head, feats[0], samples)
    for key in KEYS:
        assert losses[key].item() == pytest.approx(float(expected[key]), rel=1e-4), key


@pytest.mark.parametrize('recalibration', ['fused', 'spatial', 'channel'])
@pytest.mark.parametrize('counts', [(0,), (1,), (3,), (0, 2), (0, 0)])
def test_loss_keys_and_gradients_do_not_depend_on_head_count(counts, recalibration):
    head = oracle.head(recalibration=recalibration)
    feats, samples = batch(*counts)
    feats[0].requires_grad_()
    losses = head.loss(feats, samples)
    assert losses.keys() == KEYS and all(loss.shape == () and loss.isfinite() for loss in losses.values())
    sum(losses.values()).backward()
    for name, parameter in head.named_parameters():
        assert parameter.grad is not None and parameter.grad.isfinite().all(), name
    assert feats[0].grad.isfinite().all() and feats[0].grad.any()
    assert any(counts) == bool(head.gfd.heatmap.weight.grad.any())


def test_nobody_in_the_batch_leaves_only_the_loss_of_the_empty_crowd_maps():
    head = oracle.head()
    feats, samples = batch(0, 0)
    losses = head.loss(feats, samples)
    assert losses['loss_person'] == losses['loss_contrastive'] == 0
    expected = oracle.focal(head.iia(stack_branches(feats)).detach(), torch.zeros(2, 5, 16, 24), torch.ones(1))
    assert losses['loss_crowd'].item() == pytest.approx(expected.item(), rel=1e-4)


def test_small_people_train_the_crowd_keypoints_but_no_root_and_no_map():
    head = oracle.head()
    feats, samples = batch(3, small_person_area=1e9)
    losses = head.loss(feats, samples)
    assert losses['loss_person'] == losses['loss_contrastive'] == 0
    assert any(any(person[3]) for person in people_of(samples)) and not any(p[5] for p in people_of(samples))
    empty = head.loss(*batch(0))['loss_crowd']
    assert abs(losses['loss_crowd'] - empty) > 1e-3


def masked_batch(mask, *counts):
    feats, samples = batch(*counts)
    scenes = [oracle.crowd(np.random.default_rng([0, b]), count, 4, SIZE) for b, count in enumerate(counts)]
    return feats, [oracle.sample(scene, SIZE, seed=b, mask=mask) for b, scene in enumerate(scenes)]


def test_the_loss_mask_acts_on_the_crowd_maps_and_not_on_the_maps_of_people():
    mask = np.ones((16, 24), bool)
    mask[4:12, 3:20] = False
    head, (feats, samples) = oracle.head(), masked_batch(mask, 2, 2)
    feats[0].requires_grad_()
    losses, plain = head.loss(feats, samples), head.loss(*batch(2, 2))
    (grad,) = torch.autograd.grad(losses['loss_crowd'], feats[0], retain_graph=True)
    assert torch.equal(grad.abs().sum((0, 1)) > 0, torch.from_numpy(mask))
    assert losses['loss_person'].item() == plain['loss_person'].item()
    assert losses['loss_crowd'].item() != plain['loss_crowd'].item()


def test_a_mask_of_ones_changes_nothing():
    head = oracle.head()
    with_mask, without = head.loss(*masked_batch(np.ones((16, 24), bool), 2, 1)), head.loss(*batch(2, 1))
    assert {key: loss.item() for key, loss in with_mask.items()} == {key: loss.item() for key, loss in without.items()}


def test_a_mask_of_another_size_names_the_transform_that_makes_fitting_ones():
    with pytest.raises(BadInput, match=r'heatmap_mask is \(64, 96\) cells, the maps are \(16, 24\); .*LossMask'):
        oracle.head().loss(*masked_batch(np.ones((64, 96), bool), 1))


def test_a_batch_in_which_only_some_samples_have_a_loss_mask_is_refused():
    feats, samples = masked_batch(np.ones((16, 24), bool), 1, 1, 1)
    del samples[0].gt_fields
    with pytest.raises(BadInput, match=r'2 of 3 samples of a batch have one; .*LossMask, or none'):
        oracle.head().loss(feats, samples)


def test_a_keypoint_that_nobody_has_labelled_trains_no_map_of_a_person():
    rng = np.random.default_rng(0)
    scene = oracle.crowd(rng, 3, 4, SIZE)
    scene.visible[:] = [2, 2, 0, 1]
    head = oracle.head()
    head.loss([oracle.normal(1, 6, 16, 24)], [oracle.sample(scene, SIZE)])['loss_person'].backward()
    grad = head.gfd.heatmap.bias.grad
    assert grad[2] == 0 and (grad[[0, 1, 3]] != 0).all()


def test_vectors_are_read_at_the_seeds_not_at_the_roots():
    head, (feats, samples) = oracle.head(), batch(0, 2)
    labels = samples[1].gt_instance_labels
    labels.seed_cell = torch.tensor([[3, 5], [20, 11]], dtype=torch.int16)
    feats[0].requires_grad_()
    (grad,) = torch.autograd.grad(head.loss(feats, samples)['loss_contrastive'], feats[0])
    assert grad.abs().sum(1).nonzero().tolist() == [[1, 5, 3], [1, 11, 20]]  # image, y, x


def losses_by_person(head, feats, samples):
    """loss_person when each seeded person alone has a map."""
    labels, alone = samples[0].gt_instance_labels, []
    seeded = labels.seeded.clone()
    for person in seeded.nonzero()[:, 0]:
        labels.seeded = torch.arange(len(seeded)) == person
        alone.append(head.loss(feats, samples)['loss_person'].item())
    labels.seeded = seeded
    return alone


def test_more_people_than_allowed_are_chosen_at_random_for_a_map_of_their_own():
    head, (feats, samples) = oracle.head(max_train_people=1), batch(3)
    alone = losses_by_person(head, feats, samples)
    drawn = []
    for seed in range(20):
        torch.manual_seed(seed)
        drawn.append(head.loss(feats, samples))
    picked = {alone.index(pytest.approx(losses['loss_person'].item(), rel=1e-5)) for losses in drawn}
    assert picked == {0, 1, 2}
    full = oracle.head().loss(feats, samples)
    assert {losses['loss_contrastive'].item() for losses in drawn} == {full['loss_contrastive'].item()} != {0.0}
    assert {losses['loss_crowd'].item() for losses in drawn} == {full['loss_crowd'].item()}


class SquaredError(HeatmapLoss):
    """A loss that somebody else may write: the mean over people of the squared error of scores."""

    def shares(self, num_peaks):
        return num_peaks.new_ones(num_peaks.shape, dtype=torch.float32) / max(len(num_peaks), 1)

    def sum_of_cells(self, logits, target, weight):
        return (weight * (logits.float().sigmoid() - target).square()).sum()


@pytest.mark.parametrize('memory_budget', [None, 1])
def test_a_person_loss_of_one_s_own_is_the_same_in_chunks_as_on_whole_maps(memory_budget):
    head = oracle.head(person_loss=dict(type=SquaredError), memory_budget=memory_budget)
    feats, samples = batch(60, 3)
    losses = head.loss(feats, samples)

    targets = gather_targets([sample.gt_instance_labels for sample in samples], 'cpu')
    seeded = targets.seeded.nonzero()[:, 0]
    roots = Roots(targets.seed_cell[seeded].long(), targets.image[seeded])
    with torch.no_grad():
        scores = head(feats, roots).heatmaps.double().sigmoid()
    target, drawn = oracle.drawn_people(targets, seeded, scores)
    expected = (drawn * (scores - target) ** 2).sum() / len(seeded)
    assert losses['loss_person'].item() == pytest.approx(expected.item(), rel=1e-5)
    whole = head.person_loss(head(feats, roots).heatmaps, target, drawn)
    assert whole.item() == pytest.approx(expected.item(), rel=1e-5)


def test_with_at_most_200_people_the_loss_is_the_same_every_time():
    head, (feats, samples) = oracle.head(), batch(4, 3)
    assert len({head.loss(feats, samples)['loss_person'].item() for _ in range(5)}) == 1


@pytest.mark.parametrize('name', ['crowd_loss', 'person_loss', 'contrastive_loss'])
def test_a_loss_of_which_only_a_field_is_given_asks_for_its_type(name):
    with pytest.raises(BadInput, match=rf"model.head.{name}: {{'loss_weight': 0}} has no type; write all of it"):
        oracle.head(seed=0, **{name: dict(loss_weight=0)})


def test_the_loss_weights_of_the_config_are_used():
    focal = dict(type='cid_mmpose.FocalHeatmapLoss')
    scaled = oracle.head(
        crowd_loss=dict(focal, loss_weight=10.0),
        person_loss=dict(focal, loss_weight=2.0),
        contrastive_loss=dict(type='cid_mmpose.ContrastiveLoss', loss_weight=0.0),
    )
    feats, samples = batch(2, 2)
    losses, plain = scaled.loss(feats, samples), oracle.head().loss(feats, samples)
    assert losses['loss_crowd'].item() == pytest.approx(10 * plain['loss_crowd'].item(), rel=1e-6)
    assert losses['loss_person'].item() == pytest.approx(plain['loss_person'].item() / 2, rel=1e-6)
    assert losses['loss_contrastive'] == 0 < plain['loss_contrastive']


@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16])
def test_half_precision_around_the_head_gives_finite_losses_close_to_float32(dtype):
    oracle.skip_unless_autocast_knows(dtype)
    head, (feats, samples) = oracle.head(), batch(3, 0, 2)
    plain = head.loss(feats, samples)
    with torch.autocast('cpu', dtype=dtype):
        losses = head.loss([feats[0].to(dtype)], samples)
    sum(losses.values()).backward()
    for key in KEYS:
        assert losses[key].dtype == torch.float32
        assert losses[key].item() == pytest.approx(plain[key].item(), rel=0.02), key
    assert all(parameter.grad.isfinite().all() for parameter in head.parameters())


@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16])
def test_saturated_half_precision_maps_give_finite_losses_and_gradients(dtype):
    oracle.skip_unless_autocast_knows(dtype)
    head, (feats, samples) = oracle.head(), batch(3)
    for conv in (head.iia.conv, head.gfd.heatmap):
        conv.weight.data *= 100
    with torch.autocast('cpu', dtype=dtype):
        assert head.iia(stack_branches(feats)).abs().max() > 100
        losses = head.loss(feats, samples)
    sum(losses.values()).backward()
    assert all(loss.isfinite() for loss in losses.values())
    assert all(parameter.grad.isfinite().all() for parameter in head.parameters())


def test_a_head_of_17_keypoints_takes_the_coco_sigmas():
    sigmas = oracle.head(num_keypoints=17, test=None).test.keypoint_sigmas(17)
    np.testing.assert_allclose(sigmas, COCO, rtol=1e-6)


@pytest.mark.parametrize(
    'options, message',
    [
        (dict(gfd_chanels=32), 'gfd_chanels'),
        (dict(recalibration='both'), "recalibration must be one of .*'both'"),
        (dict(person_loss=dict(type='cid_mmpose.ContrastiveLoss')), 'person_loss: ContrastiveLoss .*HeatmapLoss$'),
        (dict(test=dict(sigmas=(0.05,) * 3)), 'sigmas has 3 values for 4 keypoints'),
        (dict(test=None), 'sigmas has 17 values for 4 keypoints; give the model .* model.metainfo'),
        (dict(test=dict(max_instances=3)), 'max_instances'),
        (dict(test=dict(blur=4)), 'blur'),
        (dict(test=dict(max_people=0)), 'max_people'),
        (dict(test=dict(min_score=1.5)), 'min_score'),
        (dict(test=dict(nms=0)), 'nms'),
        (dict(decoder=dict(type='cid_mmpose.SizeAdaptiveHeatmap', sigma=2)), 'sigma'),
    ],
)
def test_an_option_that_is_unknown_or_out_of_range_is_named(options, message):
    with pytest.raises((TypeError, ValueError), match=message):
        oracle.head(**options)
