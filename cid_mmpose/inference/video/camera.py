"""Frames of a camera at this machine, by OpenCV, as they come."""

import glob
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import cv2

from cid_mmpose.errors import BadInput

from .reader import Frame

MOST = 2**31 - 1  # what OpenCV takes
SILENT = 0  # OpenCV's level of messages


class Camera:
    """The frames of a camera, without an end of their own: ``for frame in camera``.

    The camera is switched on with the first frame that is asked for, and off when the loop is left.

    Args:
        number: 0 is the first one.

    Attributes:
        path: what it is called.
        live: True, as for streams.
        complaint: one line, once the camera has stopped by itself.
    """

    live = True

    def __init__(self, number: int) -> None:
        self.number = number
        self.path = f'camera {number}'
        self.complaint: str | None = None

    def __iter__(self) -> Iterator[Frame]:
        """The frames, their times from the first one on.

        Raises:
            BadInput: there is no such camera, or another program has it.
        """
        self.complaint = None
        with _quiet():
            capture = cv2.VideoCapture(self.number)
        try:
            if not capture.isOpened():
                raise BadInput(f'{self.path}: is not there, or another program has it; {_cameras()}')
            yield from self._frames(capture)
        finally:
            capture.release()

    def _frames(self, capture: cv2.VideoCapture) -> Iterator[Frame]:
        number = 0
        start = 0.0
        while True:
            is_there, image = capture.read()
            now = time.monotonic()
            if not is_there:
                break
            if number == 0:
                start = now
            yield Frame(image, number, now - start)
            number += 1
        self.complaint = f'{self.path}: gave no more images after {number} frames; see whether it is still plugged in'


def read_camera(number: int) -> Camera:
    """The frames of a camera.

    Args:
        number: 0 is the first one.

    Raises:
        BadInput: no camera can have such a number.
    """
    if number > MOST:
        raise BadInput(f'camera {number}: no camera has such a number; {_cameras()}')
    return Camera(number)


def _cameras() -> str:
    numbers = [int(re.sub(r'\D', '', name)) for name in glob.glob('/dev/video*') if re.search(r'\d$', name)]
    if not numbers:
        return 'the system names no camera (/dev/video*)'
    return f'the system names: {", ".join(map(str, sorted(numbers)))}'


@contextmanager
def _quiet() -> Iterator[None]:
    """Without OpenCV's own warnings, which come beside our error."""
    # newer versions of OpenCV have the functions in a module of their own
    log: Any = getattr(cv2.utils, 'logging', cv2)
    level = log.getLogLevel()
    log.setLogLevel(SILENT)
    try:
        yield
    finally:
        log.setLogLevel(level)
