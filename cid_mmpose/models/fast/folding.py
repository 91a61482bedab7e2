"""Batch normalisation as part of the convolution before it, where the two are known to be one linear function."""

from typing import TypeGuard

from mmcv.cnn import Conv2d, ConvModule
from mmcv.cnn.bricks import Conv2dAdaptivePadding
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.utils.fusion import fuse_conv_bn_weights

# linear in their weights; others, such as ConvWS, bring theirs to some scale at every call
LINEAR = (nn.Conv2d, Conv2d, Conv2dAdaptivePadding)
FORWARDS = (_BatchNorm.forward, nn.SyncBatchNorm.forward)


def fold(network: nn.Module) -> nn.Module:
    """The network with batch normalisation folded, in place; what cannot be folded stays as it is.

    Args:
        network: in evaluation.
    """
    if isinstance(network, ConvModule) and network.order[:2] != ('conv', 'norm'):
        return network
    before = None  # the convolution that was the child before
    for name, part in list(network.named_children()):
        if before is not None and is_linear_norm(part):
            _take_into(before, part)
            setattr(network, name, nn.Identity())  # those who call it by its name still can
        before = part if is_linear_convolution(part) else None
        fold(part)
    return network


def is_linear_convolution(part: nn.Module) -> TypeGuard[nn.Conv2d]:
    """Whether the output of a part is linear in the weight that it has."""
    return type(part) in LINEAR and not has_hooks(part)


def is_linear_norm(part: nn.Module) -> TypeGuard[_BatchNorm]:
    """Whether a part is batch normalisation by statistics that it keeps."""
    return (
        isinstance(part, _BatchNorm)
        and type(part).forward in FORWARDS
        and part.running_mean is not None
        and not has_hooks(part)
    )


def has_hooks(part: nn.Module) -> bool:
    """Whether a call of a part does more than its forward: spectral norm makes the weight anew, users look at maps."""
    return bool(part._forward_pre_hooks or part._forward_hooks)


def _take_into(convolution: nn.Conv2d, norm: _BatchNorm) -> None:
    """Changes a convolution so that it does what batch normalisation after it would."""
    mean, variance = norm.running_mean, norm.running_var
    assert mean is not None and variance is not None  # see is_linear_norm
    convolution.weight, convolution.bias = fuse_conv_bn_weights(
        convolution.weight, convolution.bias, mean, variance, norm.eps, norm.weight, norm.bias
    )
