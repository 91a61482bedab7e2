"""Cameras: frames without an end of their own, and one line where there is none."""

import itertools

import cv2
import numpy as np
import pytest

from cid_mmpose.errors import BadInput
from cid_mmpose.inference.video import read_camera


class Capture:
    """In place of OpenCV's: so many images, each of its own brightness."""

    released = 0

    def __init__(self, number: int) -> None:
        self.left = iter(range(number))

    def isOpened(self) -> bool:
        return True

    def read(self) -> tuple:
        level = next(self.left, None)
        if level is None:
            return False, None
        return True, np.full((4, 6, 3), level, np.uint8)

    def release(self) -> None:
        Capture.released += 1


def test_a_camera_gives_numbered_frames_until_one_stops_and_is_switched_off(monkeypatch):
    monkeypatch.setattr(cv2, 'VideoCapture', Capture)
    before = Capture.released
    camera = read_camera(1000)
    assert Capture.released == before
    frames = list(itertools.islice(camera, 3))
    assert [(frame.number, int(frame.image[0, 0, 0])) for frame in frames] == [(0, 0), (1, 1), (2, 2)]
    times = [frame.time for frame in frames]
    assert times[0] == 0 and times == sorted(times)
    assert Capture.released == before + 1 and camera.complaint is None


def test_a_camera_that_stops_by_itself_is_told(monkeypatch):
    monkeypatch.setattr(cv2, 'VideoCapture', Capture)
    camera = read_camera(2)
    assert len(list(camera)) == 2
    assert camera.complaint == 'camera 2: gave no more images after 2 frames; see whether it is still plugged in'


def test_a_camera_that_is_not_there_is_one_line_and_opencv_keeps_quiet(capfd):
    says = '^camera 97: is not there, or another program has it; the system names'
    with pytest.raises(BadInput, match=says) as caught:
        next(iter(read_camera(97)))
    assert '\n' not in str(caught.value)
    assert capfd.readouterr().err == ''
