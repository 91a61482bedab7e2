"""What a run shows while it works: lines beside its bar of progress, and a window with the images."""

import os
import sys

import cv2
import numpy as np
from tqdm import tqdm

from cid_mmpose.errors import BadInput

NO_SCREEN = '--show: there is no screen, or OpenCV has no windows (opencv-python-headless)'
SCREENS = ('DISPLAY', 'WAYLAND_DISPLAY', 'QT_QPA_PLATFORM')  # one of them is set where Linux has a screen


def check_screen() -> None:
    """BadInput if there is no screen; OpenCV's windows end the whole process where they find none."""
    if sys.platform.startswith('linux') and not any(os.environ.get(name) for name in SCREENS):
        raise BadInput(NO_SCREEN)


def show(image: np.ndarray) -> bool:
    """Shows an image (h, w, 3) uint8 BGR in a window; False when its user wants no more (q or Escape).

    Raises:
        BadInput: there is no screen, or OpenCV was built without windows.
    """
    try:
        cv2.imshow('cid', image)
        key = cv2.waitKey(1) & 0xFF
    except cv2.error as error:
        raise BadInput(NO_SCREEN) from error
    return key not in (ord('q'), 27)


def tell(text: str) -> None:
    """One line on the screen, beside the bar of progress."""
    tqdm.write(text, file=sys.stderr)
