"""Focal and contrastive loss against their textbook forms in float64."""

import math

import numpy as np
import pytest
import torch
from mmpose.registry import MODELS

from cid_mmpose.models.losses import ContrastiveLoss, FocalHeatmapLoss, contrastive_loss
from tests.helpers import oracle

EVERYWHERE = torch.ones(1)


def focal_loss(logits, target, weight, average='batch'):
    """Eq. 15 by the class that configs name."""
    return FocalHeatmapLoss(average=average)(logits, target, weight)


def maps(seed=0, spread=2.0):
    """Logits (2, 3, 6, 7), targets with peaks, slopes and empty cells, and a weight of 0 for about a third of cells."""
    rng = torch.Generator().manual_seed(seed)
    logits = torch.randn(2, 3, 6, 7, generator=rng) * spread
    target = torch.rand(2, 3, 6, 7, generator=rng)
    target[target > 0.9], target[target < 0.5] = 1, 0
    return logits.requires_grad_(), target, (torch.rand(2, 1, 6, 7, generator=rng) > 0.3).float()


def test_focal_loss_of_three_cells_worked_out_by_hand():
    # logit 0 is p = 0.5. Peak: (1 - 0.5)^2 log 0.5; slope of 0.5: (1 - 0.5)^4 0.5^2 log 0.5; empty: 0.5^2 log 0.5
    logits, target = torch.zeros(1, 1, 1, 3), torch.tensor([[[[1.0, 0.5, 0.0]]]])
    expected = (0.25 + 0.0625 * 0.25 + 0.25) * math.log(2)
    assert focal_loss(logits, target, EVERYWHERE).item() == pytest.approx(expected, rel=1e-6)


def test_focal_loss_divides_by_the_peaks_of_the_whole_batch():
    target = torch.zeros(2, 2, 3, 3)
    target[0, :, 1, 1] = 1
    target[1, 0, 0, 0] = 1  # three peaks and 33 empty cells at p = 0.5
    loss = focal_loss(torch.zeros(2, 2, 3, 3), target, EVERYWHERE)
    assert loss.item() == pytest.approx(36 * 0.25 * math.log(2) / 3, rel=1e-6)


def test_focal_loss_by_person_takes_the_mean_of_each_persons_own_as_eq_16():
    target = torch.zeros(2, 2, 3, 3)
    target[0, :, 1, 1] = 1  # two peaks
    target[1, 0, 0, 0] = 1  # one, and the keypoint of the other map is unlabelled
    weight = torch.tensor([[1.0, 1.0], [1.0, 0.0]])[..., None, None]
    loss = focal_loss(torch.zeros(2, 2, 3, 3), target, weight, 'person')
    cell = 0.25 * math.log(2)  # of every cell at p = 0.5
    assert loss.item() == pytest.approx((18 * cell / 2 + 9 * cell / 1) / 2, rel=1e-6)
    assert focal_loss(torch.zeros(0, 2, 3, 3), target[:0], weight[:0], 'person') == 0


def test_an_unknown_average_is_refused():
    with pytest.raises(ValueError, match="average must be one of .*'keypoint'"):
        FocalHeatmapLoss(average='keypoint')


@pytest.mark.parametrize('seed', range(4))
def test_focal_loss_and_gradient_equal_the_clamped_reference_where_it_does_not_clamp(seed):
    logits, target, weight = maps(seed)
    exact = logits.detach().double().requires_grad_()
    loss, reference = focal_loss(logits, target, weight), oracle.focal(exact, target, weight)
    assert loss.item() == pytest.approx(reference.item(), rel=1e-5)
    loss.backward()
    reference.backward()
    np.testing.assert_allclose(logits.grad, exact.grad, rtol=1e-4, atol=1e-6 * exact.grad.abs().max())


def test_focal_loss_equals_mmpose_where_nothing_is_clamped():
    logits, target, weight = maps()
    reference = MODELS.build(dict(type='FocalHeatmapLoss'))(logits.sigmoid(), target, None, weight.expand_as(target))
    assert focal_loss(logits, target, weight).item() == pytest.approx(reference.item(), rel=1e-4)


@pytest.mark.parametrize('dtype', [torch.float32, torch.float16, torch.bfloat16])
def test_focal_loss_and_gradient_stay_finite_for_extreme_logits_in_any_precision(dtype):
    logits = torch.tensor([80.0, -80.0, 80.0, -80.0, 0.0, 12.0], dtype=dtype).view(1, 1, 2, 3).requires_grad_()
    target = torch.tensor([1.0, 1.0, 0.0, 0.0, 0.5, 0.0], dtype=dtype).view(1, 1, 2, 3)
    loss = focal_loss(logits, target, EVERYWHERE)
    loss.backward()
    # wrong by 80 twice (a missed peak, a false one), 0.0625 / 4 log 2 for the slope, 12 for p = 1 - 6e-6; two peaks
    assert loss.item() == pytest.approx((160 + 0.25 * 0.0625 * math.log(2) + 12) / 2, rel=1e-3)
    assert loss.dtype == torch.float32 and logits.grad.isfinite().all()


def test_half_precision_logits_lose_no_more_than_their_own_rounding():
    for dtype in (torch.float16, torch.bfloat16):
        logits, target, weight = maps()
        rounded = logits.detach().to(dtype)
        expected = oracle.focal(rounded, target, weight).item()
        assert focal_loss(rounded, target, weight).item() == pytest.approx(expected, rel=1e-5)


def test_masked_cells_have_no_influence_and_no_gradient():
    logits, target, weight = maps()
    masked = weight.expand_as(target) == 0
    loss = focal_loss(logits, target, weight)
    loss.backward()
    assert (logits.grad[masked] == 0).all() and (logits.grad[~masked] != 0).any()
    other_logits, other_target = logits.detach().clone(), target.clone()
    other_logits[masked], other_target[masked] = 55.0, 1.0
    assert focal_loss(other_logits, other_target, weight).item() == loss.item()


def test_a_map_of_weight_zero_has_no_influence_and_no_gradient():
    logits, target, _ = maps()
    weight = torch.tensor([[1.0, 0.0, 1.0], [0.0, 1.0, 1.0]])[..., None, None]
    loss = focal_loss(logits, target, weight)
    loss.backward()
    silent = logits.grad.abs().amax((2, 3)) == 0
    assert silent.tolist() == [[False, True, False], [True, False, False]]
    kept = [
        focal_loss(logits[b, k], target[b, k], EVERYWHERE) * (target[b, k] == 1).sum().clamp(min=1)
        for b in range(2)
        for k in range(3)
        if weight[b, k, 0, 0] == 1
    ]
    peaks = (target.eq(1) * weight).sum()
    assert loss.item() == pytest.approx((sum(kept) / peaks).item(), rel=1e-5)


def test_without_any_peak_the_loss_is_the_sum_over_empty_cells():
    logits = torch.zeros(1, 1, 4, 5, requires_grad=True)
    loss = focal_loss(logits, torch.zeros(1, 1, 4, 5), EVERYWHERE)
    assert loss.item() == pytest.approx(20 * 0.25 * math.log(2), rel=1e-6)
    loss.backward()
    assert (logits.grad > 0).all()


def test_no_maps_at_all_give_a_loss_of_zero_that_can_be_differentiated():
    logits = torch.zeros(0, 3, 4, 5, requires_grad=True)
    loss = focal_loss(logits, torch.zeros(0, 3, 4, 5), torch.ones(0, 3, 1, 1))
    loss.backward()
    assert loss.item() == 0 and logits.grad.shape == (0, 3, 4, 5)


def test_loss_weights_scale_the_losses():
    logits, target, weight = maps()
    assert FocalHeatmapLoss(loss_weight=4.0)(logits, target, weight) == 4 * focal_loss(logits, target, weight)
    params, image = oracle.normal(3, 4), torch.zeros(3, dtype=int)
    assert ContrastiveLoss(loss_weight=0.0)(params, image) == 0
    assert ContrastiveLoss(temperature=0.2)(params, image) == contrastive_loss(params, image, 0.2)


def test_contrastive_loss_of_two_vectors_worked_out_by_hand():
    # the cosine of (3, 0) and (2, 2) is 0.7071; each person: log(1 + exp((0.7071 - 1) / 0.05))
    loss = contrastive_loss(torch.tensor([[3.0, 0.0], [2.0, 2.0]]), torch.zeros(2, dtype=int), 0.05)
    assert loss.item() == pytest.approx(math.log1p(math.exp((math.sqrt(0.5) - 1) / 0.05)), rel=1e-3)


def test_contrastive_loss_of_three_equal_vectors_is_log_three():
    loss = contrastive_loss(torch.ones(3, 4), torch.zeros(3, dtype=int), 0.05)
    assert loss.item() == pytest.approx(math.log(3), rel=1e-6)


@pytest.mark.parametrize('image', [[0, 0, 0, 0, 0], [0, 0, 1, 1, 1], [0, 2, 2, 2, 3]])
def test_contrastive_loss_equals_the_loop_over_people(image):
    params = oracle.normal(5, 8, seed=1) + 5  # much alike: the loss is about 1
    expected = oracle.contrastive(params.numpy(), image, 0.05)
    assert expected > 0.4
    assert contrastive_loss(params, torch.tensor(image), 0.05).item() == pytest.approx(expected, rel=1e-5)


def test_contrastive_loss_equals_mmpose_image_by_image():
    params, image = oracle.normal(6, 8) + 5, torch.tensor([0, 0, 1, 1, 1, 2])
    mmpose_loss = MODELS.build(dict(type='InfoNCELoss', temperature=0.05))
    expected = sum(mmpose_loss(params[image == b]) for b in range(3)) / 6
    assert contrastive_loss(params, image, 0.05).item() == pytest.approx(expected.item(), rel=1e-5)


def test_people_who_are_alone_or_nobody_cost_nothing():
    for count in (0, 1, 3):
        params = oracle.normal(count, 4).requires_grad_()
        loss = contrastive_loss(params, torch.arange(count), 0.05)
        loss.backward()
        assert abs(loss.item()) < 1e-6 and params.grad.abs().sum() < 1e-4


def test_other_images_do_not_matter_but_for_the_mean():
    params, image = oracle.normal(4, 8), torch.tensor([0, 0, 1, 1])
    both = contrastive_loss(params, image, 0.5)
    apart = [contrastive_loss(params[image == b], image[image == b], 0.5) for b in (0, 1)]
    assert both.item() == pytest.approx((sum(apart) / 2).item(), rel=1e-5)


def test_contrastive_loss_keeps_full_precision_under_autocast():
    params, image = oracle.normal(5, 8, seed=3) + 5, torch.zeros(5, dtype=int)
    expected = contrastive_loss(params, image, 0.05)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        half = contrastive_loss(params, image, 0.05)
    assert half.item() == pytest.approx(expected.item(), rel=1e-5)
