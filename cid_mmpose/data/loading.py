"""The transform that loads images, and what it does about those that cannot be used."""

import logging

import numpy as np
from mmcv.transforms import BaseTransform
from mmengine.logging import print_log

from cid_mmpose.errors import BadInput
from cid_mmpose.registry import TRANSFORMS

from .headers import MAX_PIXELS, Unusable
from .image_array import bgr_of
from .image_file import image_of_bytes, read_file

UNREADABLE = ('error', 'skip')


@TRANSFORMS.register_module(name=['LoadImage', 'LoadPicture'])  # the second is its name in configs of version 0.1.0
class LoadImage(BaseTransform):
    """Loads ``img_path`` into ``img``, unless ``img`` is there already: BGR, grey or BGRA, as ``bgr_of`` takes it.

    Adds ``img_shape`` and ``ori_shape`` (H, W), in whose pixels people, regions and answers are.

    Args:
        unreadable: what to do about a file that holds no complete image: 'error' stops; 'skip' goes on with another
            image of the data set and logs how many were left out so far (by this worker).
        max_pixels: a file whose header claims more pixels is not decoded: it counts as unreadable. OpenCV itself takes
            up to 2^30.

    Raises:
        BadInput: the file does not exist, holds no complete image, or is not as large as its annotation says; or an
            array is no image.
    """

    def __init__(self, *, unreadable: str = 'error', max_pixels: int = MAX_PIXELS) -> None:
        if unreadable not in UNREADABLE:
            raise ValueError(f'unreadable must be one of {UNREADABLE}, got {unreadable!r}')
        if not max_pixels > 0:
            raise ValueError(f'LoadImage: max_pixels must be above 0, got {max_pixels!r}')
        self.unreadable = unreadable
        self.max_pixels = max_pixels
        self.skipped = set()

    def transform(self, results: dict) -> dict | None:
        """See the class; None asks the data set for another image."""
        if 'img' in results:
            image = bgr_of(results['img'])
        else:
            image = self._load(results['img_path'], results.get('ann_shape'))
            if image is None:
                return None
        shape = image.shape[:2]
        results.update(img=image, img_shape=shape, ori_shape=shape)
        return results

    def _load(self, path: str, annotated: tuple | None) -> np.ndarray | None:
        """The image (H, W, 3) of a file whose annotation says (H, W) ``annotated``; None if it is left out."""
        data = read_file(path, self.max_pixels)
        image = image_of_bytes(data, path, annotated, self.max_pixels)
        if isinstance(image, Unusable):
            return self._leave_out(path, image)
        return image

    def _leave_out(self, path: str, problem: Unusable) -> None:
        """What happens to a file whose image is not complete, or not to be decoded."""
        if self.unreadable == 'error':
            raise BadInput(f'{path}: {problem.text}; {problem.way_out}, or leave it out (of the annotation file)')
        if path in self.skipped:
            return
        self.skipped.add(path)
        print_log(f'{path}: {problem.text}, left out ({len(self.skipped)} so far)', 'current', logging.WARNING)
