"""Everything that may run on a GPU gives there what it gives on the CPU: targets, losses, chunks, models.

``make test-cuda`` runs this. Each test computes on both devices from the same numbers; the CPU's answers are those that
the other tests hold against figures from outside. ``--device cpu`` tries the file itself where there is no GPU.
"""

from copy import deepcopy
from unittest import mock

import numpy as np
import pytest
import torch
from mmengine.optim import AmpOptimWrapper, OptimWrapper

from cid_mmpose.codecs import axes_of_people, find_peaks, gather_targets, render_crowd
from cid_mmpose.engine.optim import BFloat16OptimWrapper
from cid_mmpose.models import Roots
from cid_mmpose.models.fast import person_loss
from cid_mmpose.models.fast.branches import sample_branches
from cid_mmpose.models.gfd import to_scores
from cid_mmpose.models.losses import FocalHeatmapLoss, contrastive_loss
from cid_mmpose.models.roots import find_roots
from tests.helpers import oracle
from tests.helpers.images import build_model, tiny_config
from tests.helpers.three_images import IMAGES, model, samples

SIZE = (160, 96)  # pixels; 40 x 24 cells
CPU = torch.device('cpu')
FLIP = [0, 2, 1, 3]
PEOPLE = [(12, 5), (0, 3), (0, 0)]  # people of two images of a batch


@pytest.fixture(autouse=True)
def exact_products(device):
    """TensorFloat-32 keeps three digits, which would hide what these tests look for."""
    before = torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    yield
    torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32 = before


def batch(counts):
    """A sample for each image, with so many people and a loss mask."""
    rng = np.random.default_rng(sum(counts))
    mask = rng.random((SIZE[1] // 4, SIZE[0] // 4)) < 0.8
    return [oracle.sample(oracle.crowd(rng, count, 4, SIZE), SIZE, seed=3, mask=mask) for count in counts]


def targets_on(place, counts):
    return gather_targets([sample.gt_instance_labels for sample in batch(counts)], place)


def features_on(place, images=2):
    """Two branches, as a backbone gives them."""
    fine = oracle.normal(images, 4, 24, 40, seed=5)
    coarse = oracle.normal(images, 2, 12, 20, seed=6)
    return [branch.to(place) for branch in (fine, coarse)]


def close(found, expected, rtol=1e-4, atol=1e-5):
    """Whether tensors of any device hold the same numbers."""
    torch.testing.assert_close(found.detach().cpu(), expected.detach().cpu(), rtol=rtol, atol=atol)


def losses_and_gradients(head, counts, place):
    """The losses of a batch, and the gradient of their sum at each parameter and each branch."""
    module = deepcopy(head).to(place).train()
    leaves = [branch.requires_grad_() for branch in features_on(place)]
    losses = module.loss(leaves, [sample.to(place) for sample in batch(counts)])
    sum(losses.values()).backward()
    gradients = {name: parameter.grad for name, parameter in module.named_parameters()}
    for number, leaf in enumerate(leaves):
        gradients[f'branch {number}'] = leaf.grad
    return losses, gradients


@pytest.mark.parametrize('counts', PEOPLE)
def test_target_maps(device, counts):
    size = (40, 24)
    here, there = targets_on(CPU, counts), targets_on(device, counts)
    crowd = render_crowd(there, size, 2)
    assert crowd.device.type == device.type
    close(crowd, render_crowd(here, size, 2), atol=1e-6)
    assert torch.equal(crowd.eq(1).cpu(), render_crowd(here, size, 2).eq(1))
    chosen = here.seeded.nonzero()[:, 0]
    axes = axes_of_people(there, chosen.to(device), size)
    for found, expected in zip(axes, axes_of_people(here, chosen, size)):
        close(found, expected, atol=1e-6)


@pytest.mark.parametrize('dtype', [torch.float32, torch.float16, torch.bfloat16])
def test_focal_loss_and_its_gradient(device, dtype):
    target = oracle.uniform(2, 5, 24, 40, seed=1).masked_fill_(oracle.uniform(2, 5, 24, 40, seed=2) > 0.99, 1)
    logits = (8 * oracle.normal(2, 5, 24, 40)).to(dtype)
    weight = oracle.uniform(2, 1, 24, 40, seed=3).round()
    results = []
    for place in (CPU, device):
        leaf = logits.to(place, copy=True).requires_grad_()
        loss = FocalHeatmapLoss()(leaf, target.to(place), weight.to(place))
        loss.backward()
        results.append((loss, leaf.grad))
    (expected, slope), (found, gradient) = results
    assert found.dtype is torch.float32
    close(found, expected)
    close(gradient.float(), slope.float(), rtol=1e-2 if dtype is not torch.float32 else 1e-4)


def test_contrastive_loss_and_its_gradient(device):
    image = torch.tensor([0, 0, 0, 1, 1, 2, 4, 4, 4])
    results = []
    for place in (CPU, device):
        vectors = (oracle.normal(9, 16) + 3).to(place).requires_grad_()
        loss = contrastive_loss(vectors, image.to(place), 0.05)
        loss.backward()
        results.append((loss, vectors.grad))
    close(results[1][0], results[0][0])
    close(results[1][1], results[0][1])


@pytest.mark.parametrize('recalibration', ['fused', 'spatial', 'channel'])
@pytest.mark.parametrize('counts', PEOPLE)
def test_losses_and_all_gradients_of_the_head(device, counts, recalibration):
    head = oracle.head(recalibration=recalibration)
    losses, gradients = losses_and_gradients(head, counts, device)
    expected, slopes = losses_and_gradients(head, counts, CPU)
    assert losses.keys() == expected.keys()
    for key in losses:
        close(losses[key], expected[key])
    for name, slope in slopes.items():
        largest = slope.abs().max().item()
        close(gradients[name], slope, rtol=0, atol=1e-4 * largest + 1e-7)


@pytest.mark.parametrize('counts', [(12, 5), (0, 0)])
def test_chunks_of_any_size_give_the_losses_and_gradients_of_all_people_at_once(device, counts):
    results = []
    for cells in (10**9, 100, 7):  # of all people of a chunk together
        with mock.patch.object(person_loss, 'cells_in_budget', lambda *_: cells):
            results.append(losses_and_gradients(oracle.head(), counts, device))
    (whole, slopes), *parts = results
    for losses, gradients in parts:
        for key in whole:
            close(losses[key], whole[key])
        for name, slope in slopes.items():
            largest = slope.abs().max().item()
            close(gradients[name], slope, rtol=0, atol=1e-5 * largest + 1e-8)


@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16])
def test_half_precision_around_the_head_gives_finite_losses_near_those_of_float32(device, dtype):
    if device.type == 'cpu' and dtype is torch.float16:
        pytest.skip('float16 is for GPUs')
    head = oracle.head().to(device).train()
    labels = [sample.to(device) for sample in batch((12, 5))]
    exact = head.loss(features_on(device), labels)
    with torch.autocast(device.type, dtype):
        losses = head.loss(features_on(device), labels)
    sum(losses.values()).backward()
    for key in exact:
        close(losses[key], exact[key], rtol=0.05, atol=0.05)
    assert all(parameter.grad.isfinite().all() for parameter in head.parameters())


def test_roots_and_peaks(device):
    center = to_scores(oracle.normal(3, 24, 40))
    expected, found = (find_roots(center.to(place), 30, 0.01, 3) for place in (CPU, device))
    assert torch.equal(found.cell.cpu(), expected.cell) and torch.equal(found.image.cpu(), expected.image)
    maps = to_scores(oracle.normal(5, 4, 24, 40, seed=1))
    for one, other in zip(find_peaks(maps.to(device)), find_peaks(maps)):
        close(one, other)
    vectors = [
        sample_branches(features_on(place, 3), Roots(expected.cell.to(place), expected.image.to(place)))
        for place in (CPU, device)
    ]
    close(*vectors)


@pytest.mark.parametrize('flip', [False, True])
@pytest.mark.parametrize('budget', [1, 1024])
def test_the_head_finds_the_people_that_it_finds_on_the_cpu(device, flip, budget):
    head = oracle.head(memory_budget=budget)
    answers = []
    for place in (CPU, device):
        module, maps = deepcopy(head).to(place), features_on(place)
        pair = (maps, [branch.flip(-1) for branch in maps]) if flip else maps
        labels = [oracle.PoseDataSample(metainfo=dict(flip_indices=FLIP)) for _ in range(2)]
        with torch.no_grad():
            answers.append(module.predict(pair, labels, dict(flip_test=flip)))
    for expected, found in zip(*answers):
        assert len(found) == len(expected) > 0
        assert np.abs(found.keypoints - expected.keypoints).max() < 0.01
        assert np.abs(found.keypoint_scores - expected.keypoint_scores).max() < 1e-4


def predictions(network, place):
    """The people of three images, and their maps; by a copy on this device."""
    network = deepcopy(network).to(place)
    with torch.no_grad():
        return network.predict(IMAGES.to(place), samples(3))


@pytest.mark.parametrize('settings', [dict(), dict(precision='float32')])
@pytest.mark.parametrize('flip', [False, True])
def test_the_network_finds_the_people_that_it_finds_on_the_cpu(device, settings, flip):
    network = model(flip_test=flip, output_heatmaps=True, **settings)
    for expected, found in zip(predictions(network, CPU), predictions(network, device)):
        close(found.pred_fields.heatmaps, expected.pred_fields.heatmaps, atol=1e-4)
        assert len(found.pred_instances) == len(expected.pred_instances)


@pytest.mark.parametrize('precision', ['bfloat16', 'float16'])
def test_half_precision_of_the_backbone_moves_the_maps_a_little(device, precision):
    if device.type == 'cpu':
        pytest.skip('half precision of the CPU is tested in models/test_estimator.py')
    exact = predictions(model(output_heatmaps=True), CPU)
    rounded = predictions(model(output_heatmaps=True, precision=precision), device)
    for expected, found in zip(exact, rounded):
        assert (found.pred_fields.heatmaps.cpu() - expected.pred_fields.heatmaps).abs().max() < 0.1


@pytest.mark.parametrize('mode', ['default', 'reduce-overhead'])
def test_the_compiled_backbone_gives_the_same_maps_also_the_second_and_third_time(device, mode):
    if device.type == 'cpu':
        pytest.skip('compiling for the CPU is tested in models/fast/test_folded.py')
    network = model(output_heatmaps=True, precision='float32', compile=mode).to(device)
    expected = predictions(model(output_heatmaps=True), CPU)
    for _ in range(3):  # CUDA graphs are recorded at the second call and played from the third
        with torch.no_grad():
            found = network.predict(IMAGES.to(device), samples(3))
        for one, other in zip(found, expected):
            close(one.pred_fields.heatmaps, other.pred_fields.heatmaps, atol=1e-4)


@pytest.mark.parametrize(
    'wrapper, options',
    [(OptimWrapper, {}), (BFloat16OptimWrapper, {}), (AmpOptimWrapper, dict(dtype='float16', loss_scale='dynamic'))],
)
def test_training_steps_of_the_whole_network_bring_the_losses_down(device, wrapper, options):
    if wrapper is AmpOptimWrapper and device.type == 'cpu':
        pytest.skip('float16 is for GPUs')
    cfg = tiny_config(96)
    cfg.model.head.update(num_keypoints=4, test=dict(sigmas=(0.05,) * 4))
    torch.manual_seed(0)
    network = build_model(cfg).to(device)
    network.train()
    optimizer = torch.optim.Adam(network.parameters(), 1e-3)
    steps = wrapper(optimizer=optimizer, **options)
    images = torch.randn(2, 3, SIZE[1], SIZE[0], generator=torch.Generator().manual_seed(0)).to(device)
    labels = [sample.to(device) for sample in batch((12, 5))]
    seen = []
    for _ in range(8):
        with steps.optim_context(network):
            total = sum(network.loss(images, labels).values())
        steps.update_params(total)
        seen.append(total.item())
    assert np.isfinite(seen).all() and seen[-1] < seen[0]
    assert all(parameter.isfinite().all() for parameter in network.parameters())
