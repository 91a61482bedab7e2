"""GFD as the paper prints it; equal to our second writing, which goes cell by cell."""

import copy

import numpy as np
import pytest
import torch

from cid_mmpose.models import GFD, Roots, sample_at
from cid_mmpose.models.gfd import relative_coordinates
from tests.helpers import oracle

# two people in the first image, nobody in the second, three in the third
ROOTS = Roots(torch.tensor([[0, 0], [8, 6], [4, 3], [4, 4], [8, 0]]), torch.tensor([0, 0, 2, 2, 2]))


def scene(recalibration='fused', channels=5, seed=0):
    """A GFD with lively weights, and features (3, 6, 7, 9)."""
    module = GFD(6, channels, 4, recalibration)
    torch.manual_seed(seed)
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return module, torch.randn(3, 6, 7, 9)


@pytest.mark.parametrize('channels', [1, 5, 16])
@pytest.mark.parametrize('recalibration', ['fused', 'spatial', 'channel'])
def test_gfd_equals_our_second_writing_with_all_gradients(recalibration, channels):
    module, features = scene(recalibration, channels)
    exact = copy.deepcopy(module).double()
    pull = oracle.normal(5, 4, 7, 9)
    vectors = sample_at(features, ROOTS)
    maps = module(features, vectors, ROOTS).heatmaps
    expected = oracle.gfd(exact, features.double(), vectors.double(), ROOTS)
    np.testing.assert_allclose(maps.detach(), expected.detach(), rtol=1e-5, atol=1e-5 * expected.abs().max().item())
    ours = torch.autograd.grad((maps * pull).sum(), list(module.parameters()))
    theirs = torch.autograd.grad((expected * pull.double()).sum(), list(exact.parameters()))
    for one, other in zip(ours, theirs):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4 * other.abs().max())


def test_gfd_is_exact_in_double_precision():
    module, features = scene()
    module, features = module.double(), features.double()
    vectors = sample_at(features, ROOTS)
    np.testing.assert_allclose(
        module(features, vectors, ROOTS).heatmaps.detach(),
        oracle.gfd(module, features, vectors, ROOTS).detach(),
        atol=1e-12,
    )


def test_only_the_chosen_recalibration_has_parameters():
    parts = {
        kind: {name.split('.')[0] for name in GFD(6, 5, 4, kind).state_dict()}
        for kind in ('fused', 'spatial', 'channel')
    }
    common = {'conv_down', 'fuse', 'heatmap'}
    assert parts == dict(
        fused=common | {'channel', 'spatial'}, spatial=common | {'spatial'}, channel=common | {'channel'}
    )
    assert GFD(6, 5, 4, 'fused').fuse.in_channels == 10 and GFD(6, 5, 4, 'spatial').fuse.in_channels == 5


def test_an_unknown_recalibration_is_refused_by_name():
    with pytest.raises(ValueError, match="recalibration must be one of .*'both'"):
        GFD(6, 5, 4, 'both')


def test_relative_coordinates_point_from_the_cell_to_the_root_worked_out_by_hand():
    root = torch.tensor([[5.0, 2.0]])
    offsets = relative_coordinates(root, (3, 4)) * 32
    assert offsets[0, 0].tolist() == [[5, 4, 3, 2]] * 3  # x
    assert offsets[0, 1].tolist() == [[2] * 4, [1] * 4, [0] * 4]  # y
    middle = relative_coordinates(root, (3, 4), 0.5) * 32
    assert middle[0, :, 0, 0].tolist() == [4.5, 1.5] and middle[0, :, 2, 3].tolist() == [1.5, -0.5]
    assert relative_coordinates(torch.tensor([[32.0, 0.0]]), (1, 1)).flatten().tolist() == [1, 0]
    assert relative_coordinates(torch.zeros(0, 2), (3, 4)).shape == (0, 2, 3, 4)


def test_the_mask_is_read_from_similarity_x_and_y_in_this_order_worked_out_by_hand():
    module, features = scene('spatial')
    vectors = sample_at(features, ROOTS)
    shared = module.conv_down(features)[2]
    similarity = (shared * module.spatial.attention(vectors[3])[:, None, None]).sum(0)
    x, y = torch.arange(9).expand(7, 9), torch.arange(7)[:, None].expand(7, 9)
    for channel, expected in enumerate((similarity * 32, 4 - x, 4 - y)):  # the fourth person's root is (4, 4)
        for parameter in module.spatial.conv.parameters():
            torch.nn.init.zeros_(parameter)
        module.spatial.conv.weight.data[0, channel, 2, 2] = 32  # the center of the 5 x 5 kernel undoes the scale
        found = module(features, vectors, ROOTS)
        masks = found.masks
        assert masks.shape == found.similarity.shape == (5, 7, 9)
        np.testing.assert_allclose(found.similarity[3].detach(), similarity.detach(), rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(masks[3].detach(), expected.float().sigmoid().detach(), rtol=1e-4, atol=1e-6)


def test_what_gfd_hands_over_are_the_equations_one_after_the_other():
    module, features = scene()
    vectors = sample_at(features, ROOTS)
    found = module(features, vectors, ROOTS)
    shared = module.conv_down(features)[ROOTS.image]
    weights = module.channel(vectors)
    assert found.channel_weights.tolist() == weights.tolist()
    recalibrated = torch.cat([shared * weights[:, :, None, None], found.masks[:, None] * shared], 1)
    np.testing.assert_allclose(
        found.instance_features.detach(), module.fuse(recalibrated).relu().detach(), rtol=1e-5, atol=1e-5
    )
    np.testing.assert_allclose(
        found.heatmaps.detach(), module.heatmap(found.instance_features).detach(), rtol=1e-5, atol=1e-5
    )
    assert found.instance_features.shape == (5, 5, 7, 9)


@pytest.mark.parametrize('kind, has_masks, has_weights', [('channel', False, True), ('spatial', True, False)])
def test_there_are_no_masks_or_no_weights_where_one_recalibration_stands_alone(kind, has_masks, has_weights):
    module, features = scene(kind)
    found = module(features, sample_at(features, ROOTS), ROOTS)
    assert (found.masks is not None) == (found.similarity is not None) == has_masks
    assert (found.channel_weights is not None) == has_weights


def test_a_person_does_not_depend_on_who_else_is_there():
    module, features = scene()
    params = sample_at(features, ROOTS)
    together = module(features, params, ROOTS).heatmaps
    for person in range(5):
        alone = Roots(ROOTS.cell[person : person + 1], ROOTS.image[person : person + 1])
        np.testing.assert_allclose(
            module(features, params[person : person + 1], alone).heatmaps.detach(),
            together[person : person + 1].detach(),
            rtol=1e-4,
            atol=1e-5,
        )


def test_nobody_gives_no_maps_and_no_gradient():
    for kind in ('fused', 'spatial', 'channel'):
        module, features = scene(kind)
        nobody = Roots(torch.zeros(0, 2, dtype=int), torch.zeros(0, dtype=int))
        maps = module(features, sample_at(features, nobody), nobody).heatmaps
        maps.sum().backward()
        assert maps.shape == (0, 4, 7, 9)
        assert all(p.grad is None or not p.grad.any() for p in module.parameters())


def test_an_untrained_network_gives_every_cell_a_probability_of_one_percent():
    module, features = GFD(6, 5, 4), oracle.normal(3, 6, 7, 9)
    logits = module(features, sample_at(features, ROOTS), ROOTS).heatmaps
    np.testing.assert_allclose(logits.sigmoid().detach(), 0.01, rtol=0.05)
    linear = [m for m in module.modules() if hasattr(m, 'bias') and m is not module.heatmap]
    assert len(linear) > 2
    assert all(m.bias.abs().max() == 0 and m.weight.abs().max() < 0.006 for m in linear)


def test_gfd_s_inner_weights_start_as_asked_and_its_last_layer_as_the_authors_have_it():
    torch.manual_seed(0)
    by_inputs, authors = GFD(480, 64, 17, init_std=None), GFD(480, 64, 17)
    assert by_inputs.conv_down.weight.std().item() == pytest.approx(480**-0.5, rel=0.05)
    assert by_inputs.fuse.weight.std().item() == pytest.approx(128**-0.5, rel=0.05)
    assert authors.conv_down.weight.std().item() == pytest.approx(0.001, rel=0.05)
    for gfd in (by_inputs, authors):
        assert gfd.heatmap.weight.std().item() == pytest.approx(0.001, rel=0.1)
        assert gfd.spatial.attention.weight.std().item() == pytest.approx(0.001, rel=0.05)
        assert gfd.fuse.bias.eq(0).all()


def test_the_mask_of_an_untrained_network_is_open_to_learning():
    torch.manual_seed(0)
    gfd = GFD(240, 32, 17, init_std=None)
    features = 3 * oracle.normal(3, 240, 7, 9)  # as a backbone of random weights gives them
    masks = gfd(features, sample_at(features, ROOTS), ROOTS).masks
    slope = masks * (1 - masks)  # of the sigmoid, at most 0.25
    assert slope.min() > 0.05
