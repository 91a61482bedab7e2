"""Products of maps that are (h, W, channels) in memory, as those of the factored GFD are.

What it saves: half of the time of such a product on CPUs with AVX-512 that are not Intel's. Why it is equal: a 1x1
convolution is a product of matrices, whichever library computes it.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def bias_of(layer: nn.Conv2d | nn.Linear) -> Tensor:
    """The bias, which every layer of the head has and torch's types leave open."""
    assert layer.bias is not None
    return layer.bias


def by_onednn(maps: Tensor, weight: Tensor) -> bool:
    """Whether ``convolve_cells`` asks oneDNN: for float32 on a CPU, where no gradient is wanted.

    MKL, behind ``F.linear``, uses AVX-512 on Intel's CPUs only, oneDNN on all that have it, at about twice the rate.
    For products with a gradient, ``F.linear`` is the faster one again.

    Args:
        maps: (h, W, C).
        weight: (R, C), or any other shape with as many elements.
    """
    return (
        maps.device.type == 'cpu'
        and maps.dtype is torch.float32
        and not torch.is_grad_enabled()
        and torch.backends.mkldnn.is_available()
        and maps.numel() > 0
        and weight.numel() > 0
    )


def convolve_cells(maps: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """A 1x1 convolution.

    Args:
        maps: (h, W, C).
        weight: (R, C).
        bias: (R,).

    Returns:
        (h, W, R).
    """
    if not by_onednn(maps, weight):
        return F.linear(maps, weight, bias)
    # [None] before permute: the strides are then those of a batch with channels last, and oneDNN copies nothing
    batch = maps[None].permute(0, 3, 1, 2)
    return F.conv2d(batch, weight[:, :, None, None], bias).permute(0, 2, 3, 1)[0]
