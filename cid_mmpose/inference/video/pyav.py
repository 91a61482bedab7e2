"""PyAV, which wraps FFmpeg's libraries: whether it is there, opening a file with it, what is told of the file."""

import os
from fractions import Fraction
from importlib import import_module
from types import ModuleType
from typing import Any, NamedTuple

from cid_mmpose.errors import BadInput

OLDEST = (14, 2)  # the first version whose frames carry the display matrix; setup.cfg has the same
PATIENCE = 15.0  # seconds that a network source may be silent
TEXT_FORMAT = 'tty'  # FFmpeg makes a video of any text whose name ends in .txt
BT709 = 1  # the colors of HD, as FFmpeg counts spaces of colors, primaries and transfer curves
ON_SCREEN = 0  # the least important of FFmpeg's messages that are shown: its "panic", which it never says
EXACT_DURATIONS = ('mov', 'matroska', 'avi')  # containers whose header tells it; for others FFmpeg may estimate


class About(NamedTuple):
    """What the container tells of a video before any frame is read.

    Args:
        size: (width, height) as stored, px.
        rate: frames a second on average, None if unknown.
        num_frames: None if unknown.
        time_base: seconds of one tick of the times.
        start: when the presentation begins, on the clock of the file, seconds; a whole number of ticks.
        end: when the images end, on the clock of the file, seconds; None if unknown.
        pixel_aspect: width of a pixel over its height.
    """

    size: tuple[int, int]
    rate: Fraction | None
    num_frames: int | None
    time_base: Fraction
    start: Fraction
    end: float | None
    pixel_aspect: Fraction


def pyav() -> ModuleType:
    """PyAV, with FFmpeg's messages kept away from Python (``keep_messages_out``).

    Raises:
        BadInput: it is not installed, or too old.
    """
    try:
        module = import_module('av')
    except ImportError as error:
        raise BadInput(f'videos need PyAV ({error}): pip install "cid_mmpose[video]"') from error
    version = tuple(int(part) for part in module.__version__.split('.')[:2])
    if version < OLDEST:
        oldest = '.'.join(map(str, OLDEST))
        raise BadInput(
            f'videos need PyAV {oldest} or later, and {module.__version__} is there: pip install "cid_mmpose[video]"'
        )
    keep_messages_out(import_module('av.logging'))
    return module


def keep_messages_out(logging: ModuleType) -> None:
    """FFmpeg's messages do not go through Python, unless somebody wants more of them than errors.

    The threads of a decoder wait for Python's lock to hand over a message; who frees a decoder holds this lock and
    waits for its threads. Where both meet, the process stands still for ever (issue 751 of PyAV). Errors alone are
    what torchvision asks for when it is imported; here they come as exceptions.

    Args:
        logging: ``av.logging``.
    """
    level = logging.get_level()
    if level is not None and level > logging.ERROR:
        return
    logging.set_libav_level(ON_SCREEN)  # FFmpeg's own callback writes to the screen
    logging.restore_default_callback()


def is_url(path: str) -> bool:
    """Whether a source is fetched over the network."""
    return '://' in path


def opened(path: str) -> Any:
    """An ``av.container.InputContainer`` to read from; the caller closes it.

    Args:
        path: of a file, or a URL.

    Raises:
        BadInput: there is no such file, or it is no video.
    """
    av = pyav()
    _check_file(path)
    options = {'rtsp_transport': 'tcp'} if path.lower().startswith('rtsp') else {}  # over UDP packets get lost
    try:
        container = av.open(path, options=options, timeout=PATIENCE if is_url(path) else None)
    except av.error.FFmpegError as error:
        raise BadInput(_why_not(path, reason(error))) from error

    if container.streams.best('video') is None or container.format.name == TEXT_FORMAT:
        container.close()
        raise BadInput(_why_not(path, 'no images in it'))
    return container


def _check_file(path: str) -> None:
    if is_url(path):
        return
    if not os.path.exists(path):
        raise BadInput(f'{path}: no such file')
    if os.path.isdir(path):
        raise BadInput(f'{path}: is a folder; name a video file')
    if os.path.getsize(path) == 0:
        raise BadInput(f'{path}: is empty; fetch or record it again')


def _why_not(path: str, why: str) -> str:
    if is_url(path):
        return f'{path}: cannot be opened ({why}); check the address, or play it with another program'
    return (
        f'{path}: is no video, or one whose recording or download was broken off ({why}); fetch it again, or see '
        'whether another program plays it and converts it to .mp4'
    )


def reason(error: Exception) -> str:
    """What FFmpeg says of an error, without numbers and names of functions."""
    if type(error).__name__ == 'ExitError':  # how PyAV ends a call that takes too long
        return f'no answer in {PATIENCE:.0f} s'
    return getattr(error, 'strerror', None) or str(error)


def about(container: Any) -> About:
    """What an open container tells of its video.

    Args:
        container: as ``opened`` gives it.
    """
    stream = container.streams.best('video')
    microseconds = max(container.start_time or 0, 0)  # what lies before 0 is not shown
    start_tick = round(Fraction(microseconds, 1_000_000) / stream.time_base)
    aspect = stream.sample_aspect_ratio
    return About(
        size=(stream.codec_context.width, stream.codec_context.height),
        rate=stream.average_rate or stream.guessed_rate or None,
        num_frames=stream.frames or None,
        time_base=stream.time_base,
        start=start_tick * stream.time_base,
        end=_end(container, stream),
        pixel_aspect=aspect if aspect else Fraction(1),
    )


def _end(container: Any, stream: Any) -> float | None:
    """When the images end by the header, on the clock of the file, seconds."""
    if container.format.name.split(',')[0] not in EXACT_DURATIONS:
        return None
    if stream.duration is not None:
        return float(((stream.start_time or 0) + stream.duration) * stream.time_base)
    written = stream.metadata.get('DURATION')  # Matroska's, as hours:minutes:seconds
    if written is None:
        return None
    try:
        hours, minutes, seconds = written.split(':')
        return int(hours) * 3600 + int(minutes) * 60 + float(seconds)
    except ValueError:
        return None
