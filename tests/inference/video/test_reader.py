"""Reading videos: which frames, when they are shown, which way up, and what is said of files that are not whole."""

import http.server
import os
import threading
from functools import partial

import numpy as np
import pytest

from cid_mmpose.errors import BadInput
from cid_mmpose.inference.video import read_stream, read_video
from tests.helpers.clips import CLOCK, HEIGHT, MATRICES, WIDTH, clip, image, number_of, place_of_packet, turn
from tests.helpers.images import shared

EVENLY = [number / 10 for number in range(20)]
UNEVENLY = [0, 0.1, 0.25, 0.3, 0.4, 0.9, 1.0, 1.1, 1.2, 1.37]


def cut(path, place: int):
    """Leaves only so many bytes of a file."""
    path.write_bytes(path.read_bytes()[:place])
    return path


def open_files(path) -> list[str]:
    """Those of this process that are the file."""
    links = [f'/proc/self/fd/{number}' for number in os.listdir('/proc/self/fd')]
    return [link for link in links if os.path.exists(link) and os.path.samefile(link, path)]


@pytest.mark.parametrize('ending', ['.mp4', '.mkv', '.mov', '.avi', '.ts'])
def test_every_frame_comes_once_and_in_order_with_its_time(tmp_path, ending):
    clock = 10 if ending == '.avi' else CLOCK  # which has no times, but one frame a tick
    video = read_video(clip(tmp_path / f'clip{ending}', EVENLY, clock=clock))
    frames = list(video)
    assert [number_of(frame.image) for frame in frames] == list(range(20))
    assert [frame.number for frame in frames] == list(range(20))
    assert [frame.time for frame in frames] == pytest.approx(EVENLY, abs=1e-5)
    assert video.complaint is None


@pytest.mark.parametrize('ending', ['.mp4', '.mkv'])
def test_a_variable_rate_keeps_its_times(tmp_path, ending):
    frames = list(read_video(clip(tmp_path / f'clip{ending}', UNEVENLY)))
    assert [frame.time for frame in frames] == pytest.approx(UNEVENLY, abs=1 / CLOCK)


def test_images_are_8_bit_bgr_that_the_receiver_may_change(tmp_path):
    frame = next(iter(read_video(clip(tmp_path / 'clip.mp4', EVENLY))))
    assert frame.image.shape == (HEIGHT, WIDTH, 3) and frame.image.dtype == np.uint8
    frame.image[:] = 0
    assert not frame.image.any()


@pytest.mark.parametrize(
    ('pix_fmt', 'encoder'),
    [('yuv420p10le', 'libx264'), ('yuv444p', 'libx264'), ('gray', 'ffv1'), ('gray16le', 'ffv1'), ('bgra', 'ffv1')],
)
def test_pixels_of_every_depth_become_8_bit_bgr(tmp_path, pix_fmt, encoder):
    frame = next(iter(read_video(clip(tmp_path / 'clip.mkv', EVENLY, pix_fmt=pix_fmt, encoder=encoder))))
    inner = frame.image[29:43, 5:28].astype(int)  # of the red corner
    # of a red of 250 grey is the part that red has in brightness by BT.601: 0.299 * 250 = 75
    expected = [75, 75, 75] if 'gray' in pix_fmt else [0, 0, 250]
    assert np.abs(inner - expected).max() <= 6


@pytest.mark.parametrize('how', MATRICES)
def test_frames_are_turned_as_the_file_wants_it(tmp_path, how):
    turns = {
        'upright': lambda x: x,
        'clockwise': lambda x: np.rot90(x, -1),
        'upside down': lambda x: np.rot90(x, 2),
        'counterclockwise': lambda x: np.rot90(x, 1),
        'mirrored': np.fliplr,
    }
    frame = next(iter(read_video(turn(clip(tmp_path / 'clip.mp4', EVENLY), how))))
    expected = turns[how](image(0))
    assert frame.image.shape == expected.shape and frame.image.flags.c_contiguous
    far_off = np.abs(frame.image.astype(int) - expected).max(2) > 30  # colors run where two of them meet
    assert far_off.mean() < 0.03


def test_what_the_container_knows_is_told_without_reading(tmp_path):
    video = read_video(clip(tmp_path / 'clip.mp4', EVENLY))
    assert (video.fps, video.frame_count, video.duration) == pytest.approx((10, 20, 2.0))
    assert read_video(clip(tmp_path / 'clip.mkv', EVENLY)).frame_count is None


def test_a_video_can_be_read_twice_and_nothing_is_open_before_and_after(tmp_path):
    path = clip(tmp_path / 'clip.mp4', EVENLY)
    video = read_video(path)
    assert open_files(path) == []
    assert len(list(video)) == len(list(video)) == 20
    assert open_files(path) == []


def test_stopping_early_closes_the_file(tmp_path):
    path = clip(tmp_path / 'clip.mp4', EVENLY)
    frames = iter(read_video(path))
    next(frames)
    assert len(open_files(path)) == 1
    frames.close()
    assert open_files(path) == []
    for _ in read_video(path):
        break
    assert open_files(path) == []


@pytest.mark.parametrize('name', ['clip.mkv', 'fast.mp4'])
def test_a_broken_tail_is_told_after_the_frames_before_it(tmp_path, name):
    options = {'movflags': '+faststart'} if name.endswith('.mp4') else {}  # the index first
    path = clip(tmp_path / name, EVENLY, **options)
    video = read_video(cut(path, place_of_packet(path, 12) + 5))
    frames = list(video)
    assert [number_of(frame.image) for frame in frames[:10]] == list(range(10))
    assert 10 <= len(frames) <= 12
    said = rf'{name}: breaks off; read were {len(frames)} frames, 1\.\d s of 2\.0 s; fetch or record it again'
    assert video.complaint is not None and video.complaint.startswith(str(tmp_path))
    with pytest.raises(BadInput, match=said):
        raise BadInput(video.complaint)


def test_damage_in_the_middle_costs_the_frames_there_and_is_told(tmp_path):
    path = clip(tmp_path / 'clip.mp4', EVENLY, movflags='+faststart')
    content = bytearray(path.read_bytes())
    start = place_of_packet(path, 11) + 5  # behind the packet's length and kind
    content[start : start + 100] = b'\xff' * 100
    path.write_bytes(content)
    video = read_video(path)
    frames = list(video)
    assert [number_of(frame.image) for frame in frames[:10]] == list(range(10))
    assert number_of(frames[-1].image) == 19 and frames[-1].time == pytest.approx(1.9)
    assert 'damaged in ' in video.complaint and 'frames there may be spoilt or missing' in video.complaint


def test_a_video_whose_header_promises_frames_that_are_not_there_says_so(tmp_path):
    path = clip(tmp_path / 'clip.mp4', EVENLY, movflags='+faststart')
    content = path.read_bytes()
    path.write_bytes(content[: content.index(b'mdat') + 4])
    video = read_video(path)
    assert list(video) == []
    assert video.complaint == f'{path}: has no frames that can be read; fetch or record it again'


def write(path, content: bytes):
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ('name', 'make', 'says'),
    [
        ('text.mp4', lambda path: write(path, b'hello\n' * 1000), 'text.mp4: is no video, or one whose recording'),
        ('text.txt', lambda path: write(path, b'hello\n' * 1000), 'text.txt: is no video, or one whose recording'),
        ('empty.mp4', lambda path: write(path, b''), 'empty.mp4: is empty; fetch or record it again'),
        ('gone.mp4', lambda path: path, 'gone.mp4: no such file'),
        ('folder.mp4', lambda path: path.mkdir(), 'folder.mp4: is a folder; name a video file'),
        ('none.mp4', lambda path: clip(path, []), 'none.mp4: is no video, or one whose recording'),
        ('late.mp4', lambda path: cut(clip(path, EVENLY), 2000), 'late.mp4: is no video, or one whose recording'),
    ],
)
def test_a_file_that_is_no_video_is_one_line_when_it_is_read(tmp_path, name, make, says):
    make(tmp_path / name)
    video = read_video(tmp_path / name)  # so that one bad file among many stops nobody before its turn
    with pytest.raises(BadInput, match=says) as caught:
        next(iter(video))
    assert '\n' not in str(caught.value)


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_) -> None:
        pass


@pytest.fixture
def address(tmp_path):
    """URL of the test's folder."""
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), partial(Quiet, directory=str(tmp_path)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f'http://127.0.0.1:{server.server_port}'
    server.shutdown()
    server.server_close()


def test_a_video_is_read_from_the_network(tmp_path, address):
    clip(tmp_path / 'clip.mkv', EVENLY)
    video = read_video(f'{address}/clip.mkv')
    assert [number_of(frame.image) for frame in video] == list(range(20))
    assert video.complaint is None


def test_the_end_of_a_stream_is_told(tmp_path, address):
    clip(tmp_path / 'clip.ts', EVENLY)
    stream = read_stream(f'{address}/clip.ts')
    assert len(list(stream)) == 20
    assert stream.complaint == f'{address}/clip.ts: the stream ended after 20 frames, 2.0 s (its sender closed it)'


def test_an_address_that_does_not_answer_is_one_line(address):
    with pytest.raises(BadInput, match=r'/gone.mp4: cannot be opened \(.+\); check the address'):
        next(iter(read_video(f'{address}/gone.mp4')))


def test_the_street_is_read_whole():
    video = read_video(shared('video/street.mp4'))
    frames = list(video)
    assert [frame.time for frame in frames] == pytest.approx([0, 0.2, 0.4, 0.6, 0.8])
    assert {frame.image.shape for frame in frames} == {(540, 960, 3)}
    assert (video.frame_count, video.complaint) == (5, None)
