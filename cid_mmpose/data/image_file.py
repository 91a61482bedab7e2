"""Files of images: read with checks before, decoded by OpenCV to 8-bit BGR, oriented as they were annotated."""

import os.path as osp

import cv2
import numpy as np

from cid_mmpose.errors import BadInput

from .headers import MAX_PIXELS
from .jpeg import is_cut_off, reduced
from .storage import content_of, exists, is_file

BYTES_OF_PIXEL = 8  # of the largest kind, four colours of 16 bits
BYTES_OF_HEADER = 2**26
READ_AT = {
    1: cv2.IMREAD_COLOR,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    8: cv2.IMREAD_REDUCED_COLOR_8,
}  # what decodes a JPEG at 1 / s of its size


def decode_image(data: bytes, shape: tuple | None, reduction: int = 1) -> np.ndarray | None:
    """Decodes the bytes of a file.

    Greyscale becomes three equal channels, alpha is dropped, 16 bits become 8. A rotation stored in the file is
    applied as any viewer does, unless only the stored pixels have the annotated ``shape``.

    Args:
        data: of the file.
        shape: (H, W) in pixels as annotated; None if nothing is.
        reduction: of ``reduction_of``; both sides are divided by it.

    Returns:
        (H, W, 3) uint8 BGR, or None if the bytes are no complete image.
    """
    if not data or is_cut_off(data):
        return None
    buffer = np.frombuffer(data, np.uint8)
    flags = READ_AT[reduction]
    try:
        image = cv2.imdecode(buffer, flags)
    except cv2.error:  # the header claims more pixels than OpenCV takes
        return None
    if image is None or shape is None:
        return image

    wanted = reduced(shape, reduction)
    if image.shape[:2] == wanted:
        return image
    stored = cv2.imdecode(buffer, flags | cv2.IMREAD_IGNORE_ORIENTATION)
    if stored.shape[:2] == wanted:
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
