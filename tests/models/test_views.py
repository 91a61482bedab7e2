"""Views of images: where each stands in the stack, worked out by hand."""

import torch

from cid_mmpose.models.fast.chunks import split_terms
from cid_mmpose.models.fast.gfd import PersonTerms
from cid_mmpose.models.fast.person_peaks import in_each_view
from cid_mmpose.models.roots import Roots
from cid_mmpose.models.views import views_of

SWAP = [0, 2, 1]


def test_mirror_images_follow_the_images_and_are_mirrored_back():
    fine = torch.tensor([[[[1.0, 2, 3]]], [[[4.0, 5, 6]]]])  # (2, 1, 1, 3), two images
    coarse = torch.tensor([[[[7.0]]], [[[8.0]]]])
    fine_of_mirror = torch.tensor([[[[3.0, 2, 0]]], [[[6.0, 5, 0]]]])
    views = views_of(([fine, coarse], [fine_of_mirror, coarse + 2]), SWAP)
    assert views.branches[0].flatten(1).tolist() == [[1, 2, 3], [4, 5, 6], [0, 2, 3], [0, 5, 6]]
    assert views.branches[1].flatten().tolist() == [7, 8, 9, 10]
    assert views.map_orders == [None, SWAP]
    assert (views.num_views, views.num_images) == (2, 2)


def test_without_a_flip_test_nothing_is_copied():
    branches = [torch.zeros(2, 1, 1, 3)]
    views = views_of(branches, None)
    assert views.branches is branches
    assert (views.map_orders, views.num_views, views.num_images) == ([None], 1, 2)


def test_everyone_stands_in_the_same_cell_of_every_view():
    roots = Roots(cell=torch.tensor([[5, 6], [7, 8], [9, 1]]), image=torch.tensor([0, 0, 2]))
    cell, image, _ = in_each_view(roots, num_images=3, num_views=2)
    assert cell.tolist() == [[5, 6], [7, 8], [9, 1], [5, 6], [7, 8], [9, 1]]
    assert image.tolist() == [0, 0, 2, 3, 3, 5]


def test_what_is_stacked_is_split_again_even_if_there_is_nobody():
    of_images, of_mirror_images = split_terms(PersonTerms(None, torch.arange(6.0).view(6, 1)), 2)
    assert of_images.mask_coefficients.flatten().tolist() == [0, 1, 2]
    assert of_mirror_images.mask_coefficients.flatten().tolist() == [3, 4, 5]
    assert of_images.channel_kernel is None
    nobody = split_terms(PersonTerms(torch.zeros(0, 4, 4), torch.zeros(0, 7)), 2)
    assert [each.channel_kernel.shape for each in nobody] == [(0, 4, 4)] * 2
