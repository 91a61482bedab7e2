"""A whole network with random weights, and three images of noise in which it sees people."""

import numpy as np
import torch
from mmpose.structures import PoseDataSample

from .public_weights import ours

# the keypoint at the same place of a mirrored person, for COCO's 17
FLIP = [0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15]
IMAGES = torch.randn(3, 3, 64, 96, generator=torch.Generator().manual_seed(1))  # (B, 3, H, W)


def samples(count: int) -> list[PoseDataSample]:
    """Empty samples of images of the size of ``IMAGES``."""
    side = np.array([96, 64])
    return [
        PoseDataSample(metainfo=dict(input_size=(96, 64), input_center=side / 2, input_scale=side, flip_indices=FLIP))
        for _ in range(count)
    ]


def model(**test_cfg):
    """CID in testing, with random weights that see people in noise; its options of testing."""
    network = ours()
    torch.manual_seed(0)  # afterwards: the first call builds, which draws numbers too
    for name, value in network.named_parameters():
        if name.startswith('head.'):
            torch.nn.init.normal_(value, std=0.15)
    network.train(False)
    network.test_cfg.update(test_cfg)
    return network
