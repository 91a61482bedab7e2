"""Where the crowd's maps count in the loss: not on crowd regions, nor on people whose joints nobody labelled."""
from typing import Optional, Sequence

import cv2
import numpy as np
import pycocotools.mask as coco_mask
from mmcv.transforms import BaseTransform

from cid_mmpose.recipes import DEFAULT, options_of
from cid_mmpose.registry import TRANSFORMS


def region_of(segmentation, shape: Sequence[int]) -> np.ndarray:
    """A COCO segmentation, polygons or run lengths (plain or packed) -> (H, W) uint8, 1 inside."""
    if isinstance(segmentation, dict) and not isinstance(segmentation['counts'], list):
        return coco_mask.decode(segmentation)
    runs = coco_mask.frPyObjects(segmentation, *shape)
    return coco_mask.decode(coco_mask.merge(runs) if isinstance(runs, list) else runs)


@TRANSFORMS.register_module()
class LossMask(BaseTransform):
    """Adds ``heatmap_mask`` (1, H, W) bool in heatmap cells, True where the loss counts.

    False on ``invalid_segs`` and outside the picture. Goes after ``RandomAffine`` and ``RandomMirror``: it moves with
    ``warp_mat`` and ``flip``. A mask of ``img_shape`` is warped straight to the map.

    Args:
        stride: input pixels per heatmap cell.
        recipe: 'reference' or 'mmpose'; sets ``regions`` where that is None (``recipes.py``).
        regions: 'masked' as described, or 'ignored': the loss counts everywhere.

    Raises:
        BadInput: there is no such recipe or choice.

    Source: the authors' data set; MMPose's transform passes over run lengths and its mask never reaches the loss.
    """

    def __init__(self, *, stride: int = 4, recipe: str = DEFAULT, regions: Optional[str] = None) -> None:
        self.stride = stride
        self.regions = options_of('LossMask', recipe, regions=regions)['regions']

    def transform(self, results: dict) -> dict:
        """See the class."""
        size = tuple(side // self.stride for side in results['input_size'])
        if self.regions == 'ignored':
            results['heatmap_mask'] = np.ones((1, *size[::-1]), bool)
            return results
        shape = tuple(results['img_shape'])
        valid = np.full(shape, 255, np.uint8)
        for segmentation in results.get('invalid_segs', ()):
            valid[region_of(segmentation, shape) > 0] = 0
        mask = cv2.warpAffine(valid, results['warp_mat'] / self.stride, size, flags=cv2.INTER_LINEAR) > 127
        results['heatmap_mask'] = (mask[:, ::-1].copy() if results.get('flip', False) else mask)[None]
        return results
