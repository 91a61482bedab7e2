"""Products of maps that lie cell by cell in memory (h, W, channels), as GFD's do."""
import torch
import torch.nn.functional as F
from torch import Tensor


def by_onednn(maps: Tensor, weight: Tensor) -> bool:
    """Whether ``convolve`` asks oneDNN: for float32 on a CPU, where no gradient is wanted.

    MKL, behind ``F.linear``, uses AVX-512 on Intel's CPUs only, oneDNN on all that have it, at about twice the rate.
    For products with a gradient, ``F.linear`` is the faster one again.
    """
    return (maps.device.type == 'cpu' and maps.dtype is torch.float32 and not torch.is_grad_enabled()
            and torch.backends.mkldnn.is_available() and maps.numel() > 0 and weight.numel() > 0)


def convolve(maps: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """A 1x1 convolution: (h, W, C) with weight (R, C) and bias (R,) -> (h, W, R)."""
    if not by_onednn(maps, weight):
        return F.linear(maps, weight, bias)
    # by the strides of [None] first, torch sees a batch that has its channels last, and oneDNN copies nothing
    batch = maps[None].permute(0, 3, 1, 2)
    return F.conv2d(batch, weight[:, :, None, None], bias).permute(0, 2, 3, 1)[0]
