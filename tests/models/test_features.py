"""F as branches: convolving and sampling before the branches are upsampled equals doing so after."""

import numpy as np
import pytest
import torch
from mmpose.models.necks import FeatureMapProcessor

from cid_mmpose.models import Roots, sample_at, stack_branches
from cid_mmpose.models.fast.branches import convolve_branches, neighbours, sample_branches
from tests.helpers import oracle

STACK = FeatureMapProcessor(concat=True)  # MMPose's neck: upsamples and stacks


def branches(dtype=torch.float64):
    """Four branches as HRNet's, the sizes halved and rounded up: 24 channels of (13, 18) cells together."""
    sizes = ((3, 13, 18), (5, 7, 9), (7, 4, 5), (9, 2, 3))
    return [oracle.normal(2, *size, seed=i).to(dtype).requires_grad_() for i, size in enumerate(sizes)]


def everywhere():
    """A root at each cell of both images."""
    cells = torch.cartesian_prod(torch.arange(2), torch.arange(13), torch.arange(18))
    return Roots(cells[:, [2, 1]], cells[:, 0])


def convolution(dtype=torch.float64) -> torch.nn.Conv2d:
    """A 1x1 convolution of 24 channels into 6."""
    conv = torch.nn.Conv2d(24, 6, 1)
    torch.nn.init.normal_(conv.bias)
    return conv.to(dtype)


def test_the_stack_is_that_of_mmpose_s_neck():
    (expected,) = STACK(branches())
    assert torch.equal(stack_branches(branches()), expected)
    assert torch.equal(stack_branches([expected]), expected)  # one map of a neck is taken as well


def test_a_convolution_of_the_branches_equals_that_of_their_stack_with_all_gradients():
    conv = convolution()
    pull = oracle.normal(2, 6, 13, 18).double()
    mine = branches()
    leaves = [*mine, conv.weight, conv.bias]
    result = convolve_branches(mine, conv)
    expected = conv(stack_branches(mine))
    np.testing.assert_allclose(result.detach(), expected.detach(), atol=1e-12)
    ours = torch.autograd.grad((result * pull).sum(), leaves)
    theirs = torch.autograd.grad((expected * pull).sum(), leaves)
    for one, other in zip(ours, theirs):
        np.testing.assert_allclose(one, other, atol=1e-10)


def test_some_outputs_of_a_convolution_are_those_of_the_whole():
    conv, mine = convolution(), branches()
    whole = convolve_branches(mine, conv)
    last = convolve_branches(mine, conv, slice(-1, None))
    np.testing.assert_allclose(last.detach(), whole[:, -1:].detach(), atol=1e-12)


def test_vectors_of_the_branches_equal_those_of_their_stack_at_every_cell_with_all_gradients():
    roots, mine = everywhere(), branches()
    vectors = sample_branches(mine, roots)
    expected = sample_at(stack_branches(mine), roots)
    np.testing.assert_allclose(vectors.detach(), expected.detach(), atol=1e-12)
    pull = oracle.normal(*vectors.shape).double()
    for one, other in zip(
        torch.autograd.grad((vectors * pull).sum(), mine), torch.autograd.grad((expected * pull).sum(), mine)
    ):
        np.testing.assert_allclose(one, other, atol=1e-12)


def test_a_vector_is_read_at_x_and_y_of_its_root_in_its_image():
    features = torch.arange(2 * 3 * 4 * 5).view(2, 3, 4, 5)
    roots = Roots(torch.tensor([[4, 1], [0, 3]]), torch.tensor([0, 1]))
    assert sample_at(features, roots).tolist() == [[9, 29, 49], [75, 95, 115]]


def test_where_upsampled_cells_come_from_worked_out_by_hand():
    # 2 cells become 4: the middles 0.5, 1.5, 2.5, 3.5 of the new cells are 0.25, 0.75, 1.25, 1.75 of the old ones,
    # whose own middles are 0.5 and 1.5; beyond the outer middles the outer cells count alone
    found = neighbours(torch.arange(4), 2, 4)
    assert found.first.tolist() == [0, 0, 0, 1] and found.second.tolist() == [1, 1, 1, 1]
    assert found.share[:, 0].tolist() == [1, 0.75, 0.25, 0.75]  # at the far end both are cell 1


def test_one_stacked_map_of_a_neck_is_taken_as_well():
    mine, conv = branches(torch.float32), convolution(torch.float32)
    np.testing.assert_allclose(
        convolve_branches(STACK(mine), conv).detach(), convolve_branches(mine, conv).detach(), atol=2e-5
    )
    np.testing.assert_allclose(
        sample_branches(STACK(mine), everywhere()).detach(), sample_branches(mine, everywhere()).detach(), atol=1e-5
    )


def test_branches_of_another_width_are_refused_with_the_way_out():
    with pytest.raises(ValueError, match=r'\[3, 5, 7\] channels, .*in_channels=24; set in_channels'):
        convolve_branches(branches()[:3], convolution())


def test_nobody_has_no_vectors():
    nobody = Roots(torch.zeros(0, 2, dtype=int), torch.zeros(0, dtype=int))
    assert sample_branches(branches(), nobody).shape == (0, 24)
