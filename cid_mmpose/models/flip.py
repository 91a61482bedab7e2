"""Flip test: what the mirrored picture says is mirrored back and averaged (section 4.2, "testing")."""
from typing import Sequence

import torch
from torch import Tensor


def stack_mirrored(features: Tensor, mirrored: Tensor) -> Tensor:
    """Features of B pictures and of their mirror images, both (B, C, H, W) -> (2 B, C, H, W), mirrored back."""
    return torch.cat([features, mirrored.flip(-1)])


def average_halves(maps: Tensor) -> Tensor:
    """(2 B, ...), pictures first and mirror images second -> (B, ...)."""
    plain, mirrored = maps.chunk(2)
    return (plain + mirrored) / 2


def average_people(maps: Tensor, flip_indices: Sequence[int]) -> Tensor:
    """As ``average_halves`` for maps of joints (2 N, K, H, W): a mirror image's left joint is the right one."""
    plain, mirrored = maps.chunk(2)
    return (plain + mirrored[:, list(flip_indices)]) / 2
