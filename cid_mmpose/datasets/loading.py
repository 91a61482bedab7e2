"""Pictures from files: any kind OpenCV reads, as 8-bit BGR, oriented as they were annotated."""
from typing import Optional

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from mmengine.fileio import exists, get
from mmengine.logging import print_log

from cid_mmpose.errors import BadInput
from cid_mmpose.registry import TRANSFORMS

UNREADABLE = ('error', 'skip')
JPEG, SCAN, END = b'\xff\xd8', b'\xff\xda', b'\xff\xd9'  # marks of a JPEG file


def is_cut_off(data: bytes) -> bool:
    """Whether the bytes of a JPEG file end before the picture does.

    OpenCV before 4.11 fills the rest with whatever the memory held; of other formats it gives no picture at all.
    """
    return data.startswith(JPEG) and END not in data[first_scan(data):]


def first_scan(data: bytes) -> int:
    """Where the pixels of a JPEG file begin: behind its header, whose thumbnail has an end mark of its own."""
    at = len(JPEG)
    while data[at:at + 1] == b'\xff' and data[at:at + 2] != SCAN:
        is_padding = data[at + 1:at + 2] == b'\xff'
        at += 1 if is_padding else 2 + int.from_bytes(data[at + 2:at + 4], 'big')
    return at


def decode_picture(data: bytes, shape: Optional[tuple]) -> Optional[np.ndarray]:
    """Bytes of a file -> (H, W, 3) uint8 BGR, or None if they are no complete picture.

    Greyscale becomes three equal channels, alpha is dropped, 16 bits become 8. A rotation stored in the file is
    applied as any viewer does, unless only the stored pixels have the annotated ``shape`` (H, W).
    """
    if not data or is_cut_off(data):
        return None
    buffer = np.frombuffer(data, np.uint8)
    try:
        picture = cv2.imdecode(buffer, cv2.IMREAD_COLOR)
    except cv2.error:  # the header claims more pixels than OpenCV takes
        return None
    if picture is not None and shape is not None and picture.shape[:2] != tuple(shape):
        stored = cv2.imdecode(buffer, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
        picture = stored if stored.shape[:2] == tuple(shape) else picture
    return picture


@TRANSFORMS.register_module()
class LoadPicture(BaseTransform):
    """Loads ``img_path`` into ``img``, unless ``img`` (H, W, 3) uint8 BGR is there already; adds ``img_shape`` and
    ``ori_shape`` (H, W).

    Args:
        unreadable: what to do about a file that holds no complete picture: 'error' stops; 'skip' goes on with another
            picture of the data set and logs how many were left out so far (by this worker).

    Raises:
        BadInput: the file does not exist, holds no complete picture, or is not as large as its annotation says.
    """

    def __init__(self, *, unreadable: str = 'error') -> None:
        if unreadable not in UNREADABLE:
            raise ValueError(f'unreadable must be one of {UNREADABLE}, got {unreadable!r}')
        self.unreadable, self.skipped = unreadable, set()

    def transform(self, results: dict) -> Optional[dict]:
        """See the class; None asks the data set for another picture."""
        if 'img' not in results:
            results['img'] = self._read(results['img_path'], results.get('ann_shape'))
        if results['img'] is None:
            return None
        results['img_shape'] = results['ori_shape'] = results['img'].shape[:2]
        return results

    def _read(self, path: str, shape: Optional[tuple]) -> Optional[np.ndarray]:
        if not exists(path):
            raise BadInput(f'{path}: no such picture; set data_root and data_prefix of the data set to where it is')
        picture = decode_picture(get(path), shape)
        if picture is None and self.unreadable == 'error':
            raise BadInput(f'{path}: not a complete picture of a kind OpenCV reads; get it again, or take it out of '
                           'the annotation file')
        if picture is None:
            self.skipped.add(path)
            print_log(f'{path}: not a complete picture, left out ({len(self.skipped)} so far)', 'current', 30)
        elif shape is not None and picture.shape[:2] != tuple(shape):
            raise BadInput(f"{path}: is {picture.shape[1]} x {picture.shape[0]} pixels, but fields 'width' and "
                           f"'height' of its annotation say {shape[1]} x {shape[0]}; the file is not the annotated one")
        return picture
