"""Small videos for the tests, made by PyAV."""

import struct
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from cid_mmpose.inference.video.pyav import pyav

pytest.importorskip('av')
av = pyav()  # as the package sets it up, so that no thread of an encoder waits for Python
WIDTH, HEIGHT = 64, 48  # pixels of a frame
SOUND_RATE = 48_000  # samples a second
CLOCK = 12_800  # ticks a second of a clip
ONE = 1 << 16  # of a display matrix
# where a stored (1, 0) and (0, 1) are shown: a, b, c, d of the matrix
MATRICES = {
    'upright': (1, 0, 0, 1),
    'clockwise': (0, 1, -1, 0),
    'upside down': (-1, 0, 0, -1),
    'counterclockwise': (0, -1, 1, 0),
    'mirrored': (-1, 0, 0, 1),
}


def image(number: int = 0, width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """Below red on the left and blue on the right; above the number, five stripes from the left, white for a 1."""
    made = np.zeros((height, width, 3), np.uint8)
    made[height // 2 :, : width // 2] = (0, 0, 250)
    made[height // 2 :, width // 2 :] = (200, 0, 0)
    for bit in range(5):
        made[: height // 2, 8 * bit : 8 * bit + 8] = 255 * (number >> bit & 1)
    return made


def number_of(frame: np.ndarray) -> int:
    """Which of ``image`` a frame shows."""
    stripes = [frame[2:16, 8 * bit + 2 : 8 * bit + 6].mean() > 127 for bit in range(5)]
    return sum(bool(white) << bit for bit, white in enumerate(stripes))


def clip(
    path: Path,
    times: list[float],
    size: tuple[int, int] = (WIDTH, HEIGHT),
    sound: str | None = None,
    pix_fmt: str = 'yuv420p',
    encoder: str = 'libx264',
    clock: int = CLOCK,
    **options: str,
) -> Path:
    """A video of ``image(0)``, ``image(1)``, ... with these times, at 10 frames a second by its header.

    Args:
        path: where to write; its ending is the container.
        times: seconds of each frame.
        size: (width, height) of the frames, px.
        sound: encoder of two seconds of a sine, None for silence.
        pix_fmt: FFmpeg's name of the pixel format.
        encoder: of the images.
        clock: ticks a second.
        options: of the container.
    """
    with av.open(str(path), 'w', options=options) as output:
        stream = output.add_stream(encoder, rate=10, options={'g': '5'})
        stream.width, stream.height = size
        stream.pix_fmt = pix_fmt
        stream.codec_context.time_base = Fraction(1, clock)
        tone = None if sound is None else output.add_stream(sound, rate=SOUND_RATE)
        if tone is not None:
            tone.codec_context.layout = 'mono'
        output.start_encoding()  # so that there is a file without frames, too
        if tone is not None:
            output.mux(sine(tone, seconds=2))
        for number, time in enumerate(times):
            frame = av.VideoFrame.from_ndarray(image(number, *size), 'bgr24').reformat(format=pix_fmt)
            frame.pts = round(time * clock)
            frame.time_base = Fraction(1, clock)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


def sine(stream, seconds: int) -> list:
    """Packets of a tone of 440 Hz."""
    packets = []
    for start in range(0, seconds * SOUND_RATE, 4800):
        phase = 2 * np.pi * 440 / SOUND_RATE * np.arange(start, start + 4800)
        samples = (20_000 * np.sin(phase)).astype(np.int16)[None]
        frame = av.AudioFrame.from_ndarray(samples, 's16', 'mono')
        frame.sample_rate = SOUND_RATE
        frame.pts = start
        frame.time_base = Fraction(1, SOUND_RATE)
        packets += stream.encode(frame)
    return packets + stream.encode(None)


def place_of_packet(path: Path, number: int) -> int:
    """Where in the file a packet of the images begins, bytes; every fifth is one of a whole image."""
    with av.open(str(path)) as container:
        return [packet.pos for packet in container.demux(video=0) if packet.size][number]


def turn(path: Path, how: str) -> Path:
    """Writes a display matrix into the header of the first track of an .mp4.

    Args:
        path: of the file, changed in place.
        how: a name of ``MATRICES``.
    """
    a, b, c, d = MATRICES[how]
    content = bytearray(path.read_bytes())
    at = content.index(b'tkhd') + 4 + 40  # behind version, times, number, duration, layer, group and volume
    content[at : at + 36] = struct.pack('>9i', a * ONE, b * ONE, 0, c * ONE, d * ONE, 0, 0, 0, 1 << 30)
    path.write_bytes(content)
    return path


def sound_of(path: Path) -> tuple[str, float, list[bytes]]:
    """Codec, seconds and packets of a file's sound."""
    with av.open(str(path)) as container:
        stream = container.streams.best('audio')
        packets = [packet for packet in container.demux(stream) if packet.size]
        end = max(packet.pts + packet.duration for packet in packets)
        return stream.codec_context.name, float(end * stream.time_base), [bytes(packet) for packet in packets]
