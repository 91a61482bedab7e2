"""Honest measuring: in turns, medians with quartiles, peak memory of one call."""

import ctypes
import gc
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

STATUS, CLEAR = Path('/proc/self/status'), Path('/proc/self/clear_refs')
MIB = 2**20
MOVED = 0.01  # pixels


class Timing(NamedTuple):
    """Milliseconds of repeated calls."""

    median: float
    low: float  # first quartile
    high: float  # third quartile


class Row(NamedTuple):
    """One line of a table: a measure of both programs."""

    part: str  # of the benchmark
    case: str
    measure: str
    ours: Any  # Timing, float, str or None
    mmpose: Any

    @property
    def ratio(self) -> float | None:
        """MMPose's value over ours; None where one of them is no number."""
        values = [value.median if isinstance(value, Timing) else value for value in (self.mmpose, self.ours)]
        return values[0] / values[1] if all(isinstance(v, (int, float)) and v > 0 for v in values) else None


def summarise(milliseconds: Sequence[float]) -> Timing:
    """Median and quartiles, the quartiles being medians of the lower and upper half."""
    ordered = sorted(milliseconds)
    half = max(len(ordered) // 2, 1)
    return Timing(statistics.median(ordered), statistics.median(ordered[:half]), statistics.median(ordered[-half:]))


def wait_for(device: torch.device) -> None:
    """Until the device has done all it was given."""
    if device.type == 'cuda':
        torch.cuda.synchronize(device)


def in_turns(programs: dict[str, Callable], repeats: int, device: torch.device, calls: int = 1) -> dict[str, Timing]:
    """Times programs one after the other, round by round, so that what slows the machine down slows all of them.

    Args:
        programs: by name; each is called once more before, to warm up. repeats: rounds.
        calls: in a row at each turn, for programs too short for one clock reading; the time is that of one call.
    """
    for program in programs.values():
        program()
    taken = {name: [] for name in programs}
    for _ in range(repeats):
        for name, program in programs.items():
            wait_for(device)
            start = time.perf_counter()
            for _ in range(calls):
                program()
            wait_for(device)
            taken[name].append(1e3 * (time.perf_counter() - start) / calls)
    return {name: summarise(times) for name, times in taken.items()}


def peak_mib(program: Callable, device: torch.device) -> float | None:
    """MiB that one call takes at its peak beyond what was there before; None where that cannot be told (no Linux).

    The median of three calls, because it depends on the gaps that earlier ones left in the heap; behind one that is
    not measured, because it may load libraries.
    """
    program()
    peaks = [_peak_of_call(program, device) for _ in range(3)]
    return None if None in peaks else statistics.median(peaks)


def _peak_of_call(program: Callable, device: torch.device) -> float | None:
    gc.collect()
    if device.type == 'cuda':
        torch.cuda.synchronize(device)
        before = torch.cuda.memory_allocated(device)
        torch.cuda.reset_peak_memory_stats(device)
        program()
        torch.cuda.synchronize(device)
        return (torch.cuda.max_memory_allocated(device) - before) / MIB
    if not CLEAR.exists():
        return None
    ctypes.CDLL(None).malloc_trim(0)
    CLEAR.write_text('5')  # forgets the peak so far
    before = _status('VmRSS')
    program()
    return (_status('VmHWM') - before) / 1024


def _status(field: str) -> int:
    """KiB that the kernel reports for this process."""
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(field))
    return int(line.split()[1])


def agreement(part: str, case: str, ours, mmpose) -> Iterator[Row]:
    """How far keypoints (N, K, 2) of the same people lie apart; each one's counterpart is whom they lie nearest to."""
    if len(ours.keypoints) != len(mmpose.keypoints):
        yield Row(part, case, 'people found', float(len(ours.keypoints)), float(len(mmpose.keypoints)))
        return
    apart = np.abs(ours.keypoints[:, None] - mmpose.keypoints).max(-1)  # (N, N, K)
    nearest = apart.mean(-1).argmin(1)
    apart = apart[np.arange(len(nearest)), nearest]
    yield Row(part, case, 'largest distance to MMPose, px', float(apart.max()), None)
    yield Row(part, case, f'keypoints moved by more than {MOVED} px, %', 100 * float((apart > MOVED).mean()), None)


class Stopwatch:
    """Adds up the time in methods of objects and in functions of modules while it is entered.

    Args:
        parts: name -> (object or module, name in it) pairs. ``spent`` holds milliseconds by name afterwards.
    """

    def __init__(self, parts: dict[str, Sequence[tuple]], device: torch.device) -> None:
        self.parts, self.device, self.spent, self.replaced = parts, device, {}, []

    def __enter__(self) -> 'Stopwatch':
        self.spent = dict.fromkeys(self.parts, 0.0)
        for name, methods in self.parts.items():
            for owner, method in methods:
                self.replaced.append((owner, method, vars(owner).get(method)))
                setattr(owner, method, self._timed(name, getattr(owner, method)))
        return self

    def _timed(self, name: str, method: Callable) -> Callable:
        def call(*args, **kwargs):
            wait_for(self.device)
            start = time.perf_counter()
            result = method(*args, **kwargs)
            wait_for(self.device)
            self.spent[name] += 1e3 * (time.perf_counter() - start)
            return result

        return call

    def __exit__(self, *_) -> None:
        for owner, method, before in self.replaced:
            if before is None:
                delattr(owner, method)  # the class's own is found again
            else:
                setattr(owner, method, before)
        self.replaced.clear()
