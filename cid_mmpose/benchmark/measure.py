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
from mmengine.structures import InstanceData

STATUS = Path('/proc/self/status')  # of Linux
CLEAR = Path('/proc/self/clear_refs')
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
        ours = number_of(self.ours)
        mmpose = number_of(self.mmpose)
        if ours is None or mmpose is None:
            return None
        return mmpose / ours


def number_of(value: Any) -> float | None:
    """The median of a timing or the number itself; None if that is none, or not above 0."""
    if isinstance(value, Timing):
        value = value.median
    if isinstance(value, (int, float)) and value > 0:
        return value
    return None


def summarise(milliseconds: Sequence[float]) -> Timing:
    """Median and quartiles, the quartiles being medians of the lower and upper half."""
    ordered = sorted(milliseconds)
    half = max(len(ordered) // 2, 1)
    return Timing(
        median=statistics.median(ordered),
        low=statistics.median(ordered[:half]),
        high=statistics.median(ordered[-half:]),
    )


def wait_for(device: torch.device) -> None:
    """Until the device has done all it was given."""
    if device.type == 'cuda':
        torch.cuda.synchronize(device)


def in_turns(programs: dict[str, Callable], repeats: int, device: torch.device, calls: int = 1) -> dict[str, Timing]:
    """Times programs one after the other, round by round, so that what slows the machine down slows all of them.

    Args:
        programs: by name; each is called once more before, to warm up.
        repeats: rounds.
        device: that the programs run on.
        calls: in a row at each turn, for programs too short for one clock reading; the time is that of one call.
    """
    taken = times_in_turns(programs, repeats, device, calls)
    return {name: summarise(times) for name, times in taken.items()}


def times_in_turns(
    programs: dict[str, Callable], repeats: int, device: torch.device, calls: int = 1, warm_up: bool = True
) -> dict[str, list[float]]:
    """The milliseconds of each round; arguments as of ``in_turns``, and whether each is called once more before."""
    if warm_up:
        for program in programs.values():
            program()

    taken: dict[str, list[float]] = {name: [] for name in programs}
    for _ in range(repeats):
        for name, program in programs.items():
            wait_for(device)
            start = time.perf_counter()
            for _ in range(calls):
                program()
            wait_for(device)
            seconds = time.perf_counter() - start
            taken[name].append(1e3 * seconds / calls)
    return taken


def peak_mib(program: Callable, device: torch.device) -> float | None:
    """MiB that one call takes at its peak beyond what was there before; None where that cannot be told (no Linux).

    The median of three calls, because it depends on the gaps that earlier ones left in the heap; behind one that is
    not measured, because it may load libraries.
    """
    program()
    peaks = [_peak_of_call(program, device) for _ in range(3)]
    if None in peaks:
        return None
    return statistics.median(peaks)


def _peak_of_call(program: Callable, device: torch.device) -> float | None:
    gc.collect()
    if device.type == 'cuda':
        return _peak_on_gpu(program, device)
    if CLEAR.exists():
        return _peak_on_linux(program)
    return None


def _peak_on_gpu(program: Callable, device: torch.device) -> float:
    torch.cuda.synchronize(device)
    before = torch.cuda.memory_allocated(device)
    torch.cuda.reset_peak_memory_stats(device)
    program()
    torch.cuda.synchronize(device)
    peak = torch.cuda.max_memory_allocated(device)
    return (peak - before) / MIB


def _peak_on_linux(program: Callable) -> float:
    libc = ctypes.CDLL(None)
    libc.malloc_trim(0)
    clear_peak()
    before = _status('VmRSS')
    program()
    peak = _status('VmHWM')
    return (peak - before) / 1024


def clear_peak() -> None:
    """Forgets the peak of this process's memory so far, where the system can."""
    if CLEAR.exists():
        CLEAR.write_text('5')


def peak_rss_mib() -> float | None:
    """MiB that this process had at most since ``clear_peak``; None where that cannot be told (no Linux)."""
    return _status('VmHWM') / 1024 if CLEAR.exists() else None


def _status(field: str) -> int:
    """KiB that the kernel reports for this process."""
    for line in STATUS.read_text().splitlines():
        name, _, value = line.partition(':')
        if name == field:
            return int(value.split()[0])
    raise LookupError(f'{STATUS} has no {field}')


def agreement(part: str, case: str, ours: InstanceData, mmpose: InstanceData) -> Iterator[Row]:
    """How far keypoints of the same people lie apart; each one's counterpart is whom they lie nearest to.

    Args:
        part: of the benchmark, for the rows.
        case: for the rows.
        ours: people with ``keypoints`` (N, K, 2) in pixels.
        mmpose: the same people as MMPose finds them.
    """
    people = len(ours.keypoints)
    expected = len(mmpose.keypoints)
    if people != expected:
        yield Row(part, case, 'people found', float(people), float(expected))
        return

    steps = ours.keypoints[:, None] - mmpose.keypoints  # (N, N, K, 2)
    apart = np.abs(steps).max(-1)  # (N, N, K)
    nearest = apart.mean(-1).argmin(1)  # (N,)
    apart = apart[np.arange(people), nearest]  # (N, K)

    moved = (apart > MOVED).mean()
    yield Row(part, case, 'largest distance to MMPose, px', float(apart.max()), None)
    yield Row(part, case, f'keypoints moved by more than {MOVED} px, %', 100 * float(moved), None)


class Replaced(NamedTuple):
    """An attribute that a stopwatch took the place of."""

    owner: Any
    name: str
    before: Any  # of the owner itself; None where it came from its class


class Stopwatch:
    """Adds up the time in methods of objects and in functions of modules while it is entered.

    Args:
        parts: name -> (object or module, name in it) pairs. ``spent`` holds milliseconds by name afterwards.
        device: that the methods run on.
    """

    def __init__(self, parts: dict[str, Sequence[tuple[Any, str]]], device: torch.device) -> None:
        self.parts = parts
        self.device = device
        self.spent: dict[str, float] = {}
        self.replaced: list[Replaced] = []

    def __enter__(self) -> 'Stopwatch':
        self.spent = dict.fromkeys(self.parts, 0.0)
        for name, methods in self.parts.items():
            for owner, method in methods:
                before = vars(owner).get(method)
                self.replaced.append(Replaced(owner, method, before))
                timed = self._timed(name, getattr(owner, method))
                setattr(owner, method, timed)
        return self

    def _timed(self, name: str, method: Callable) -> Callable:
        def call(*args, **kwargs):
            wait_for(self.device)
            start = time.perf_counter()
            result = method(*args, **kwargs)
            wait_for(self.device)
            seconds = time.perf_counter() - start
            self.spent[name] += 1e3 * seconds
            return result

        return call

    def __exit__(self, *_) -> None:
        for owner, method, before in self.replaced:
            if before is None:
                delattr(owner, method)  # the class's own is found again
            else:
                setattr(owner, method, before)
        self.replaced.clear()
