"""How a run ends that does not come to its end: signals, dead data workers, full disks; one line for each."""

import errno
import logging
import os
import re
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from cid_mmpose.errors import RunStopped
from cid_mmpose.files import FULL

from .resume import newest_checkpoint

CLOCKS_APART = 2.0  # seconds that the clock of a file server may be behind
SIGNALS = (signal.SIGINT, signal.SIGTERM)
# what torch says in the main process when a worker is gone, and what a worker says when /dev/shm is full
DEAD_WORKER = re.compile(r'DataLoader worker \(pid\(?s?\)?:? ?[\d, ]+\) (?:is |)(killed by signal: [\w ]+|exited)')
NO_SHARED_MEMORY = re.compile(r'out of shared memory|unable to (?:open|allocate|write to).*(?:/torch_|shared memory)')


class Stopped(KeyboardInterrupt):
    """A signal ended a run.

    Args:
        number: of the signal.
        text: what to tell the user.
    """

    def __init__(self, number: int, text: str = '') -> None:
        super().__init__(text or f'stopped by {signal.Signals(number).name}')
        self.number = number


@contextmanager
def run_ends(work_dir: str | None = None, resumed: str | None = None) -> Iterator[None]:
    """Around a run: what ends it from outside is told in one line, with the checkpoint to go on from.

    A second signal of the same kind ends the process at once. Nothing is written on a signal: a checkpoint in the
    middle of an epoch could not be gone on from exactly, and the last one is whole at any time.

    Args:
        work_dir: of a training run; None for others.
        resumed: the checkpoint that the run goes on from; others in the folder that were there before are not its own.

    Raises:
        Stopped: SIGINT or SIGTERM came.
        RunStopped: a data worker died, or the disk is full; or it passes through, from a hook.
    """
    start = time.time() - CLOCKS_APART
    quiet, logging.raiseExceptions = logging.raiseExceptions, False  # a full disk would be told at each line of log
    came: list[int] = []
    try:
        with _signals_raise(came):
            yield
    except BaseException as error:
        # a bare ``except`` in a library may have made another error of the signal
        if came or isinstance(error, KeyboardInterrupt):
            stopped = Stopped(came[0] if came else signal.SIGINT)
            raise Stopped(stopped.number, f'{stopped}{_way_on(work_dir, start, resumed)}') from None
        text = str(error) if isinstance(error, RunStopped) else outside_cause(error)
        if text is None:
            raise
        raise RunStopped(f'{text}{_way_on(work_dir, start, resumed)}') from error
    finally:
        logging.raiseExceptions = quiet


@contextmanager
def _signals_raise(came: list[int]) -> Iterator[None]:
    """SIGTERM raises as SIGINT does in Python; only the main thread may set that, and does.

    Args:
        came: takes the number of a signal.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    before = {number: signal.getsignal(number) for number in SIGNALS}

    def stop(number: int, frame) -> None:
        signal.signal(number, signal.SIG_DFL)
        came.append(number)
        raise Stopped(number)

    for number in SIGNALS:
        if before[number] is not signal.SIG_IGN:  # as under nohup
            signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def outside_cause(error: BaseException | None) -> str | None:
    """What the machine, and neither the user's input nor a bug, has done to a run; None if it is not known.

    Args:
        error: as raised by torch or by a write, or by what caught that and raised something else.
    """
    while error is not None:
        cause = _cause(error)
        if cause is not None:
            return cause
        error = error.__context__
    return None


def _cause(error: BaseException) -> str | None:
    """As ``outside_cause``, of this error alone."""
    if not isinstance(error, (RuntimeError, OSError)):
        return None
    text = str(error)
    if isinstance(error, OSError) and error.errno in FULL:
        return f'{error.filename or "a file of the run"}: cannot be written ({FULL[error.errno]})'
    if 'DataLoader worker' in text and os.strerror(errno.EMFILE) in text:
        return (
            'a data worker cannot open more files; allow more (ulimit -n 65536), or set a smaller batch_size or '
            'num_workers of the data loader'
        )
    if NO_SHARED_MEMORY.search(text):
        return (
            'a data worker found no shared memory (/dev/shm); give the machine more of it (docker run --shm-size), '
            'or set a smaller batch_size or num_workers of the data loader'
        )
    dead = DEAD_WORKER.search(text)
    if dead:
        how = dead.group(1).strip() if dead.group(1) != 'exited' else 'it exited unexpectedly'
        return (
            f'a data worker died ({how}); most often memory ran out: set a smaller num_workers or batch_size of '
            'the data loader'
        )
    return None


def _way_on(work_dir: str | None, start: float, resumed: str | None) -> str:
    """Which checkpoint is the last whole one of a run that began at a time, and how to go on."""
    if work_dir is None:
        return ''
    last = newest_checkpoint(work_dir)
    if last is None:
        return f'; {work_dir} holds no checkpoint yet'
    is_resumed = resumed is not None and os.path.exists(resumed) and os.path.samefile(last, resumed)
    if os.path.getmtime(last) < start and not is_resumed:
        return f'; {work_dir} holds no checkpoint of this run yet'
    return f'; the last whole checkpoint is {os.path.relpath(last)}: --resume goes on from it'
