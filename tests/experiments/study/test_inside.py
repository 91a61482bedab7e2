"""Masks and vectors of a network: figures that a hand calculation gives."""

from types import SimpleNamespace

import pytest
import torch
from study.inside import cosines_of, inside
from torch import nn

from cid_mmpose.models.head import CIDHead, CIDOutput
from cid_mmpose.models.roots import Roots


class Seen(CIDHead):
    """A head that sees the same people in each batch."""

    def __init__(self, masks, vectors, image) -> None:
        nn.Module.__init__(self)
        roots = Roots(torch.zeros(len(image), 2), torch.tensor(image))
        self.seen = CIDOutput(None, roots, torch.tensor(vectors), None, masks, None, None, None)

    def forward(self, feats):
        return self.seen


def network(head) -> SimpleNamespace:
    """As much of an estimator as is asked for."""
    return SimpleNamespace(head=head, train=lambda mode: None, extract_feat=lambda inputs: inputs,
                           data_preprocessor=lambda batch, training: batch)  # fmt: skip


def test_undecided_cells_and_cosines_are_counted():
    masks = torch.tensor([[[0.0, 0.005, 0.5, 0.9]], [[1.0, 0.995, 0.02, 1.0]], [[1.0, 1.0, 1.0, 1.0]]])
    vectors = [[1.0, 0.0], [1.0, 1.0], [0.0, 2.0]]  # the third is alone in its image
    figures = inside(network(Seen(masks, vectors, [0, 0, 1])), [dict(inputs=torch.zeros(2, 1))])
    assert figures == dict(undecided=pytest.approx(25.0), alike=pytest.approx(70.71))


def test_without_masks_or_with_another_head_there_is_nothing_to_say():
    assert inside(network(Seen(None, [[1.0, 0.0]], [0])), [dict(inputs=torch.zeros(1, 1))]) == {}
    assert inside(network(nn.Identity()), []) == {}


def test_each_two_people_count_once():
    assert cosines_of(torch.eye(4)).tolist() == 6 * [0.0]
    assert cosines_of(torch.zeros(0, 4)).shape == (0,)
