"""People on their own image: which image that is, and the file that it becomes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from cid_mmpose.data.headers import Unusable
from cid_mmpose.data.image_file import OtherSize, image_of_bytes, read_file
from cid_mmpose.errors import BadInput
from cid_mmpose.files import write_whole
from cid_mmpose.visualization import ColourMemory, draw_crowd

if TYPE_CHECKING:
    from .people import People


def draw(people: People, image: np.ndarray | None, options: dict[str, Any]) -> np.ndarray:
    """See ``People.draw``."""
    return draw_crowd(
        image_of_people(people, image),
        people.keypoints,
        people.keypoint_scores,
        people.keypoint_set,
        people.scores,
        people.boxes,
        **options,
    )


class Drawer:
    """Draws people on image after image; in the frames of a video each person keeps a colour.

    Args:
        options: as ``People.draw`` takes them.
    """

    def __init__(self, **options: Any) -> None:
        self.options = options
        self.path: str | None = None
        self.frame = -1  # the last one of the video
        self.memory = ColourMemory()

    def draw(self, people: People) -> np.ndarray:
        """The image with its people drawn, (h, w, 3) uint8 BGR."""
        if people.frame is None:
            return people.draw(**self.options)
        if people.path != self.path or people.frame < self.frame:
            self.memory = ColourMemory()
        self.path = people.path
        self.frame = people.frame
        return people.draw(colour_memory=self.memory, **self.options)


def save(people: People, path: str | Path, image: np.ndarray | None, options: dict[str, Any]) -> None:
    """See ``People.save``."""
    ending = Path(path).suffix
    if not ending or not cv2.haveImageWriter(f'image{ending}'):
        raise BadInput(f'{path}: no kind of image that OpenCV writes; let the name end in .png or .jpg')
    drawn = draw(people, image, options)
    written, content = cv2.imencode(ending, drawn)
    if not written:
        raise BadInput(f'{path}: OpenCV cannot write this image as {ending}; let the name end in .png')
    write_whole(path, content.tobytes())


def image_of_people(people: People, image: np.ndarray | None = None) -> np.ndarray:
    """The image that people were found in, (h, w, 3) uint8 BGR.

    Args:
        people: with an image, or the path of one.
        image: the one to take; None takes what the people have.

    Raises:
        BadInput: there is none, its file holds none, or it has another size than the one that they were found in.
    """
    if image is None:
        image = people.image
    if image is None:
        return _read(people)

    height, width = np.shape(image)[:2]
    if (width, height) != people.image_size:
        raise BadInput(f'draw: the image is {width} x {height} px, but the people were found in {_size(people)}')
    return image


def _read(people: People) -> np.ndarray:
    """The image of the people's file."""
    path = people.path
    if path is None:
        raise BadInput('draw: these people came from an array that was not kept; give it, as in people.draw(image)')
    if people.frame is not None:
        raise BadInput(f'{path}, frame {people.frame}: was not kept; give its image, as in people.draw(image)')

    width, height = people.image_size
    try:
        image = image_of_bytes(read_file(path), path, (height, width))
    except OtherSize as other:
        now = f'{other.width} x {other.height} px'
        raise BadInput(f'{path}: is {now} now, but the people were found in {_size(people)}; give that image') from None
    if isinstance(image, Unusable):
        raise BadInput(f'{path}: {image.text}')
    return image


def _size(people: People) -> str:
    width, height = people.image_size
    return f'one of {width} x {height} px'
