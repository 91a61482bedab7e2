"""Pictures from files: any kind OpenCV reads, as 8-bit BGR, oriented as they were annotated."""
import logging
import os.path as osp
from typing import Optional

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from mmengine.fileio import exists, get, isfile
from mmengine.logging import print_log

from cid_mmpose.errors import BadInput
from cid_mmpose.registry import TRANSFORMS

from .headers import AGAIN, INCOMPLETE, MAX_PIXELS, Unusable, problem_of_header, size_of
from .jpeg import is_cut_off, reduced, reduction_of, stored_size
from .picture_array import bgr_of

UNREADABLE = ('error', 'skip')
BYTES_OF_PIXEL = 8  # of the largest kind, four colours of 16 bits
BYTES_OF_HEADER = 2**26
READ_AT = {1: cv2.IMREAD_COLOR, 2: cv2.IMREAD_REDUCED_COLOR_2, 4: cv2.IMREAD_REDUCED_COLOR_4,
           8: cv2.IMREAD_REDUCED_COLOR_8}  # what decodes a JPEG at 1 / s of its size


def decode_picture(data: bytes, shape: Optional[tuple], reduction: int = 1) -> Optional[np.ndarray]:
    """Bytes of a file -> (H, W, 3) uint8 BGR, or None if they are no complete picture.

    A ``reduction`` of ``reduction_of`` gives (H, W) divided by it.

    Greyscale becomes three equal channels, alpha is dropped, 16 bits become 8. A rotation stored in the file is
    applied as any viewer does, unless only the stored pixels have the annotated ``shape`` (H, W).
    """
    if not data or is_cut_off(data):
        return None
    buffer = np.frombuffer(data, np.uint8)
    try:
        picture = cv2.imdecode(buffer, READ_AT[reduction])
    except cv2.error:  # the header claims more pixels than OpenCV takes
        return None
    if picture is not None and shape is not None and picture.shape[:2] != reduced(shape, reduction):
        stored = cv2.imdecode(buffer, READ_AT[reduction] | cv2.IMREAD_IGNORE_ORIENTATION)
        picture = stored if stored.shape[:2] == reduced(shape, reduction) else picture
    return picture


def read_file(path: str, max_pixels: int = MAX_PIXELS) -> bytes:
    """Content of a picture's file, on any back end of mmengine.

    Args:
        path: of the file.
        max_pixels: a file on a disk that is larger than any picture of so many pixels is not read.

    Raises:
        BadInput: there is no such file, or it cannot be read.
    """
    if not exists(path):
        raise BadInput(f'{path}: no such picture; give the path of one, or set data_root and data_prefix of the data set')
    if not isfile(path):  # a folder, or a pipe, which would be waited for
        raise BadInput(f'{path}: is no file; give the path of a picture, or set data_root and data_prefix of the data set')
    if osp.isfile(path) and osp.getsize(path) > BYTES_OF_PIXEL * max_pixels + BYTES_OF_HEADER:
        raise BadInput(f'{path}: {osp.getsize(path)} bytes are more than a picture of max_pixels={max_pixels} of '
                       'cid_mmpose.LoadPicture has; set that higher, or leave the picture out (of the annotation file)')
    try:
        return get(path)
    except OSError as error:
        raise BadInput(f'{path}: cannot be read ({error.strerror}); see to that first') from None


def may_be(size: Optional[tuple], annotated: Optional[tuple]) -> bool:
    """Whether a picture stored with ``size`` (H, W) can be shown as the annotated one, turned or not; True where either
    is unknown.
    """
    if size is None or annotated is None:
        return True
    return tuple(annotated) in (tuple(size), tuple(size[::-1]))


def full_shape(picture: np.ndarray, data: bytes, reduction: int) -> tuple:
    """(H, W) that the file's picture has at full size, turned as the decoded ``picture`` is."""
    if reduction == 1:
        return picture.shape[:2]
    height, width = stored_size(data)
    return (height, width) if picture.shape[:2] == reduced((height, width), reduction) else (width, height)


@TRANSFORMS.register_module()
class LoadPicture(BaseTransform):
    """Loads ``img_path`` into ``img``, unless ``img`` is there already: BGR, grey or BGRA, as ``bgr_of`` takes it.

    Adds ``img_shape`` and ``ori_shape`` (H, W), in whose pixels people, regions and answers are, and ``reduction``: the
    picture's pixels per pixel of ``img``, 1 unless ``shortest`` is set.

    Args:
        shortest: a JPEG much larger than the input is read at 1/2, 1/4 or 1/8 of its size, which takes a fraction of
            the time, as long as its short side keeps this many pixels. Give the input's short side, in training over
            the smallest scale of ``RandomAffine``: 512 and 512 / 0.75 = 683. None, the default, reads everything whole:
            a reduced pixel is the mean of those it stands for where bilinear sampling picks some of them, so that
            pictures come out smoother than those of the published results. COCO's, at most 640 pixels, are never
            reduced for an input of 512. Goes with ``RandomAffine``, ``LossMask`` and ``ResizePicture``, which
            know ``reduction``; MMPose's own transforms do not.
        unreadable: what to do about a file that holds no complete picture: 'error' stops; 'skip' goes on with another
            picture of the data set and logs how many were left out so far (by this worker).
        max_pixels: a file whose header claims more pixels is not decoded: it counts as unreadable. OpenCV itself takes
            up to 2^30.

    Raises:
        BadInput: the file does not exist, holds no complete picture, or is not as large as its annotation says; or an
            array is no picture.
    """

    def __init__(self, *, unreadable: str = 'error', shortest: Optional[int] = None, max_pixels: int = MAX_PIXELS
                 ) -> None:
        if unreadable not in UNREADABLE:
            raise ValueError(f'unreadable must be one of {UNREADABLE}, got {unreadable!r}')
        if shortest is not None and shortest <= 0:
            raise ValueError(f'LoadPicture: shortest must be above 0 pixels or None, got {shortest!r}')
        if not max_pixels > 0:
            raise ValueError(f'LoadPicture: max_pixels must be above 0, got {max_pixels!r}')
        self.unreadable, self.shortest, self.max_pixels = unreadable, shortest, max_pixels
        self.skipped = set()

    def transform(self, results: dict) -> Optional[dict]:
        """See the class; None asks the data set for another picture."""
        if 'img' in results:
            results['img'] = bgr_of(results['img'])
            shape, reduction = results['img'].shape[:2], 1
        else:
            path, annotated = results['img_path'], results.get('ann_shape')
            data = read_file(path, self.max_pixels)
            stored = size_of(data)
            if problem := problem_of_header(data, stored, self.max_pixels):
                return self._leave_out(path, problem)
            if not may_be(stored, annotated):
                check_shape(path, stored, annotated)
            reduction = reduction_of(data, self.shortest)
            picture = results['img'] = decode_picture(data, annotated, reduction)
            if picture is None:
                return self._leave_out(path, Unusable(INCOMPLETE, AGAIN))
            shape = full_shape(picture, data, reduction)
            check_shape(path, shape, annotated)
        results.update(img_shape=shape, ori_shape=shape, reduction=reduction)
        return results

    def _leave_out(self, path: str, problem: Unusable) -> None:
        """What happens to a file whose picture is not complete, or not to be decoded."""
        if self.unreadable == 'error':
            raise BadInput(f'{path}: {problem.text}; {problem.way_out}')
        if path in self.skipped:
            return
        self.skipped.add(path)
        print_log(f'{path}: {problem.text}, left out ({len(self.skipped)} so far)', 'current', logging.WARNING)


def check_shape(path: str, shape: tuple, annotated: Optional[tuple]) -> None:
    """BadInput if a picture's (H, W) is not the annotated one, where there is one."""
    if annotated is not None and shape != tuple(annotated):
        raise BadInput(f"{path}: is {shape[1]} x {shape[0]} pixels, but fields 'width' and 'height' of its annotation "
                       f'say {annotated[1]} x {annotated[0]}; the file is not the annotated one')
