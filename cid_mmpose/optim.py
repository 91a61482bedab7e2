"""Mixed precision where mmengine has none: bfloat16 on any device."""
from contextlib import contextmanager
from typing import Iterator

import torch
from mmengine.optim import OptimWrapper
from torch import nn

from cid_mmpose.registry import OPTIM_WRAPPERS


@OPTIM_WRAPPERS.register_module()
class BFloat16OptimWrapper(OptimWrapper):
    """Runs the forward pass under autocast in bfloat16, on the model's own device.

    It has the range of float32, so no loss is scaled; CID's losses are computed in float32 either way. mmengine's
    ``AmpOptimWrapper`` stays the choice for float16 on a GPU; it does not run on a CPU.
    """

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """As mmengine's, with autocast around it."""
        device = next(model.parameters()).device.type
        with super().optim_context(model), torch.autocast(device, torch.bfloat16):
            yield
