"""Mixed precision where mmengine has none: bfloat16 on any device."""
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

import torch
from mmengine.logging import print_log
from mmengine.optim import OptimWrapper
from torch import nn

from cid_mmpose.registry import OPTIM_WRAPPERS

CPU_INFO = Path('/proc/cpuinfo')
NATIVE = {'avx512_bf16', 'amx_bf16', 'bf16'}  # x86 and ARM


def cpu_has_bfloat16() -> bool:
    """Whether this CPU multiplies bfloat16 by itself; False where that cannot be told (no Linux)."""
    return CPU_INFO.is_file() and not NATIVE.isdisjoint(CPU_INFO.read_text().split())


@OPTIM_WRAPPERS.register_module()
class BFloat16OptimWrapper(OptimWrapper):
    """Runs the forward pass under autocast in bfloat16, on the model's own device.

    It has the range of float32, so no loss is scaled; CID's losses are computed in float32 either way. mmengine's
    ``AmpOptimWrapper`` stays the choice for float16 on a GPU; it does not run on a CPU.

    Args:
        only_native: stays in float32 on a CPU that imitates bfloat16, where that is slower.
        Others as mmengine's ``OptimWrapper``.
    """

    def __init__(self, *, only_native: bool = False, **kwargs) -> None:
        super().__init__(**kwargs)
        self.imitated = only_native and not cpu_has_bfloat16()
        if self.imitated and not torch.cuda.is_available():
            print_log('cid_mmpose: this CPU has no bfloat16 of its own; the run stays in float32', 'current')

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """As mmengine's, with autocast around it."""
        device = next(model.parameters()).device.type
        enabled = not (device == 'cpu' and self.imitated)
        with super().optim_context(model), torch.autocast(device, torch.bfloat16, enabled=enabled):
            yield
