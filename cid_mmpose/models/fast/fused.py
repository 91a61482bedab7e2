"""Residual backbones on a CPU in float32: ReLU and the addition of a block happen inside its convolutions.

What it saves: the passes over the maps for both, and bringing the weights into oneDNN's order at every call. Why it is
equal: oneDNN's convolutions do the same to each sum before they write it. These are the operations of torch's own
compiler, called without compiling.
"""

import platform
from typing import Any, TypeGuard

import torch
from mmpose.models.backbones import HRNet, ResNet
from mmpose.models.backbones.resnet import BasicBlock, Bottleneck
from torch import Tensor, nn

from .folding import has_hooks

PROCESSORS = ('x86_64', 'AMD64')
OPERATIONS = ('_convolution_pointwise', '_reorder_convolution_weight')
SPARE: tuple[list, str] = ([], '')  # what ReLU would need of numbers, and the way to compute it


def can_fuse(backbone: nn.Module, inputs: Tensor, dtype: torch.dtype) -> bool:
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


class Convolution(nn.Module):
    """A convolution whose weights are in oneDNN's order.

    Args:
        plain: what it does, with zeros around the maps.
    """

    def __init__(self, plain: nn.Conv2d) -> None:
        super().__init__()
        shape = (plain.padding, plain.stride, plain.dilation, plain.groups)
        self.shape = tuple(list(numbers) if isinstance(numbers, tuple) else numbers for numbers in shape)
        self.weight = torch.ops.mkldnn._reorder_convolution_weight(plain.weight.detach(), *self.shape)
        self.bias = None if plain.bias is None else plain.bias.detach()

    def forward(self, maps: Tensor, then: str = 'none') -> Tensor:
        """The maps of the convolution.

        Args:
            maps: (B, C, H, W).
            then: 'relu' or 'none', done to each of its sums.
        """
        return torch.ops.mkldnn._convolution_pointwise(maps, self.weight, self.bias, *self.shape, then, *SPARE)

    def add(self, maps: Tensor, others: Tensor) -> Tensor:
        """ReLU of the maps of the convolution plus others of that shape."""
        with_others = torch.ops.mkldnn._convolution_pointwise.binary
        return with_others(maps, others, self.weight, self.bias, *self.shape, 'add', None, 'relu', *SPARE)


class Block(nn.Module):
    """A residual block.

    Args:
        plain: a block of MMPose's, with batch normalisation folded into its convolutions.
    """

    def __init__(self, plain: nn.Module) -> None:
        super().__init__()
        names = ('conv1', 'conv2') if type(plain) is BasicBlock else ('conv1', 'conv2', 'conv3')
        convolutions = [Convolution(getattr(plain, name)) for name in names]
        self.first = nn.ModuleList(convolutions[:-1])
        self.last = convolutions[-1]
        downsample: Any = plain.downsample
        self.downsample = None if downsample is None else fused(downsample)

    def forward(self, maps: Tensor) -> Tensor:
        """As the plain block."""
        others = maps if self.downsample is None else self.downsample(maps)
        for convolution in self.first:
            maps = convolution(maps, 'relu')
        return self.last.add(maps, others)


def is_plain_convolution(part: nn.Module) -> TypeGuard[nn.Conv2d]:
    """Whether ``Convolution`` does what a part of a network does."""
    has_such_padding = type(part) is nn.Conv2d and part.padding_mode == 'zeros' and not isinstance(part.padding, str)
    return has_such_padding and not has_hooks(part)


def is_plain_block(part: nn.Module) -> bool:
    """Whether ``Block`` does what a part of a network does: convolutions alone, as after folding; no group norm."""
    if type(part) not in (BasicBlock, Bottleneck) or any(has_hooks(each) for each in part.modules()):
        return False
    layers = [layer for name, layer in part.named_children() if name not in ('relu', 'downsample')]
    return all(type(layer) is nn.Identity or is_plain_convolution(layer) for layer in layers)


def fused(network: nn.Module) -> Any:
    """The network with its blocks and convolutions replaced, in place; what they cannot do stays as it is.

    Args:
        network: in evaluation, in float32, batch normalisation folded.
    """
    for name, part in network.named_children():
        if is_plain_block(part):
            setattr(network, name, Block(part))
        elif is_plain_convolution(part):
            setattr(network, name, Convolution(part))
        else:
            fused(part)
    return network
