"""CIDHead in training: nothing depends on how people are cut into chunks, or on whether F is stacked."""

import numpy as np
import pytest
import torch

from tests.helpers import oracle
from tests.helpers.training_batch import KEYS, batch


def gradients(head, feats, samples):
    """Losses, and the gradients of their sum for every parameter and branch, by name."""
    head.zero_grad()
    feats = [branch.detach().requires_grad_() for branch in feats]
    losses = head.loss(feats, samples)
    sum(losses.values()).backward()
    found = {name: parameter.grad.clone() for name, parameter in head.named_parameters()}
    return losses, dict(found, **{f'branch {i}': branch.grad for i, branch in enumerate(feats)})


def assert_same_training(one, other):
    for key in KEYS:
        assert one[0][key].item() == pytest.approx(other[0][key].item(), rel=1e-5), key
    assert one[1].keys() == other[1].keys()
    for name, expected in other[1].items():
        np.testing.assert_allclose(one[1][name], expected, rtol=1e-4, atol=1e-5 * expected.abs().max(), err_msg=name)


@pytest.mark.parametrize('recalibration', ['fused', 'spatial', 'channel'])
def test_losses_and_all_gradients_do_not_depend_on_the_people_and_rows_taken_at_once(recalibration, monkeypatch):
    head, (feats, samples) = oracle.head(recalibration=recalibration), batch(4, 0, 3)
    together = gradients(head, feats, samples)
    for cells in (1, 50, 24 * 16 * 2):  # one row of one person, two rows, two people
        monkeypatch.setattr('cid_mmpose.models.fast.person_loss.cells_in_budget', lambda *args: cells)
        assert_same_training(gradients(head, feats, samples), together)


def test_losses_and_gradients_from_branches_equal_those_from_their_stack():
    from mmpose.models.necks import FeatureMapProcessor

    head, (_, samples) = oracle.head(), batch(3, 2)
    feats = [oracle.normal(2, 2, 16, 24) / 2 + 1, oracle.normal(2, 4, 8, 12, seed=1) / 2 + 1]
    apart, stacked = gradients(head, feats, samples), gradients(head, FeatureMapProcessor(concat=True)(feats), samples)
    whole = stacked[1].pop('branch 0')
    for i in range(2):
        apart[1].pop(f'branch {i}')
    assert_same_training(apart, stacked)
    assert whole.abs().sum() > 0


def test_the_cells_at_once_of_the_paper_s_maps_worked_out_by_hand():
    from cid_mmpose.models import GFD
    from cid_mmpose.models.fast.chunks import cells_in_budget, people_and_rows
    from cid_mmpose.models.fast.gfd import FactoredGFD

    gfd = FactoredGFD(GFD(480, 32, 17))
    # training: 32 + 9 * 17 numbers of 4 bytes, 11.6 MiB for the 128 x 128 cells of a person
    assert gfd.floats_to_train() == 185
    crowd, size = torch.zeros(500, dtype=int), (128, 128)
    on_cpu = people_and_rows(crowd, 1, size, cells_in_budget(185, None, torch.device('cpu')))  # of 32 MiB
    on_gpu = people_and_rows(crowd, 1, size, cells_in_budget(185, None, torch.device('cuda')))  # of 1024 MiB
    assert [chunk[1:] for chunk in on_cpu[:2]] == [(slice(0, 8), slice(0, 43)), (slice(8, 16), slice(0, 43))]
    assert [chunk[1:] for chunk in on_gpu[:2]] == [(slice(0, 88), slice(0, 128)), (slice(88, 176), slice(0, 128))]


@pytest.mark.parametrize('budget', [0, 1.5, '32', True])
def test_a_budget_that_is_no_number_of_mebibytes_is_refused(budget):
    with pytest.raises(ValueError, match='memory_budget must be a whole number of at least 1 MiB, got'):
        oracle.head(memory_budget=budget)
