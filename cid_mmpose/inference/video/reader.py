"""Frames of video files and network streams: upright, 8-bit BGR, each with the time at which it is shown."""

from collections.abc import Iterator
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np

from .pyav import BT709, About, about, opened, pyav, reason

TOLERANCE = 0.25  # seconds; a video that ends this much before its header says is whole
USUAL_RATE = Fraction(30)  # frames a second where neither the container nor the frames tell it


class Frame(NamedTuple):
    """One image of a video.

    Args:
        image: (h, w, 3) uint8 BGR, upright; the receiver may change it.
        number: from 0.
        time: when it is shown, seconds from the start of the video.
    """

    image: np.ndarray
    number: int
    time: float


class Video:
    """The frames of a video, one after the other: ``for frame in video``.

    Nothing is opened before the first frame or property is asked for. Each loop reads from the start, holds a few
    frames at a time, and closes the file when it ends, also where it is left early.

    Args:
        path: of a file, or a URL.
        live: whether it comes as it happens and may never end; then a frame is not kept back for the sake of speed.

    Attributes:
        complaint: one line about what was wrong with the file, after a loop that went to the end: it breaks off, is
            damaged in places, has no frames. None if all is well.
    """

    def __init__(self, path: str | Path, live: bool = False) -> None:
        self.path = str(path)
        self.live = live
        self.complaint: str | None = None

    @cached_property
    def about(self) -> About:
        """What the container tells.

        Raises:
            BadInput: the file is not there, or no video.
        """
        container = opened(self.path)
        try:
            return about(container)
        finally:
            container.close()

    @property
    def fps(self) -> float | None:
        """Frames a second on average; None if the container does not tell it."""
        return None if self.about.rate is None else float(self.about.rate)

    @property
    def frame_count(self) -> int | None:
        """How many frames there are; None if the container does not tell it."""
        return self.about.num_frames

    @property
    def duration(self) -> float | None:
        """Seconds; None if the container does not tell it."""
        end = self.about.end
        return None if end is None else end - float(self.about.start)

    def __iter__(self) -> Iterator[Frame]:
        """The frames.

        Raises:
            BadInput: the file is not there, or no video.
        """
        self.complaint = None
        container = opened(self.path)
        try:
            reading = _Reading(container, self.live)
            yield from reading.frames()
            self.complaint = reading.complaint(self.path)
        finally:
            container.close()


def read_video(path: str | Path) -> Video:
    """The frames of a video file, or of one that lies at a URL.

    Args:
        path: of any format that FFmpeg reads.
    """
    return Video(path)


def read_stream(url: str) -> Video:
    """The frames of a network stream, without an end of their own.

    Args:
        url: such as rtsp://host/path.
    """
    return Video(url, live=True)


class _Reading:
    """One way through an open video, and what was wrong on it.

    A packet that cannot be decoded costs its own frames only; what cannot be read further is an end.
    """

    def __init__(self, container: Any, live: bool) -> None:
        self.error = pyav().error.FFmpegError
        self.container = container
        self.stream = container.streams.best('video')
        self.stream.thread_type = 'SLICE' if live else 'AUTO'  # threads by frame hold some frames back
        self.live = live
        self.about = about(container)
        self.count = 0
        self.num_damaged = 0
        self.first_damage = 0.0  # seconds
        self.why_stopped = ''
        self.end = 0.0  # of what was read, on the clock of the file, seconds
        self.has_order_only = container.format.name == 'avi'  # it has no times, only the order of decoding
        self.start_tick = round(self.about.start / self.about.time_base)
        self.last_time = float(-1 / self._rate())

    def _rate(self) -> Fraction:
        return self.about.rate or USUAL_RATE

    def frames(self) -> Iterator[Frame]:
        """All frames that can be had."""
        for packet in self._packets():
            for picture in self._decoded(packet):
                self.last_time = self._time_of(picture)
                if picture.is_corrupt:
                    self._note_damage()
                yield Frame(image_of_frame(picture), self.count, self.last_time)
                self.count += 1

    def _packets(self) -> Iterator[Any]:
        """Whole packets of the images; at the end an empty one or None, which asks the decoder for what it holds."""
        try:
            for packet in self.container.demux(self.stream):
                if packet.is_corrupt:  # decoded by several threads it would cost frames before it, too
                    self._note_damage()
                    continue
                if packet.pts is not None:
                    lasts = packet.duration * self.stream.time_base if packet.duration else 1 / self._rate()
                    self.end = max(self.end, float(packet.pts * self.stream.time_base + lasts))
                yield packet
        except self.error as error:
            self.why_stopped = reason(error)
            yield None

    def _decoded(self, packet: Any) -> list:
        try:
            return self.stream.codec_context.decode(packet)
        except EOFError:  # asked for its last frames twice
            return []
        except self.error:
            self._note_damage()
            return []

    def _note_damage(self) -> None:
        if self.num_damaged == 0:
            self.first_damage = max(self.last_time, 0)
        self.num_damaged += 1

    def _time_of(self, picture: Any) -> float:
        """Seconds from the start."""
        tick = picture.pts
        if self.has_order_only:
            tick = picture.dts
            if tick is not None and self.count == 0:
                self.start_tick = tick
        if tick is None:
            return self.last_time + float(1 / self._rate())
        return float((tick - self.start_tick) * self.stream.time_base)

    def complaint(self, path: str) -> str | None:
        """What was wrong, in one line; None if nothing was."""
        read = f'{self.count} frames, {max(self.end - float(self.about.start), 0):.1f} s'
        if self.live:
            return f'{path}: the stream ended after {read} ({self.why_stopped or "its sender closed it"})'
        if self.count == 0:
            return f'{path}: has no frames that can be read; fetch or record it again'
        if self._breaks_off():
            whole = '' if self.about.end is None else f' of {self.about.end - float(self.about.start):.1f} s'
            return f'{path}: breaks off; read were {read}{whole}; fetch or record it again for the rest'
        if self.num_damaged:
            return (
                f'{path}: damaged in {self.num_damaged} places, the first after {self.first_damage:.1f} s; frames '
                'there may be spoilt or missing'
            )
        return None

    def _breaks_off(self) -> bool:
        too_early = self.about.end is not None and self.end < self.about.end - TOLERANCE
        return bool(self.why_stopped) or too_early


def image_of_frame(picture: Any) -> np.ndarray:
    """A decoded frame as it is to be shown.

    Args:
        picture: an ``av.VideoFrame`` of any pixel format.

    Returns:
        (h, w, 3) uint8 BGR, contiguous, turned and mirrored as the file wants it.
    """
    hd = {'src_colorspace': 'ITU709', 'dst_colorspace': 'ITU601'}  # PyAV before 17 has to be told, and both
    matrix = hd if picture.colorspace == BT709 else {}
    image = picture.to_ndarray(format='bgr24', **matrix)
    data = picture.side_data.get('DISPLAYMATRIX')
    if data is not None:
        image = _turned(image, np.frombuffer(data, np.int32))
    return np.require(image, requirements=['C', 'W'])


def _turned(image: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """An image brought into the display's position, by right angles.

    Args:
        image: (h, w, 3).
        matrix: (9,) a, b, _, c, d, ...: the stored (x, y) is shown at (a x + c y, b x + d y).
    """
    a, b, c, d = matrix[[0, 1, 3, 4]].tolist()
    across, down = a, d
    if abs(b) > abs(a):  # x is shown downwards
        image = cv2.transpose(image)
        across, down = c, b

    if across < 0 and down < 0:
        return cv2.flip(image, -1)
    if across < 0:
        return cv2.flip(image, 1)
    if down < 0:
        return cv2.flip(image, 0)
    return image
