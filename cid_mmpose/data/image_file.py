"""Files of images: read with checks before, decoded by OpenCV to 8-bit BGR, oriented as they were annotated."""

import os.path as osp

import cv2
import numpy as np

from cid_mmpose.errors import BadInput

from .headers import AGAIN, INCOMPLETE, MAX_PIXELS, Unusable, is_cut_off, lacks_reader, problem_of_header, size_of
from .storage import content_of, exists, is_file

BYTES_OF_PIXEL = 8  # of the largest kind, four colours of 16 bits
BYTES_OF_HEADER = 2**26


class OtherSize(BadInput):
    """An image is not of the annotated size.

    Args:
        path: of the image.
        shape: its (H, W) in pixels.
        annotated: (H, W) in pixels.
    """

    def __init__(self, path: str, shape: tuple, annotated: tuple) -> None:
        self.height, self.width = shape
        super().__init__(
            f"{path}: is {shape[1]} x {shape[0]} pixels, but fields 'width' and 'height' of its annotation "
            f'say {annotated[1]} x {annotated[0]}; the file is not the annotated one'
        )


def image_of_bytes(
    data: bytes, name: str, annotated: tuple | None = None, max_pixels: int = MAX_PIXELS
) -> np.ndarray | Unusable:
    """The image in the bytes of a file, whose header is looked at before anything is decoded.

    Args:
        data: of the file.
        name: what the messages call it.
        annotated: (H, W) in pixels; None if nothing is.
        max_pixels: an image of more is not decoded.

    Returns:
        (H, W, 3) uint8 BGR; or why there is none.

    Raises:
        OtherSize: it is not of the annotated size.
        BadInput: the program that reads its header is missing.
    """
    if lacks_reader(data):
        raise BadInput(f'{name}: the header of this kind of image is read by Pillow: pip install pillow')
    stored = size_of(data)
    problem = problem_of_header(data, stored, max_pixels)
    if problem:
        return problem
    if not may_be(stored, annotated):
        check_shape(name, stored, annotated)

    image = decode_image(data, annotated)
    if image is None:
        return Unusable(INCOMPLETE, AGAIN)
    check_shape(name, image.shape[:2], annotated)
    return image


def decode_image(data: bytes, shape: tuple | None) -> np.ndarray | None:
    """Decodes the bytes of a file.

    Greyscale becomes three equal channels, alpha is dropped, 16 bits become 8. A rotation stored in the file is
    applied as any viewer does, unless only the stored pixels have the annotated ``shape``.

    Args:
        data: of the file.
        shape: (H, W) in pixels as annotated; None if nothing is.

    Returns:
        (H, W, 3) uint8 BGR, or None if the bytes are no complete image.
    """
    if not data or is_cut_off(data):
        return None
    buffer = np.frombuffer(data, np.uint8)
    try:
        image = cv2.imdecode(buffer, cv2.IMREAD_COLOR)
    except cv2.error:  # the header claims more pixels than OpenCV takes
        return None
    if image is None or shape is None or image.shape[:2] == tuple(shape):
        return image

    stored = cv2.imdecode(buffer, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    if stored.shape[:2] == tuple(shape):
        return stored
    return image


def read_file(path: str, max_pixels: int = MAX_PIXELS) -> bytes:
    """Content of an image's file, on any back end of mmengine.

    Args:
        path: of the file.
        max_pixels: a file on a disk that is larger than any image of so many pixels is not read.

    Raises:
        BadInput: there is no such file, or it cannot be read.
    """
    if not exists(path):
        raise BadInput(f'{path}: no such image; give the path of one, or set data_root and data_prefix of the data set')
    if not is_file(path):  # a folder, or a pipe, which would be waited for
        raise BadInput(
            f'{path}: is no file; give the path of an image, or set data_root and data_prefix of the data set'
        )
    if osp.isfile(path) and osp.getsize(path) > BYTES_OF_PIXEL * max_pixels + BYTES_OF_HEADER:
        raise BadInput(
            f'{path}: {osp.getsize(path)} bytes are more than an image of max_pixels={max_pixels} of '
            'cid_mmpose.LoadImage has; set that higher, or leave the image out (of the annotation file)'
        )
    try:
        return content_of(path)
    except OSError as error:
        raise BadInput(f'{path}: cannot be read ({error.strerror}); see to that first') from None


def may_be(size: tuple | None, annotated: tuple | None) -> bool:
    """Whether an image stored with ``size`` (H, W) can be shown as the annotated one, turned or not; True where either
    is unknown.
    """
    if size is None or annotated is None:
        return True
    return tuple(annotated) in (tuple(size), tuple(size[::-1]))


def check_shape(path: str, shape: tuple, annotated: tuple | None) -> None:
    """OtherSize if an image's (H, W) is not the annotated one, where there is one."""
    if annotated is not None and shape != tuple(annotated):
        raise OtherSize(path, shape, annotated)
