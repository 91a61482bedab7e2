"""A work folder with a network that finds people everywhere, and a folder of images."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.helpers.work_folder import write_work_folder


@pytest.fixture(scope='session')
def work_folder(tmp_path_factory) -> Path:
    """With a config, a best checkpoint that carries it, and no other one."""
    return write_work_folder(tmp_path_factory.mktemp('work'))


@pytest.fixture
def images(tmp_path) -> Path:
    """A folder of five images of three sizes: smooth noise, no two alike."""
    folder = tmp_path / 'images'
    folder.mkdir()
    for number, size in enumerate([(160, 120), (120, 160), (160, 120), (200, 100), (120, 160)]):
        rough = np.random.default_rng(number).integers(0, 256, (12, 16, 3), np.uint8)
        cv2.imwrite(str(folder / f'{number}.png'), cv2.resize(rough, size, interpolation=cv2.INTER_CUBIC))
    return folder
