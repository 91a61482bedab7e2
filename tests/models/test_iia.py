"""IIA: its maps, and what an untrained network says of every cell."""

import numpy as np
import torch

from cid_mmpose.models import IIA
from tests.helpers import oracle


def test_iia_gives_one_map_a_keypoint_and_the_center_last():
    iia, features = IIA(6, 4), oracle.normal(2, 6, 7, 9)
    torch.nn.init.normal_(iia.conv.weight)
    crowd = iia(features)
    expected = torch.einsum('kc,bchw->bkhw', iia.conv.weight[:, :, 0, 0], features) + iia.conv.bias[:, None, None]
    np.testing.assert_allclose(crowd.detach(), expected.detach(), rtol=1e-4, atol=1e-5)
    assert crowd.shape == (2, 5, 7, 9)


def test_an_untrained_network_gives_every_cell_a_probability_of_one_percent():
    logits = IIA(6, 4)(oracle.normal(3, 6, 7, 9))
    np.testing.assert_allclose(logits.sigmoid().detach(), 0.01, rtol=0.05)
