"""The factored GFD: the same numbers as the paper's, from the same weights."""

import copy

import numpy as np
import pytest
import torch

from cid_mmpose.models import GFD, Roots, sample_at
from cid_mmpose.models.fast.chunks import Chunk, image_part, people_chunks, people_part
from cid_mmpose.models.fast.gfd import FactoredGFD, basis_of_masks, coefficients_of_masks, masks_of, offset_maps
from cid_mmpose.models.gfd import relative_coordinates, to_scores
from tests.helpers import oracle

# two people in the first image, nobody in the second, three in the third
ROOTS = Roots(torch.tensor([[0, 0], [8, 6], [4, 3], [4, 4], [8, 0]]), torch.tensor([0, 0, 2, 2, 2]))
THIRD = Chunk(2, slice(2, 5))


def scene(recalibration='fused', channels=5, seed=0):
    """A GFD with lively weights, and features (3, 6, 7, 9)."""
    module = GFD(6, channels, 4, recalibration)
    torch.manual_seed(seed)
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return module, torch.randn(3, 6, 7, 9)


def terms(module, features):
    """The factored GFD, with the terms of the images and of the people."""
    gfd = FactoredGFD(module)
    return gfd, gfd.image_terms([features]), gfd.person_terms(sample_at(features, ROOTS), ROOTS)


def factored(module, features):
    """Everyone's heatmaps, image by image."""
    gfd, image, people = terms(module, features)
    chunks = people_chunks(ROOTS.image, 3, 9)
    return torch.cat([gfd.logits(image_part(image, chunk), people_part(people, chunk)) for chunk in chunks])


def printed(module, features):
    """Everyone's heatmaps by the paper's own equations."""
    return module(features, sample_at(features, ROOTS), ROOTS).heatmaps


@pytest.mark.parametrize('channels', [1, 5, 32])
@pytest.mark.parametrize('recalibration', ['fused', 'spatial', 'channel'])
def test_heatmaps_and_all_gradients_equal_the_paper_s(recalibration, channels):
    module, features = scene(recalibration, channels)
    exact = copy.deepcopy(module).double()
    pull = oracle.normal(5, 4, 7, 9)
    features.requires_grad_()
    exact_features = features.detach().double().requires_grad_()
    maps, expected = factored(module, features), printed(exact, exact_features)
    np.testing.assert_allclose(maps.detach(), expected.detach(), rtol=1e-5, atol=1e-5 * expected.abs().max().item())
    ours = torch.autograd.grad((maps * pull).sum(), [features, *module.parameters()])
    theirs = torch.autograd.grad((expected * pull.double()).sum(), [exact_features, *exact.parameters()])
    for one, other in zip(ours, theirs):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4 * other.abs().max())


@pytest.mark.parametrize('channels', [1, 5, 32])
@pytest.mark.parametrize('recalibration', ['fused', 'spatial', 'channel'])
def test_heatmaps_without_gradients_equal_the_paper_s(recalibration, channels):
    module, features = scene(recalibration, channels)
    with torch.no_grad():  # other products are taken than with gradients, see products.py
        maps = factored(module, features)
        expected = printed(copy.deepcopy(module).double(), features.double())
    np.testing.assert_allclose(maps, expected, rtol=1e-5, atol=1e-5 * expected.abs().max())


def test_masks_equal_the_paper_s():
    module, features = scene()
    module, features = module.double(), features.double()
    vectors = sample_at(features, ROOTS)
    basis = basis_of_masks(module.spatial, module.conv_down(features), offset_maps(module.spatial, features.shape[-2:]))
    masks = masks_of(basis[2], coefficients_of_masks(module.spatial, vectors[2:], ROOTS.cell[2:]))
    expected = module(features, vectors, ROOTS).masks[2:]
    np.testing.assert_allclose(masks.permute(2, 0, 1).detach(), expected.detach(), atol=1e-12)


def test_the_offset_maps_of_a_root_add_up_to_the_convolution_of_its_relative_coordinates():
    module, _ = scene()
    spatial = module.double().spatial
    spatial.cell_center.fill_(0.5)
    a_x, a_y, a_0 = offset_maps(spatial, (7, 9))
    for x, y in ((0.0, 0.0), (8.0, 6.0), (3.0, 5.0)):
        offsets = relative_coordinates(torch.tensor([[x, y]]).double(), (7, 9), 0.5)
        expected = torch.nn.functional.conv2d(offsets, spatial.conv.weight[:, 1:], spatial.conv.bias, padding=2)[0, 0]
        np.testing.assert_allclose((x * a_x + y * a_y + a_0).detach(), expected.detach(), atol=1e-12)


def test_only_the_terms_of_the_chosen_recalibration_are_there():
    _, image, people = terms(*scene('channel'))
    assert image.unmasked is None and image.mask_basis is None and people.mask_coefficients is None
    _, image, people = terms(*scene('spatial'))
    assert image.unmasked is not None and people.channel_kernel is None


def test_any_rows_of_an_image_are_as_in_the_whole_and_lie_cell_by_cell():
    gfd, image, people = terms(*scene())
    whole = gfd.logits(image_part(image, THIRD), people_part(people, THIRD))
    assert whole.shape == (3, 4, 7, 9) and whole.permute(2, 3, 0, 1).is_contiguous()
    for rows in (slice(0, 1), slice(2, 5), slice(6, 7)):
        some = THIRD._replace(rows=rows)
        part = gfd.logits(image_part(image, some), people_part(people, some))
        np.testing.assert_allclose(part.detach(), whole[:, :, rows].detach(), rtol=1e-5, atol=1e-5)


def test_scores_take_another_order_of_keypoints_as_a_mirror_image_needs_it():
    gfd, image, people = terms(*scene())
    third = image_part(image, THIRD), people_part(people, THIRD)
    swap = [0, 3, 2, 1]
    expected = to_scores(gfd.logits(*third))[:, swap]
    np.testing.assert_allclose(gfd.scores(*third, swap), expected.detach(), rtol=1e-5, atol=1e-6)


def test_nobody_has_no_heatmaps():
    for kind in ('fused', 'spatial', 'channel'):
        gfd, image, people = terms(*scene(kind))
        nobody = Chunk(0, slice(0, 0))
        assert gfd.logits(image_part(image, nobody), people_part(people, nobody)).shape == (0, 4, 7, 9)
