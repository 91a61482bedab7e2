"""Half precision on a CPU: whether it has the instructions, or would imitate them several times slower than float32."""

import os
import re
import time
from functools import cache
from pathlib import Path

import torch
import torch.nn.functional as F

from .notes import say

CPU_INFO = Path('/proc/cpuinfo')
# flags of x86 and ARM; any one of them is enough
INSTRUCTIONS = {
    torch.bfloat16: {'avx512_bf16', 'amx_bf16', 'bf16'},
    torch.float16: {'avx512_fp16', 'amx_fp16', 'asimdhp'},
}
# What oneDNN, which multiplies, can be held to. Source: oneDNN, "CPU dispatcher control"
WITHOUT_AVX512 = {'SSE41', 'AVX', 'AVX2', 'AVX2_VNNI', 'AVX2_VNNI_2'}
WITHOUT_BFLOAT16 = WITHOUT_AVX512 | {'AVX512_CORE', 'AVX512_CORE_VNNI'}
WITHOUT = {torch.bfloat16: WITHOUT_BFLOAT16, torch.float16: WITHOUT_BFLOAT16 | {'AVX512_CORE_BF16'}}
LIMITS = ('ONEDNN_MAX_CPU_ISA', 'DNNL_MAX_CPU_ISA')
NARROW = ('DEFAULT', 'NO AVX', 'AVX2')  # what PyTorch's own loops can be held to on x86


def or_float32(dtype: torch.dtype | None, device: torch.device, owner: str, insist: bool = False) -> torch.dtype | None:
    """The precision to compute in: float32 in place of one that this CPU imitates, which is said once.

    Args:
        dtype: what is asked for; None and what is no half precision come back as they are.
        device: where it is computed; only a CPU is looked at.
        owner: whose option it is, for the message: ``optim_wrapper`` or ``model.test_cfg``.
        insist: takes ``dtype`` whatever it costs.
    """
    if insist or device.type != 'cpu' or dtype not in INSTRUCTIONS or cpu_has(dtype):
        return dtype
    say_float32_is_taken(dtype, owner)
    return torch.float32


@cache  # once for each precision and option, however many images ask
def say_float32_is_taken(dtype: torch.dtype, owner: str) -> None:
    """Says why float32 is taken and how to keep ``dtype``.

    Args:
        dtype: a half precision that this CPU would imitate.
        owner: whose option it is, as in ``or_float32``.
    """
    name = str(dtype).replace('torch.', '')
    say(
        f'this CPU has no {name} of its own, and imitating it is slower: float32 is taken instead; '
        f'{owner}.insist=True keeps {name}'
    )


@cache
def cpu_has(dtype: torch.dtype) -> bool:
    """Whether this CPU computes in ``dtype``, bfloat16 or float16, by itself and is allowed to.

    The limits that ``ONEDNN_MAX_CPU_ISA`` and ``ATEN_CPU_CAPABILITY`` set count. Where the system does not list the
    instructions (no Linux), a convolution is timed.
    """
    if limited(WITHOUT[dtype]):
        return False
    flags = cpu_flags()
    if flags:
        return not INSTRUCTIONS[dtype].isdisjoint(flags)
    return is_faster(dtype)


def cpu_flags() -> set[str]:
    """Words of the system's list of the CPU's properties; empty where there is none."""
    if not CPU_INFO.is_file():
        return set()
    return set(CPU_INFO.read_text(errors='replace').split())


def cpu_capability() -> str:
    """The set of instructions that torch uses, such as 'AVX2'; torch 2.0 tells it in a text only."""
    if hasattr(torch.backends, 'cpu'):
        return torch.backends.cpu.get_cpu_capability()
    found = re.search(r'CPU capability usage: (\w+)', torch.__config__.show())
    return found.group(1) if found else 'DEFAULT'


@cache
def cpu_has_avx512() -> bool:
    """Whether oneDNN may use AVX-512; the limits of ``cpu_has`` count."""
    return 'avx512f' in cpu_flags() and not limited(WITHOUT_AVX512)


def limited(without: set[str]) -> bool:
    """Whether the environment keeps PyTorch or oneDNN from some instructions.

    Args:
        without: the values of ``LIMITS`` that do.
    """
    for name in LIMITS:
        if os.environ.get(name, '').upper() in without:
            return True
    held = bool(os.environ.get('ATEN_CPU_CAPABILITY'))
    return held and cpu_capability() in NARROW


def is_faster(dtype: torch.dtype) -> bool:
    """Whether a convolution as in the backbone takes less time in ``dtype`` than in float32."""
    try:
        return seconds_of_convolution(dtype) < seconds_of_convolution(torch.float32)
    except RuntimeError:  # not implemented for this precision
        return False


@torch.no_grad()
def seconds_of_convolution(dtype: torch.dtype, repeats: int = 5) -> float:
    """Shortest of some times of one 3x3 convolution on the CPU.

    Args:
        dtype: its precision.
        repeats: how often it is timed, after one call to warm up.
    """
    image = torch.ones(4, 64, 64, 64, dtype=dtype)
    kernel = torch.ones(64, 64, 3, 3, dtype=dtype)
    F.conv2d(image, kernel)
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        F.conv2d(image, kernel)
        times.append(time.perf_counter() - start)
    return min(times)
