"""Writing videos: whole or not at all, with the times, the size and the sound that they should have."""

import os
from fractions import Fraction

import numpy as np
import pytest

from cid_mmpose.errors import BadInput
from cid_mmpose.inference.video import VideoWriter, read_video
from cid_mmpose.inference.video.writer import CONTAINERS
from tests.helpers.clips import HEIGHT, WIDTH, av, clip, image, number_of, sound_of

EVENLY = [number / 10 for number in range(20)]
UNEVENLY = [0, 0.1, 0.25, 0.3, 0.4, 0.9, 1.0, 1.1, 1.2, 1.37]


def written(source, target, stop: int | None = None) -> VideoWriter:
    """Writes the frames of a video into another, all or the first ``stop``."""
    with VideoWriter(target, source=source) as writer:
        for frame in read_video(source):
            if frame.number == stop:
                break
            writer.write(frame.image, frame.time)
    return writer


@pytest.mark.parametrize('ending', CONTAINERS)
def test_what_is_written_reads_the_same(tmp_path, ending):
    written(clip(tmp_path / 'clip.mp4', EVENLY), tmp_path / f'new{ending}')
    video = read_video(tmp_path / f'new{ending}')
    frames = list(video)
    assert [number_of(frame.image) for frame in frames] == list(range(20))
    assert [frame.time for frame in frames] == pytest.approx(EVENLY)
    assert video.complaint is None and video.fps == pytest.approx(10)


def test_a_variable_rate_is_kept_to_a_tick(tmp_path):
    source = clip(tmp_path / 'clip.mp4', UNEVENLY)
    written(source, tmp_path / 'new.mp4')
    times = [[frame.time for frame in read_video(path)] for path in (source, tmp_path / 'new.mp4')]
    assert times[1] == pytest.approx(times[0], abs=1e-9)
    written(source, tmp_path / 'new.mkv')
    assert [frame.time for frame in read_video(tmp_path / 'new.mkv')] == pytest.approx(UNEVENLY, abs=0.00051)


@pytest.mark.parametrize('size', [(65, 48), (64, 47), (63, 49), (1, 1)])
def test_of_an_odd_size_the_last_column_or_row_is_doubled(tmp_path, size):
    with VideoWriter(tmp_path / 'new.mp4') as writer:
        writer.write(image(0, *size))
    frame = next(iter(read_video(tmp_path / 'new.mp4')))
    height, width = frame.image.shape[:2]
    assert (width - size[0], height - size[1]) == (size[0] % 2, size[1] % 2)


@pytest.mark.parametrize('height', [480, 720])
def test_colors_come_back(tmp_path, height):
    colors = [(200, 30, 30), (30, 200, 30), (30, 30, 200), (128, 128, 128), (255, 255, 255), (0, 0, 0)]
    with VideoWriter(tmp_path / 'new.mp4') as writer:
        for color in colors:
            writer.write(np.full((height, 64, 3), color, np.uint8))
    found = [frame.image[height // 2, 32] for frame in read_video(tmp_path / 'new.mp4')]
    np.testing.assert_allclose(found, colors, atol=6)


def test_frames_without_times_follow_the_rate(tmp_path):
    with VideoWriter(tmp_path / 'new.mp4', fps=29.97) as writer:
        for number in range(5):
            writer.write(image(number))
    video = read_video(tmp_path / 'new.mp4')
    assert [frame.time for frame in video] == pytest.approx([number / 29.97 for number in range(5)], abs=1e-4)


def test_times_that_stand_still_or_go_back_are_moved_on_by_a_tick(tmp_path):
    with VideoWriter(tmp_path / 'new.mp4', fps=10) as writer:
        for moment in (0, 0.1, 0.1, 0.05, 0.3):
            writer.write(image(), moment)
    times = [frame.time for frame in read_video(tmp_path / 'new.mp4')]
    assert times == pytest.approx([0, 0.1, 0.1, 0.1, 0.3], abs=1e-4) and len(set(times)) == 5


def test_a_frame_of_another_size_is_scaled(tmp_path):
    with VideoWriter(tmp_path / 'new.mp4') as writer:
        writer.write(image(0))
        writer.write(image(1, 2 * WIDTH, 2 * HEIGHT))
    assert [frame.image.shape for frame in read_video(tmp_path / 'new.mp4')] == [(HEIGHT, WIDTH, 3)] * 2


def test_the_shape_of_pixels_is_kept(tmp_path):
    source = tmp_path / 'wide.mp4'
    with av.open(str(source), 'w') as output:
        stream = output.add_stream('libx264', rate=10)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, 'yuv420p'
        stream.codec_context.sample_aspect_ratio = Fraction(16, 15)
        output.mux(stream.encode(av.VideoFrame.from_ndarray(image(), 'bgr24')))
        output.mux(stream.encode(None))
    written(source, tmp_path / 'new.mp4')
    assert read_video(tmp_path / 'new.mp4').about.pixel_aspect == Fraction(16, 15)


@pytest.mark.parametrize(
    ('codec', 'source', 'target'),
    [('aac', 'clip.mp4', 'new.mp4'), ('aac', 'clip.mkv', 'new.mkv'), ('libopus', 'clip.mkv', 'new.webm')],
)
def test_sound_is_copied_packet_by_packet(tmp_path, codec, source, target):
    source = clip(tmp_path / source, EVENLY, sound=codec)
    writer = written(source, tmp_path / target)
    before, after = sound_of(source), sound_of(tmp_path / target)
    assert after[2] == before[2] and len(after[2]) > 50
    assert after[1] == pytest.approx(2.0, abs=0.03)
    assert writer.complaint is None


def test_sound_and_images_keep_together_where_the_clock_of_the_source_does_not_begin_at_0(tmp_path):
    source = clip(tmp_path / 'clip.ts', EVENLY, sound='aac')
    writer = written(source, tmp_path / 'new.mp4')
    assert writer.complaint is None

    def lag(path) -> float:
        with av.open(str(path)) as container:
            audio, video = container.streams.best('audio'), container.streams.best('video')
            firsts = {}
            for packet in container.demux(audio, video):
                if packet.pts is not None:
                    firsts.setdefault(packet.stream.type, float(packet.pts * packet.time_base))
        return firsts['audio'] - firsts['video']

    assert lag(tmp_path / 'new.mp4') == pytest.approx(lag(source), abs=1e-3)


def test_sound_goes_into_matroska_without_moving_the_images(tmp_path):
    written(clip(tmp_path / 'clip.mp4', EVENLY, sound='aac'), tmp_path / 'new.mkv')
    assert [frame.time for frame in read_video(tmp_path / 'new.mkv')] == pytest.approx(EVENLY)
    assert sound_of(tmp_path / 'new.mkv')[1] == pytest.approx(2.0, abs=0.03)


def test_sound_that_the_container_does_not_hold_is_encoded_anew_and_that_is_told(tmp_path):
    source = clip(tmp_path / 'clip.mov', EVENLY, sound='pcm_s16le')
    writer = written(source, tmp_path / 'new.mp4')
    codec, seconds, _ = sound_of(tmp_path / 'new.mp4')
    assert codec == 'aac' and seconds == pytest.approx(2.0, abs=0.03)
    assert 'new.mp4: the sound is encoded anew, by aac, because pcm_s16le does not go into' in writer.complaint
    with av.open(str(tmp_path / 'new.mp4')) as container:
        sound = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])
    crossings = np.count_nonzero(np.diff(np.signbit(sound[4800:-4800])))
    assert crossings / 2 / ((len(sound) - 9600) / 48_000) == pytest.approx(440, rel=0.01)


def test_where_writing_stops_early_the_sound_stops_too(tmp_path):
    written(clip(tmp_path / 'clip.mp4', EVENLY, sound='aac'), tmp_path / 'new.mp4', stop=5)
    assert sound_of(tmp_path / 'new.mp4')[1] == pytest.approx(0.5, abs=0.05)


def test_sound_that_is_longer_than_the_images_is_kept_to_its_end(tmp_path):
    written(clip(tmp_path / 'clip.mp4', EVENLY[:10], sound='aac'), tmp_path / 'new.mp4')
    assert sound_of(tmp_path / 'new.mp4')[1] == pytest.approx(2.0, abs=0.03)


@pytest.mark.parametrize('source', [None, 'camera 0', 'rtsp://127.0.0.1:9/live', 'silent.mp4'])
def test_a_source_without_sound_or_file_gives_images_alone(tmp_path, source):
    clip(tmp_path / 'silent.mp4', EVENLY)
    source = str(tmp_path / source) if source == 'silent.mp4' else source
    with VideoWriter(tmp_path / 'new.mp4', source=source) as writer:
        writer.write(image())
    with av.open(str(tmp_path / 'new.mp4')) as container:
        assert [stream.type for stream in container.streams] == ['video']
    assert writer.complaint is None


@pytest.mark.parametrize('error', [RuntimeError('a bug'), KeyboardInterrupt()])
def test_whoever_is_interrupted_leaves_the_old_video_and_nothing_else(tmp_path, error):
    target = tmp_path / 'out' / 'new.mp4'
    target.parent.mkdir()
    target.write_bytes(b'old')
    source = clip(tmp_path / 'clip.mp4', EVENLY, sound='aac')
    with pytest.raises(type(error)), VideoWriter(target, source=source) as writer:
        for _ in range(60):  # the encoder holds back some tens
            writer.write(image())
        assert len(os.listdir(target.parent)) == 2
        raise error
    assert os.listdir(target.parent) == ['new.mp4'] and target.read_bytes() == b'old'


def test_an_aborted_writer_leaves_nothing(tmp_path):
    writer = VideoWriter(tmp_path / 'new.mp4')
    writer.write(image())
    writer.abort()
    writer.close()
    assert os.listdir(tmp_path) == []


def test_without_a_frame_there_is_no_file(tmp_path):
    with VideoWriter(tmp_path / 'new.mp4'):
        pass
    assert os.listdir(tmp_path) == []


def test_a_full_disk_leaves_nothing(tmp_path, monkeypatch):
    def full(partial, path):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr('cid_mmpose.inference.video.writer.put_in_place', full)
    with pytest.raises(OSError, match='No space'), VideoWriter(tmp_path / 'new.mp4') as writer:
        writer.write(image())
    assert os.listdir(tmp_path) == []


def test_an_ending_that_no_video_has_is_refused_with_those_that_there_are(tmp_path):
    with pytest.raises(BadInput, match=r'new.gif: videos are written as .mp4, .m4v, .mov, .mkv, .webm; choose one'):
        VideoWriter(tmp_path / 'new.gif')


@pytest.mark.slow
def test_a_long_video_takes_no_more_memory_than_a_short_one(tmp_path):
    source = clip(tmp_path / 'clip.mp4', [number / 50 for number in range(240)], sound='aac')
    peaks = []
    with VideoWriter(tmp_path / 'new.mp4', source=source) as writer:
        for frame in read_video(source):
            writer.write(np.zeros((480, 640, 3), np.uint8), frame.time)
            peaks.append(resident())
    # 140 frames of 0.9 MB would be 129 MB; the encoder has what it needs after the first 100
    assert max(peaks[100:]) - max(peaks[:100]) < 30e6


def resident() -> int:
    """Bytes of memory that this process has."""
    with open('/proc/self/statm', encoding='ascii') as file:
        return int(file.read().split()[1]) * os.sysconf('SC_PAGE_SIZE')
