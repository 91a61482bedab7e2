"""What the tests of fused backbones share."""

import pytest
import torch
from mmpose.models.backbones import ResNet
from torch import nn

from cid_mmpose.models.fast.fused import can_fuse

IMAGES = torch.zeros(1, 3, 64, 64)
can_be_fused = pytest.mark.skipif(
    not can_fuse(ResNet(18), IMAGES, torch.float32), reason='this torch or this processor has no such operations'
)


def lively(network: nn.Module) -> nn.Module:
    """With batch normalisation that does something."""
    generator = torch.Generator().manual_seed(0)
    for part in network.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.running_mean.normal_(0, 0.2, generator=generator)
            part.running_var.uniform_(0.5, 2, generator=generator)
            nn.init.uniform_(part.weight, 0.5, 1.5)
            nn.init.normal_(part.bias, 0, 0.2)
    network.train(False)
    return network
