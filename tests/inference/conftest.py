"""A work folder as a training leaves it, with a tiny network of random weights that finds people everywhere."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from tests.helpers.images import tiny_config
from tests.helpers.public_weights import ours

SIDE = 96


@pytest.fixture(scope='session')
def work_folder(tmp_path_factory) -> Path:
    """With a config, a best checkpoint that carries it, and no other one."""
    folder = tmp_path_factory.mktemp('work')
    config = tiny_config(SIDE)
    config.dump(folder / 'tiny.py')
    network = ours()
    torch.manual_seed(0)
    for name, value in network.named_parameters():
        if name.startswith('head.'):
            torch.nn.init.normal_(value, std=0.15)
    checkpoint = dict(meta=dict(cfg=config.pretty_text), state_dict=network.state_dict())
    torch.save(checkpoint, folder / 'best_coco_AP_epoch_1.pth')
    return folder


@pytest.fixture
def images(tmp_path) -> Path:
    """A folder of five images of three sizes: smooth noise, no two alike."""
    folder = tmp_path / 'images'
    folder.mkdir()
    for number, size in enumerate([(160, 120), (120, 160), (160, 120), (200, 100), (120, 160)]):
        rough = np.random.default_rng(number).integers(0, 256, (12, 16, 3), np.uint8)
        cv2.imwrite(str(folder / f'{number}.png'), cv2.resize(rough, size, interpolation=cv2.INTER_CUBIC))
    return folder
