"""F as branches: convolving and sampling before the branches are upsampled equals doing so after."""
import numpy as np
import oracle
import pytest
import torch
from mmpose.models.necks import FeatureMapProcessor

from cid_mmpose.models import Roots, sample_at
from cid_mmpose.models.fast.branches import neighbours, project

STACK = FeatureMapProcessor(concat=True)   # MMPose's neck: upsamples and stacks


def branches(dtype=torch.float64):
    """Four branches as HRNet's, the sizes halved and rounded up: 24 channels of (13, 18) cells together."""
    sizes = ((3, 13, 18), (5, 7, 9), (7, 4, 5), (9, 2, 3))
    return [oracle.normal(2, *size, seed=i).to(dtype).requires_grad_() for i, size in enumerate(sizes)]


def everywhere():
    """A root at each cell of both images."""
    cells = torch.cartesian_prod(torch.arange(2), torch.arange(13), torch.arange(18))
    return Roots(cells[:, [2, 1]], cells[:, 0])


def test_a_convolution_of_the_branches_equals_that_of_their_stack_with_all_gradients():
    weight, bias = oracle.normal(6, 24, 1, 1).double().requires_grad_(), oracle.normal(6).double().requires_grad_()
    pull = oracle.normal(2, 6, 13, 18).double()
    mine = branches()
    result = project(mine, weight, bias)
    ours = torch.autograd.grad((result * pull).sum(), [*mine, weight, bias])
    stack, = STACK(mine)
    expected = torch.nn.functional.conv2d(stack, weight, bias)
    theirs = torch.autograd.grad((expected * pull).sum(), [*mine, weight, bias])
    np.testing.assert_allclose(result.detach(), expected.detach(), atol=1e-12)
    for one, other in zip(ours, theirs):
        np.testing.assert_allclose(one, other, atol=1e-10)


def test_vectors_of_the_branches_equal_those_of_their_stack_at_every_cell_with_all_gradients():
    roots, mine = everywhere(), branches()
    vectors = sample_at(mine, roots)
    stack, = STACK(mine)
    expected = stack[roots.image, :, roots.cell[:, 1], roots.cell[:, 0]]
    np.testing.assert_allclose(vectors.detach(), expected.detach(), atol=1e-12)
    pull = oracle.normal(*vectors.shape).double()
    for one, other in zip(torch.autograd.grad((vectors * pull).sum(), mine),
                          torch.autograd.grad((expected * pull).sum(), mine)):
        np.testing.assert_allclose(one, other, atol=1e-12)


def test_where_upsampled_cells_come_from_worked_out_by_hand():
    # 2 cells become 4: the middles 0.5, 1.5, 2.5, 3.5 of the new cells are 0.25, 0.75, 1.25, 1.75 of the old ones,
    # whose own middles are 0.5 and 1.5; beyond the outer middles the outer cells count alone
    first, second, share = neighbours(torch.arange(4), 2, 4)
    assert first.tolist() == [0, 0, 0, 1] and second.tolist() == [1, 1, 1, 1]
    assert share[:, 0].tolist() == [1, 0.75, 0.25, 0.75]   # at the far end both are cell 1


def test_one_stacked_map_of_a_neck_is_taken_as_well():
    mine, weight, bias = branches(torch.float32), oracle.normal(6, 24, 1, 1), oracle.normal(6)
    np.testing.assert_allclose(project(STACK(mine), weight, bias).detach(), project(mine, weight, bias).detach(),
                               atol=2e-5)
    np.testing.assert_allclose(sample_at(STACK(mine), everywhere()).detach(), sample_at(mine, everywhere()).detach(),
                               atol=1e-5)


def test_branches_of_another_width_are_refused_with_the_way_out():
    with pytest.raises(ValueError, match=r'\[3, 5, 7\] channels, .*in_channels=24; set in_channels'):
        project(branches()[:3], torch.zeros(6, 24, 1, 1), torch.zeros(6))


def test_nobody_has_no_vectors():
    nobody = Roots(torch.zeros(0, 2, dtype=int), torch.zeros(0, dtype=int))
    assert sample_at(branches(), nobody).shape == (0, 24)
