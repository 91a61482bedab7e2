"""What a source turns out to be: which images in which order, and what each is called."""

import itertools

import cv2
import numpy as np
import pytest

from cid_mmpose.errors import BadInput
from cid_mmpose.inference.sources import find


class Capture:
    """In place of OpenCV's camera: grey images without an end."""

    def __init__(self, number: int) -> None:
        self.number = number

    def isOpened(self) -> bool:
        return True

    def read(self) -> tuple:
        return True, np.full((4, 6, 3), self.number, np.uint8)

    def release(self) -> None:
        pass


def images(count: int, *shape: int) -> np.ndarray:
    """(count, *shape) uint8, no two values of an image alike."""
    return np.random.default_rng(0).integers(0, 256, (count, *shape), np.uint8)


@pytest.mark.parametrize('channels', ['bgr', 'rgb'])
@pytest.mark.parametrize('colours', [3, 4])
def test_an_array_of_four_axes_is_several_images_in_order(channels, colours):
    given = images(3, 5, 7, colours)
    found = find(given, channels)
    items = list(found.items)
    assert found.total == 3 and not found.endless
    assert [(item.path, item.frame) for item in items] == [(None, None)] * 3
    order = [0, 1, 2] if channels == 'bgr' else [2, 1, 0]
    np.testing.assert_array_equal([item.load() for item in items], given[..., order])


def test_an_array_without_images_is_no_image_at_all():
    found = find(images(0, 5, 7, 3))
    assert found.total == 0 and list(found.items) == []


def test_an_array_of_five_axes_is_refused_when_its_image_is_asked_for():
    (item,) = find(images(1, 2, 5, 7, 3)).items
    with pytest.raises(BadInput, match=r'has shape \(1, 2, 5, 7, 3\)'):
        item.load()


def test_the_path_of_an_image_from_the_web_is_its_url():
    url = 'https://somewhere.example/people/a.jpg?size=large'
    (item,) = find(url).items  # nothing is fetched before it is loaded
    assert item.path == url and not item.is_file and item.frame is None


@pytest.mark.parametrize('source', [3, '3', np.int64(3)])
def test_the_path_of_a_camera_is_its_number_in_words(monkeypatch, source):
    monkeypatch.setattr(cv2, 'VideoCapture', Capture)
    found = find(source)
    items = list(itertools.islice(found.items, 2))
    assert found.endless and found.total is None
    assert [(item.path, item.frame) for item in items] == [('camera 3', 0), ('camera 3', 1)]
    assert items[1].load()[0, 0].tolist() == [3, 3, 3]
