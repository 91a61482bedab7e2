"""A work folder as a training leaves it, with a tiny network of random weights that finds people everywhere."""

from pathlib import Path

import torch

from .images import tiny_config
from .public_weights import ours

SIDE = 96


def write_work_folder(folder: Path, spread: float = 0.15) -> Path:
    """Writes a config and a best checkpoint that carries it.

    Args:
        folder: that is there.
        spread: standard deviation of the head's weights; the larger, the more the scores of people differ.
    """
    config = tiny_config(SIDE)
    config.dump(folder / 'tiny.py')
    network = ours()
    torch.manual_seed(0)
    for name, value in network.named_parameters():
        if name.startswith('head.'):
            torch.nn.init.normal_(value, std=spread)
    checkpoint = dict(meta=dict(cfg=config.pretty_text), state_dict=network.state_dict())
    torch.save(checkpoint, folder / 'best_coco_AP_epoch_1.pth')
    return folder
