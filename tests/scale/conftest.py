"""A finder of people without a network, a small one with, and many small images."""

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from cid_mmpose.errors import BadInput
from cid_mmpose.inference.finder import PeopleFinder
from cid_mmpose.inference.keypoints import KeypointSet
from cid_mmpose.inference.options import PredictOptions
from cid_mmpose.oks import Best
from tests.helpers.work_folder import write_work_folder

SET = KeypointSet(('head', 'foot'), ((0, 1),), (0, 1), (0.1, 0.2))


class Corners(PeopleFinder):
    """Finds as many people as the top left pixel is blue, n * 0.1 their scores; keeps the names that it was asked."""

    def __init__(self, **options) -> None:
        super().__init__(SET, PredictOptions(**options), 'corners.pth', 1)
        self.asked: list[str] = []

    def pack(self, image: np.ndarray, path: str | None = None) -> np.ndarray:
        if image.shape[0] == 1:
            raise BadInput(f'{path}: is too small')
        self.asked.append(str(path))
        return image

    def size_of(self, packed: np.ndarray) -> tuple[int, ...]:
        return packed.shape

    def compute(self, packed: list[np.ndarray]) -> list[Best]:
        return [self.best_of(int(image[0, 0, 0])) for image in packed]

    def best_of(self, count: int) -> Best:
        ranks = np.arange(count, dtype=np.float32)
        keypoints = np.stack([np.stack([ranks, ranks + 0.12345], 1), np.stack([ranks + 5, ranks + 7], 1)], 1)
        scores = 0.9 - ranks / 10
        boxes = np.concatenate([keypoints.min(1), keypoints.max(1)], 1).reshape(count, 4)
        return Best(keypoints.reshape(count, 2, 2), np.repeat(scores[:, None], 2, 1), scores, boxes, keypoints.mean(1))


@pytest.fixture
def finder() -> Corners:
    return Corners()


def write_images(folder: Path, count: int, bad: tuple[int, ...] = ()) -> list[str]:
    """Images of 8 x 6 pixels with 0, 1, 2, 0, ... people for ``Corners``, some of them cut off; their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number in range(count):
        path = folder / f'{number:04d}.png'
        image = np.full((6, 8, 3), number % 3, np.uint8)
        data = cv2.imencode('.png', image)[1].tobytes()
        path.write_bytes(data[:40] if number in bad else data)
        paths.append(str(path))
    return paths


@pytest.fixture
def images(tmp_path) -> list[str]:
    """Twelve images, of which the fourth and the last cannot be read."""
    return write_images(tmp_path / 'images', 12, bad=(3, 11))


@pytest.fixture(scope='session')
def work_folder(tmp_path_factory) -> Path:
    """A small network that finds people everywhere."""
    return write_work_folder(tmp_path_factory.mktemp('work'))


@pytest.fixture(scope='session')
def many(tmp_path_factory) -> Path:
    """2000 small images with smooth noise, no two of one name, 20 of them cut off."""
    folder = tmp_path_factory.mktemp('many')
    for number in range(2000):
        path = folder / f'{number:04d}.jpg'
        if number < 50:
            rough = np.random.default_rng(number).integers(0, 256, (12, 16, 3), np.uint8)
            cv2.imwrite(str(path), cv2.resize(rough, [(96, 64), (64, 96)][number % 2], interpolation=cv2.INTER_CUBIC))
        elif number % 100 == 77:
            path.write_bytes((folder / '0000.jpg').read_bytes()[:300])
        else:
            os.link(folder / f'{number % 50:04d}.jpg', path)
    return folder
