"""The sound of one video for another: copied where the new file can hold it, else encoded anew, else left out."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from .pyav import opened, pyav, reason


class Sound:
    """The sound of a file, put into another one bit by bit, as far as the images there have come.

    Args:
        output: an ``av.container.OutputContainer`` to which nothing was written yet; it gets a stream for the sound.
        source: path of the file, or its URL.
        start: where the presentation begins on the source's clock, seconds.
        copied: codecs that ``output`` takes over as they are; None for all.
        encoder: for others.

    Attributes:
        complaint: None, or what was done to the sound, or why it is missing.
    """

    def __init__(self, output: Any, source: str, start: Fraction, copied: frozenset[str] | None, encoder: str) -> None:
        self.error = pyav().error.FFmpegError
        self.complaint: str | None = None
        self.output = output
        self.start = start
        self.reached = 0.0  # seconds of sound that are written
        self.container = opened(source)
        self.stream = self.container.streams.best('audio')
        self.packets: Iterator[Any] = iter(())
        if self.stream is not None:
            self.packets = self._of_source(copied, encoder)

    def _of_source(self, copied: frozenset[str] | None, encoder: str) -> Iterator[Any]:
        """Packets for the output, which has a stream for them when this returns."""
        codec = _name_of(self.stream)
        try:
            if copied is None or codec in copied:
                target = self.output.add_stream_from_template(self.stream)
                return self._copied(target)
            target = self._encoder(encoder)
            self.complaint = f'the sound is encoded anew, by {encoder}, because {codec} does not go into such a file'
            return self._encoded(target)
        except (self.error, ValueError) as error:
            self.complaint = f'the sound is left out ({codec}: {reason(error)})'
            return iter(())

    def _encoder(self, name: str) -> Any:
        rate = self.stream.rate
        if name == 'libopus':
            rate = 48_000  # the one rate that all its players have
        target = self.output.add_stream(name, rate=rate)
        target.codec_context.layout = 'mono' if self.stream.codec_context.channels == 1 else 'stereo'
        return target

    def _copied(self, target: Any) -> Iterator[Any]:
        shift = round(self.start / self.stream.time_base)
        for packet in self.container.demux(self.stream):
            if packet.pts is None or packet.size == 0:
                continue
            packet.pts -= shift
            packet.dts = packet.pts
            if packet.pts < 0 and not self._keeps_what_lies_before():
                continue
            self.reached = float((packet.pts + (packet.duration or 0)) * packet.time_base)
            packet.stream = target
            yield packet

    def _keeps_what_lies_before(self) -> bool:
        """Whether the output has room for the first bit of sound, which a decoder needs and nobody hears.

        Into Matroska it goes from Matroska only; from elsewhere it would push everything else back.
        """
        both = (self.output.format.name, self.container.format.name)
        return 'matroska' not in both[0] and 'webm' not in both[0] or 'matroska' in both[1]

    def _encoded(self, target: Any) -> Iterator[Any]:
        for packet in self.container.demux(self.stream):
            try:
                frames = packet.decode()
            except self.error:
                continue  # a damaged bit of sound
            for frame in frames:
                if frame.pts is None:
                    continue
                frame.pts -= round(self.start / frame.time_base)
                self.reached = float(frame.pts * frame.time_base) + frame.samples / frame.sample_rate
                if frame.pts >= 0:
                    yield from target.encode(frame)
        yield from target.encode(None)

    def write_until(self, time: float) -> None:
        """Writes on.

        Args:
            time: seconds from the start.
        """
        try:
            while self.reached < time:
                packet = next(self.packets, None)
                if packet is None:
                    return
                self.output.mux(packet)
        except self.error as error:
            self.packets = iter(())
            self.complaint = f'the sound ends at {self.reached:.1f} s ({reason(error)})'

    def close(self) -> None:
        """Closes the source."""
        self.container.close()


def _name_of(stream: Any) -> str:
    """A codec's own name: decoders have others, such as mp3float."""
    name = stream.codec_context.name
    return 'mp3' if name.startswith('mp3') else name
