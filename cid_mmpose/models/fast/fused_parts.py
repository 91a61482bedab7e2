"""Convolutions that also do ReLU and additions, and residual blocks made of them, on a CPU in float32.

What it saves: the passes over the maps for both, the memory of the sums, and with AVX-512 bringing the weights into
oneDNN's order at every call. Why it is equal: oneDNN's convolutions do the same to each sum before they write it. These
are the operations of torch's own compiler, called without compiling.
"""

from typing import Any, TypeGuard

import torch
from mmpose.models.backbones.resnet import BasicBlock, Bottleneck
from torch import Tensor, nn

from cid_mmpose.compat.precision import cpu_has_avx512

from .folding import has_hooks

OPERATIONS = ('_convolution_pointwise', '_convolution_pointwise_', '_reorder_convolution_weight')
SPARE: tuple[list, str] = ([], '')  # what ReLU would need of numbers, and the way to compute it


class Convolution(nn.Module):
    """A convolution that can do ReLU and an addition as well.

    With AVX-512 its weights are in oneDNN's order. With less oneDNN takes other orders for maps of other sizes, and
    going from one of them to another takes half as long as the convolutions, so the weights stay as they are.

    Args:
        plain: what it does, with zeros around the maps.
        then: 'relu' or 'none', done to each of its sums.
    """

    def __init__(self, plain: nn.Conv2d, then: str = 'none') -> None:
        super().__init__()
        shape = (plain.padding, plain.stride, plain.dilation, plain.groups)
        self.shape = tuple(list(numbers) if isinstance(numbers, tuple) else numbers for numbers in shape)
        self.weight = plain.weight.detach()
        if cpu_has_avx512():
            self.weight = torch.ops.mkldnn._reorder_convolution_weight(self.weight, *self.shape)
        self.bias = None if plain.bias is None else plain.bias.detach()
        self.then = then

    def forward(self, maps: Tensor) -> Tensor:
        """The maps of the convolution.

        Args:
            maps: (B, C, H, W).
        """
        return torch.ops.mkldnn._convolution_pointwise(maps, self.weight, self.bias, *self.shape, self.then, *SPARE)

    def add(self, maps: Tensor, others: Tensor) -> Tensor:
        """ReLU of the maps of the convolution plus others of that shape."""
        with_others = torch.ops.mkldnn._convolution_pointwise.binary
        return with_others(maps, others, self.weight, self.bias, *self.shape, 'add', None, 'relu', *SPARE)

    def add_to(self, others: Tensor, maps: Tensor, then: str | None = None) -> None:
        """Adds the maps of the convolution to others, in place.

        Args:
            others: of the shape of its maps.
            maps: (B, C, H, W).
            then: 'relu' or None, done to each of the sums.
        """
        in_place = torch.ops.mkldnn._convolution_pointwise_.binary
        in_place(others, maps, self.weight, self.bias, *self.shape, 'add', None, then, *SPARE)


class Block(nn.Module):
    """A residual block.

    Args:
        plain: a block of MMPose's, with batch normalisation folded into its convolutions.
        downsample: the plain one's, fused; None where it has none.
        owns_input: nobody else uses the maps that it is called with, so that they may be written over.
    """

    def __init__(self, plain: nn.Module, downsample: nn.Module | None, owns_input: bool) -> None:
        super().__init__()
        names = ('conv1', 'conv2') if type(plain) is BasicBlock else ('conv1', 'conv2', 'conv3')
        self.first = nn.ModuleList(Convolution(getattr(plain, name), 'relu') for name in names[:-1])
        self.last = Convolution(getattr(plain, names[-1]))
        self.downsample = downsample
        self.owns_input = owns_input

    def forward(self, maps: Tensor) -> Tensor:
        """As the plain block."""
        others = maps if self.downsample is None else self.downsample(maps)
        is_input = others is maps
        for convolution in self.first:
            maps = convolution(maps)

        if is_input and not self.owns_input:
            return self.last.add(maps, others)
        self.last.add_to(others, maps, 'relu')
        return others


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


def take_relus(parts: Any) -> None:
    """Of parts that are called one after the other: each ReLU behind a ``Convolution`` becomes its own, in place.

    Args:
        parts: a ``nn.Sequential``.
    """
    convolution = None  # whose maps come to the part, as they are
    for name, part in parts.named_children():
        if type(part) is Convolution:
            convolution = part
        elif is_plain(part, nn.ReLU) and convolution is not None:
            convolution.then = 'relu'
            setattr(parts, name, nn.Identity())
        elif not is_plain(part, nn.Identity):
            convolution = None


def is_plain(part: Any, kind: type[nn.Module]) -> bool:
    """Whether a part is of a kind, and does nothing else."""
    return type(part) is kind and not has_hooks(part)
