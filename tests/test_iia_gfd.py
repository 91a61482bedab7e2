"""IIA and GFD: the frugal form of GFD must equal the paper's, which stacks [F_c; F_s] for each person."""
import copy

import numpy as np
import oracle
import pytest
import torch

from cid_mmpose.models import GFD, IIA, Roots, sample_at
from cid_mmpose.models.gfd import relative_coordinates, to_scores

# two people in the first image, nobody in the second, three in the third
ROOTS = Roots(torch.tensor([[0, 0], [8, 6], [4, 3], [4, 4], [8, 0]]), torch.tensor([0, 0, 2, 2, 2]))


def scene(recalibration='fused', channels=5, seed=0):
    """A GFD with lively weights, and features (3, 6, 7, 9)."""
    module = GFD(6, channels, 4, recalibration)
    torch.manual_seed(seed)
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return module, torch.randn(3, 6, 7, 9)


def gradients(module, forward, features, pull):
    """Maps and the gradients of sum(pull * maps) for the features and for every parameter by name."""
    features = features.clone().requires_grad_()
    maps = forward([features], sample_at([features], ROOTS), ROOTS)
    (maps * pull).sum().backward()
    return maps.detach(), dict(features=features.grad, **{name: p.grad for name, p in module.named_parameters()})


@pytest.mark.parametrize('channels', [1, 5, 16])
@pytest.mark.parametrize('recalibration', ['fused', 'spatial', 'channel'])
def test_gfd_equals_the_textbook_form_with_all_gradients(recalibration, channels):
    module, features = scene(recalibration, channels)
    exact = copy.deepcopy(module).double()
    pull = oracle.normal(5, 4, 7, 9)
    maps, ours = gradients(module, module, features, pull)
    textbook = lambda branches, *args: oracle.gfd(exact, *branches, *args)   # noqa: E731
    expected, theirs = gradients(exact, textbook, features.double(), pull.double())
    np.testing.assert_allclose(maps, expected, rtol=1e-5, atol=1e-5 * expected.abs().max())
    assert ours.keys() == theirs.keys()
    for name in theirs:
        np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-4, atol=1e-4 * theirs[name].abs().max(),
                                   err_msg=name)


@pytest.mark.parametrize('channels', [1, 5, 32])
@pytest.mark.parametrize('recalibration', ['fused', 'spatial', 'channel'])
def test_gfd_without_gradients_equals_the_textbook_form(recalibration, channels):
    module, features = scene(recalibration, channels)
    exact, params = copy.deepcopy(module).double(), sample_at([features], ROOTS)
    with torch.no_grad():   # other products are taken than with gradients, see cells.py
        maps = module([features], params, ROOTS)
        expected = oracle.gfd(exact, features.double(), params.double(), ROOTS)
        nobody = Roots(ROOTS.cell[:0], ROOTS.image[:0])
        assert module([features], params[:0], nobody).shape == (0, 4, 7, 9)
    np.testing.assert_allclose(maps, expected, rtol=1e-5, atol=1e-5 * expected.abs().max())


def test_gfd_is_exact_in_double_precision():
    module, features = scene()
    module, features = module.double(), features.double()
    params = sample_at([features], ROOTS)
    np.testing.assert_allclose(
        module([features], params, ROOTS).detach(), oracle.gfd(module, features, params, ROOTS).detach(), atol=1e-12)


def test_only_the_chosen_recalibration_has_parameters():
    parts = {kind: {name.split('.')[0] for name in GFD(6, 5, 4, kind).state_dict()}
             for kind in ('fused', 'spatial', 'channel')}
    common = {'conv_down', 'fuse', 'heatmap'}
    assert parts == dict(fused=common | {'channel', 'spatial'}, spatial=common | {'spatial'},
                         channel=common | {'channel'})
    assert GFD(6, 5, 4, 'fused').fuse.in_channels == 10 and GFD(6, 5, 4, 'spatial').fuse.in_channels == 5


def test_an_unknown_recalibration_is_refused_by_name():
    with pytest.raises(ValueError, match="recalibration must be one of .*'both'"):
        GFD(6, 5, 4, 'both')


def test_relative_coordinates_point_from_the_cell_to_the_root_worked_out_by_hand():
    root = torch.tensor([[5., 2.]])
    offsets = relative_coordinates(root, (3, 4)) * 32
    assert offsets[0, 0].tolist() == [[5, 4, 3, 2]] * 3                      # x
    assert offsets[0, 1].tolist() == [[2] * 4, [1] * 4, [0] * 4]             # y
    middle = relative_coordinates(root, (3, 4), 0.5) * 32
    assert middle[0, :, 0, 0].tolist() == [4.5, 1.5] and middle[0, :, 2, 3].tolist() == [1.5, -0.5]
    assert relative_coordinates(torch.tensor([[32., 0.]]), (1, 1)).flatten().tolist() == [1, 0]
    assert relative_coordinates(torch.zeros(0, 2), (3, 4)).shape == (0, 2, 3, 4)


def test_the_offset_maps_of_a_root_add_up_to_the_convolution_of_its_relative_coordinates():
    module, _ = scene()
    spatial = module.double().spatial
    spatial.cell_center.fill_(0.5)
    a_x, a_y, a_0 = spatial.offset_maps((7, 9))
    for x, y in ((0., 0.), (8., 6.), (3., 5.)):
        offsets = relative_coordinates(torch.tensor([[x, y]]).double(), (7, 9), 0.5)
        expected = torch.nn.functional.conv2d(offsets, spatial.conv.weight[:, 1:], spatial.conv.bias, padding=2)[0, 0]
        np.testing.assert_allclose((x * a_x + y * a_y + a_0).detach(), expected.detach(), atol=1e-12)


def test_the_mask_is_read_from_similarity_x_and_y_in_this_order_worked_out_by_hand():
    module, features = scene('spatial')
    shared, params = module.conv_down(features), sample_at([features], ROOTS)
    people = module.address(params[2:], Roots(ROOTS.cell[2:], ROOTS.image[2:]))
    similarity = (shared[2] * module.spatial.attention(params[3])[:, None, None]).sum(0)
    x, y = torch.arange(9).expand(7, 9), torch.arange(7)[:, None].expand(7, 9)
    for channel, expected in enumerate((similarity * 32, 4 - x, 4 - y)):   # the fourth person's root is (4, 4)
        for parameter in module.spatial.conv.parameters():
            torch.nn.init.zeros_(parameter)
        module.spatial.conv.weight.data[0, channel, 2, 2] = 32   # the center of the 5 x 5 kernel undoes the scale
        mask = module.mask(dict(mask=module.spatial.share(shared)[2]), people)
        assert mask.shape == (7, 9, 3)
        np.testing.assert_allclose(mask[..., 1].detach(), expected.float().sigmoid().detach(), rtol=1e-4, atol=1e-6)


def test_there_is_no_mask_where_only_channels_are_recalibrated():
    module, features = scene('channel')
    shared, people = module.share([features]), module.address(sample_at([features], ROOTS), ROOTS)
    assert shared.keys() == {'features'} and people.keys() == {'channel'}
    assert module.mask(dict(features=shared['features'][0]), people) is None


def test_any_rows_of_a_image_are_read_as_in_the_whole_and_lie_cell_by_cell():
    module, features = scene()
    shared, people = module.share([features]), module.address(sample_at([features], ROOTS), ROOTS)
    third = {name: maps[2] for name, maps in shared.items()}, {name: each[2:] for name, each in people.items()}
    whole = module.read(*third)
    assert whole.shape == (3, 4, 7, 9) and whole.permute(2, 3, 0, 1).is_contiguous()
    for rows in (slice(0, 1), slice(2, 5), slice(6, 7)):
        part = module.read({name: maps[rows] for name, maps in third[0].items()}, third[1])
        np.testing.assert_allclose(part.detach(), whole[:, :, rows].detach(), rtol=1e-5, atol=1e-5)


def test_the_mean_of_two_halves_has_the_second_ones_keypoints_in_another_order():
    module, features = scene()
    shared, people = module.share([features]), module.address(sample_at([features], ROOTS), ROOTS)
    first = {name: maps[0] for name, maps in shared.items()}, {name: each[:2] for name, each in people.items()}
    second = {name: maps[2] for name, maps in shared.items()}, {name: each[2:4] for name, each in people.items()}
    swap = [0, 3, 2, 1]
    mean = module.read_scores([(*first, None), (*second, swap)])
    expected = (to_scores(module.read(*first)) + to_scores(module.read(*second))[:, swap]) / 2
    np.testing.assert_allclose(mean, expected.detach(), rtol=1e-5, atol=1e-6)


def test_a_person_does_not_depend_on_who_else_is_there():
    module, features = scene()
    params = sample_at([features], ROOTS)
    together = module([features], params, ROOTS)
    for person in range(5):
        alone = Roots(ROOTS.cell[person:person + 1], ROOTS.image[person:person + 1])
        np.testing.assert_allclose(
            module([features], params[person:person + 1], alone).detach(), together[person:person + 1].detach(),
            rtol=1e-4, atol=1e-5)


def test_nobody_gives_no_maps_and_no_gradient():
    for kind in ('fused', 'spatial', 'channel'):
        module, features = scene(kind)
        nobody = Roots(torch.zeros(0, 2, dtype=int), torch.zeros(0, dtype=int))
        maps = module([features], sample_at([features], nobody), nobody)
        maps.sum().backward()
        assert maps.shape == (0, 4, 7, 9)
        assert all(p.grad is None or not p.grad.any() for p in module.parameters())


def test_a_vector_is_read_at_x_and_y_of_its_root_in_its_image():
    features = torch.arange(2 * 3 * 4 * 5).view(2, 3, 4, 5)
    roots = Roots(torch.tensor([[4, 1], [0, 3]]), torch.tensor([0, 1]))
    assert sample_at([features], roots).tolist() == [[9, 29, 49], [75, 95, 115]]


def test_iia_gives_one_map_a_keypoint_and_the_center_last():
    iia, features = IIA(6, 4), oracle.normal(2, 6, 7, 9)
    torch.nn.init.normal_(iia.conv.weight)
    crowd = iia([features])
    expected = torch.einsum('kc,bchw->bkhw', iia.conv.weight[:, :, 0, 0], features) + iia.conv.bias[:, None, None]
    np.testing.assert_allclose(crowd.detach(), expected.detach(), rtol=1e-4, atol=1e-5)
    assert crowd.shape == (2, 5, 7, 9)


def test_an_untrained_network_gives_every_cell_a_probability_of_one_percent():
    module, features = GFD(6, 5, 4), oracle.normal(3, 6, 7, 9)
    crowd, person = IIA(6, 4)([features]), module([features], sample_at([features], ROOTS), ROOTS)
    for logits in (crowd, person):
        np.testing.assert_allclose(logits.sigmoid().detach(), 0.01, rtol=0.05)
    linear = [m for m in module.modules() if hasattr(m, 'bias') and m is not module.heatmap]
    assert all(m.bias.abs().max() == 0 and m.weight.abs().max() < 0.006 for m in linear)


def test_gfd_s_inner_weights_start_as_asked_and_its_last_layer_as_the_authors_have_it():
    torch.manual_seed(0)
    by_inputs, authors = GFD(480, 64, 17, init_std=None), GFD(480, 64, 17)
    assert by_inputs.conv_down.weight.std().item() == pytest.approx(480 ** -0.5, rel=0.05)
    assert by_inputs.fuse.weight.std().item() == pytest.approx(128 ** -0.5, rel=0.05)
    assert authors.conv_down.weight.std().item() == pytest.approx(0.001, rel=0.05)
    for gfd in (by_inputs, authors):
        assert gfd.heatmap.weight.std().item() == pytest.approx(0.001, rel=0.1)
        assert gfd.fuse.bias.eq(0).all()
