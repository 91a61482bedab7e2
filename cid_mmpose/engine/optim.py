"""Mixed precision where mmengine has none: bfloat16 on any device."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from mmengine.optim import OptimWrapper
from torch import nn

from cid_mmpose.compat.precision import or_float32
from cid_mmpose.registry import OPTIM_WRAPPERS


@OPTIM_WRAPPERS.register_module()
class BFloat16OptimWrapper(OptimWrapper):
    """Runs the forward pass under autocast in bfloat16, on the model's own device.

    It has the range of float32, so no loss is scaled; CID's losses are computed in float32 either way. mmengine's
    ``AmpOptimWrapper`` stays the choice for float16 on a GPU; it does not run on a CPU.

    On a CPU that only imitates bfloat16, where it is several times slower, the run stays in float32 and says so.

    Args:
        insist: bfloat16 on such a CPU too.
        **kwargs: as mmengine's ``OptimWrapper``.
    """

    def __init__(self, *, insist: bool = False, **kwargs) -> None:
        super().__init__(**kwargs)
        self.insist = insist

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """As mmengine's, with autocast around it."""
        device = next(model.parameters()).device
        dtype = or_float32(torch.bfloat16, device, 'optim_wrapper', self.insist)
        autocast = torch.autocast(device.type, torch.bfloat16, enabled=dtype is torch.bfloat16)
        with super().optim_context(model), autocast:
            yield
