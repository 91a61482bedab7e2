"""Files of images: read with checks before, decoded by OpenCV to 8-bit BGR, oriented as they were annotated."""

import os.path as osp

import cv2
import numpy as np

from cid_mmpose.errors import BadInput

from .headers import MAX_PIXELS, is_cut_off
from .storage import content_of, exists, is_file

BYTES_OF_PIXEL = 8  # of the largest kind, four colours of 16 bits
BYTES_OF_HEADER = 2**26


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
