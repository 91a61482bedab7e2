"""Writing videos: the times and the sound of the source, H.264 or VP9, whole or not at all."""

import os
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import numpy as np

from cid_mmpose.errors import BadInput
from cid_mmpose.files import check_file, partial_path, put_in_place

from .pyav import BT709, About, about, opened, pyav
from .sound import Sound

USUAL_RATE = Fraction(30)  # frames a second where nobody says it
TIME_BASE = Fraction(1, 90_000)  # seconds a tick where the source has none that fits; 1/24, 1/25, 1/29.97 are whole
FINEST = 1_000_000  # ticks a second; .mp4 stores how long a frame is shown in 32 bits
HD = 720  # lines; from there on players take untagged colors as BT.709's, and so we write and tag them
SMPTE170M = 6  # the colors of smaller videos (BT.601)


class Container(NamedTuple):
    """How videos of one ending are written.

    Args:
        muxer: FFmpeg's name.
        encoder: of the images.
        options: of the encoder.
        copied: codecs of sound that are taken over as they are; None for all.
        sound: encoder for others.
    """

    muxer: str
    encoder: str
    options: dict[str, str]
    copied: frozenset[str] | None
    sound: str


# crf: 0 (best) to 51 or 63; these look like the source. preset, cpu-used: so that the network stays the slowest part.
H264 = {'preset': 'veryfast', 'crf': '20'}
VP9 = {'deadline': 'realtime', 'cpu-used': '8', 'row-mt': '1', 'crf': '30', 'b': '0'}
OF_MP4 = frozenset({'aac', 'ac3', 'alac', 'eac3', 'mp3'})
CONTAINERS = {
    '.mp4': Container('mp4', 'libx264', H264, OF_MP4, 'aac'),
    '.m4v': Container('mp4', 'libx264', H264, OF_MP4, 'aac'),
    '.mov': Container('mov', 'libx264', H264, OF_MP4 | {'pcm_s16le', 'pcm_s16be', 'pcm_s24le'}, 'aac'),
    '.mkv': Container('matroska', 'libx264', H264, None, 'aac'),
    '.webm': Container('webm', 'libvpx-vp9', VP9, frozenset({'opus', 'vorbis'}), 'libopus'),
}


class VideoWriter:
    """Writes frames into a video file, which has its name only once it is whole.

    As a context manager it is closed at the end, and leaves nothing where an error ends it::

        with VideoWriter('drawn.mp4', source='clip.mp4') as writer:
            for frame in read_video('clip.mp4'):
                writer.write(drawn(frame.image), frame.time)

    .mp4, .m4v, .mov and .mkv hold H.264, .webm holds VP9; all as 8-bit 4:2:0, which every player takes, so that a last
    column or row is doubled where width or height is odd. Times are kept to a tick of the source's clock; .mkv and
    .webm have ticks of a millisecond.

    Args:
        path: of the new file; its ending says what is written.
        source: where the frames come from: its clock, rate, shape of pixels and sound are taken over. None, and what
            is no file, such as a camera, for none of it.
        fps: frames a second, for frames without times; by default the source's.

    Attributes:
        complaint: one line, if the sound is not what it was in the source.

    Raises:
        BadInput: an ending that is not among these, a folder that cannot be written to, no PyAV.
    """

    def __init__(self, path: str | Path, source: str | Path | None = None, fps: float | None = None) -> None:
        pyav()
        self.path = Path(path)
        self.complaint: str | None = None
        self._kind = _kind_of(self.path)
        check_file(str(path))
        self._source = None if source is None else str(source)
        self._fps = fps
        self._output: _Output | None = None

    def write(self, image: np.ndarray, time: float | None = None) -> None:
        """One frame.

        Args:
            image: (h, w, 3) uint8 BGR; one of another size than the first is scaled to that.
            time: when it is shown, seconds from the start; by default as the number of the frame and ``fps`` have it.
        """
        if self._output is None:
            self._output = _Output(self.path, self._kind, self._about(), self._fps, image.shape)
            self._output.add_sound(self._source)
        self._output.write(image, time)

    def close(self) -> None:
        """Writes what is left, and gives the file its name. Without any frame there is no file."""
        if self._output is None:
            return
        output, self._output = self._output, None
        output.finish()
        self.complaint = output.complaint

    def abort(self) -> None:
        """Removes what was written; an older file of that name stays."""
        if self._output is not None:
            output, self._output = self._output, None
            output.remove()

    def __enter__(self) -> 'VideoWriter':
        return self

    def __exit__(self, kind: type | None, *_: Any) -> None:
        if kind is None:
            self.close()
        else:
            self.abort()

    def _about(self) -> About | None:
        """Of the source, None where there is no file of it: a camera or a stream would be opened a second time."""
        if self._source is None or not (_is_download(self._source) or os.path.isfile(self._source)):
            self._source = None
            return None
        container = opened(self._source)
        try:
            return about(container)
        finally:
            container.close()


def _is_download(source: str) -> bool:
    return urlsplit(source).scheme.lower() in ('http', 'https')


def _kind_of(path: Path) -> Container:
    kind = CONTAINERS.get(path.suffix.lower())
    if kind is None:
        raise BadInput(f'{path}: videos are written as {", ".join(CONTAINERS)}; choose one of these endings')
    return kind


class _Output:
    """An open file of one size of images, under its partial name."""

    def __init__(
        self, path: Path, kind: Container, source: About | None, fps: float | None, shape: tuple[int, ...]
    ) -> None:
        self.path = path
        self.kind = kind
        self.source = source
        self.rate = _rate_of(source, fps)
        self.time_base = TIME_BASE if source is None else _clock_of(source)
        self.last_tick = -1
        self.count = 0
        self.sound: Sound | None = None
        self.partial = partial_path(path)
        options = {'movflags': '+faststart'} if kind.muxer in ('mp4', 'mov') else {}  # plays while it is fetched
        self.container = pyav().open(str(self.partial), 'w', format=kind.muxer, options=options)
        try:
            self.stream = self._stream(*shape[:2])
        except BaseException:
            self.remove()
            raise

    def _stream(self, height: int, width: int) -> Any:
        stream = self.container.add_stream(self.kind.encoder, rate=self.rate, options=dict(self.kind.options))
        stream.width = width + width % 2
        stream.height = height + height % 2
        stream.pix_fmt = 'yuv420p'

        codec = stream.codec_context
        codec.time_base = self.time_base
        self.colors = BT709 if height >= HD else SMPTE170M
        codec.colorspace = codec.color_primaries = codec.color_trc = self.colors
        if self.source is not None and self.source.size == (width, height):  # not where the image was turned
            codec.sample_aspect_ratio = self.source.pixel_aspect
        return stream

    def add_sound(self, source: str | None) -> None:
        """The sound of a file, before the first frame is written.

        Args:
            source: path or URL; None for no sound.
        """
        if source is None or self.source is None:
            return
        try:
            self.sound = Sound(self.container, source, self.source.start, self.kind.copied, self.kind.sound)
        except BaseException:
            self.remove()
            raise

    def write(self, image: np.ndarray, time: float | None) -> None:
        """See ``VideoWriter.write``."""
        when = self.count / self.rate if time is None else Fraction(time)
        tick = round(when / self.time_base)
        tick = max(tick, self.last_tick + 1)  # times of a broken source may stand still or go back

        frame = pyav().VideoFrame.from_ndarray(_even(image), format='bgr24')
        frame = frame.reformat(self.stream.width, self.stream.height, 'yuv420p', dst_colorspace=self._matrix())
        frame.pts = tick
        frame.time_base = self.time_base
        self.container.mux(self.stream.encode(frame))
        if self.sound is not None:
            self.sound.write_until(float(tick * self.time_base))
        self.last_tick = tick
        self.count += 1

    def _matrix(self) -> str:
        return 'ITU709' if self.colors == BT709 else 'ITU601'

    def finish(self) -> None:
        """Writes what is left and gives the file its name."""
        try:
            self.container.mux(self.stream.encode(None))
            if self.sound is not None:
                self.sound.write_until(self._end_of_sound())
                self.sound.close()
            self.container.close()
            put_in_place(self.partial, self.path)
        except BaseException:
            self.remove()
            raise

    def _end_of_sound(self) -> float:
        """The end of the images, seconds; where those of the source are all there, the end of its sound too."""
        end = float(self.last_tick * self.time_base + 1 / self.rate)
        if self.source is None or self.source.end is None:
            return end
        whole = self.source.end - float(self.source.start)
        return float('inf') if end > whole - 2 / float(self.rate) else end

    def remove(self) -> None:
        """Leaves nothing of the new file."""
        try:
            if self.sound is not None:
                self.sound.close()
            self.container.close()
        except (pyav().error.FFmpegError, OSError, ValueError):  # such as a full disk: it goes anyway
            pass
        finally:
            self.partial.unlink(missing_ok=True)

    @property
    def complaint(self) -> str | None:
        """See ``VideoWriter``."""
        if self.sound is None or self.sound.complaint is None:
            return None
        return f'{self.path}: {self.sound.complaint}'


def _rate_of(source: About | None, fps: float | None) -> Fraction:
    if fps is not None:
        return Fraction(fps).limit_denominator(1001)
    if source is None or source.rate is None:
        return USUAL_RATE
    return source.rate


def _clock_of(source: About) -> Fraction:
    """Seconds a tick: the source's, unless it is finer than files can hold."""
    return TIME_BASE if source.time_base < Fraction(1, FINEST) else source.time_base


def _even(image: np.ndarray) -> np.ndarray:
    """An image of even width and height: the last column and row twice where that is needed."""
    height, width = image.shape[:2]
    if height % 2 or width % 2:
        image = np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), mode='edge')
    return np.ascontiguousarray(image)
