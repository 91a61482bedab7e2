"""Residual backbones on a CPU in float32: their parts replaced by those that do several things in one pass.

What it saves and why it is equal is said in ``fused_parts.py``, ``exchange.py`` and ``apart.py``.
"""

import platform
from typing import Any

import torch
from mmpose.models.backbones import HRNet, ResNet
from torch import nn

from .exchange import Exchange, is_plain_exchange
from .fused_parts import OPERATIONS, Block, Convolution, is_plain, is_plain_block, is_plain_convolution, take_relus

PROCESSORS = ('x86_64', 'AMD64')


def can_fuse(backbone: nn.Module, inputs: torch.Tensor, dtype: torch.dtype) -> bool:
    """Whether a backbone can be called so: as far as is known it is equal, and no gradient is asked for.

    Args:
        backbone: what would be fused.
        inputs: images.
        dtype: to compute in.
    """
    wants_gradient = torch.is_grad_enabled() and inputs.requires_grad
    is_known = type(backbone) in (HRNet, ResNet) and dtype is torch.float32
    if wants_gradient or not is_known or inputs.device.type != 'cpu' or platform.machine() not in PROCESSORS:
        return False
    return torch.backends.mkldnn.is_available() and all(hasattr(torch.ops.mkldnn, name) for name in OPERATIONS)


def fused(backbone: Any) -> Any:
    """The backbone with its parts replaced, in place; what they cannot do stays as it is.

    Args:
        backbone: an HRNet or ResNet in evaluation, in float32, batch normalisation folded.
    """
    fuse_parts(backbone)
    take_relu_of_stem(backbone)
    return backbone


def fuse_parts(network: Any) -> Any:
    """Replaces the blocks, convolutions and exchanges of a network, in place.

    Args:
        network: a backbone, or a part of one.
    """
    is_sequence = type(network).forward is nn.Sequential.forward
    before = None  # the part that was the child before
    for name, part in list(network.named_children()):
        # in a sequence nobody but the next part uses what a block has made
        owns_input = is_sequence and type(before) is Block
        before = fused_part(part, owns_input)
        setattr(network, name, before)
    if is_sequence:
        take_relus(network)
    return network


def fused_part(part: Any, owns_input: bool) -> Any:
    """What a part is replaced by, or itself.

    Args:
        part: of a network.
        owns_input: see ``Block``.
    """
    if is_plain_block(part):
        downsample = None if part.downsample is None else fuse_parts(part.downsample)
        return Block(part, downsample, owns_input)
    if is_plain_convolution(part):
        return Convolution(part)
    fuse_parts(part)
    return Exchange(part) if is_plain_exchange(part) else part


def take_relu_of_stem(backbone: Any) -> None:
    """The ReLU that comes after each convolution before the blocks becomes their own, in place."""
    numbers = (1, 2) if type(backbone) is HRNet else (1,)
    if not is_plain(getattr(backbone, 'relu', None), nn.ReLU):  # a deep stem, a sequence, has its own
        return
    convolutions = [getattr(backbone, f'conv{number}') for number in numbers]
    norms = [getattr(backbone, f'norm{number}') for number in numbers]
    if all(type(each) is Convolution for each in convolutions) and all(is_plain(each, nn.Identity) for each in norms):
        for convolution in convolutions:
            convolution.then = 'relu'
        backbone.relu = nn.Identity()
