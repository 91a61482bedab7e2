"""The backbone in testing: a copy with batch normalisation folded into the convolutions before it.

The same numbers up to the last digits of float32, with one pass over the maps less a layer; in half precision its
weights are rounded once, not at every call.
"""
from copy import deepcopy
from itertools import chain
from typing import Dict, Optional

import torch
from mmcv.cnn import fuse_conv_bn
from torch import Tensor, nn


class FoldedBackbone:
    """Makes and keeps a folded copy a precision of a backbone, and makes it anew when the weights have changed."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """The next call makes a new copy."""
        self.state: Optional[tuple] = None
        self.copies: Dict[torch.dtype, nn.Module] = {}

    def __getstate__(self) -> dict:
        """Copies stay where they are when a model is saved or copied."""
        return dict(state=None, copies={})

    def __call__(self, backbone: nn.Module, inputs: Tensor, dtype: torch.dtype) -> tuple:
        """The maps of a backbone in evaluation, computed in ``dtype``, for pictures (B, 3, h, w)."""
        tensors = chain(backbone.parameters(), backbone.buffers())
        state = tuple((tensor.data_ptr(), 0 if tensor.is_inference() else tensor._version) for tensor in tensors)
        if state != self.state:
            self.state, self.copies = state, {}
        if dtype not in self.copies:
            self.copies[dtype] = folded_copy(backbone, dtype)
        half = dtype in (torch.float16, torch.bfloat16)
        # for layers that want float32 between others that do not
        with torch.autocast(inputs.device.type, dtype if half else None, enabled=half):
            return self.copies[dtype](inputs)


def folded_copy(backbone: nn.Module, dtype: torch.dtype) -> nn.Module:
    """A copy for evaluation: batch normalisation folded into the convolutions before it, weights in ``dtype``."""
    copy = deepcopy(backbone)
    copy.train(False)   # HRNet's returns nothing
    return fuse_conv_bn(copy).to(dtype).requires_grad_(False)
