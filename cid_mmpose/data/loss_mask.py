"""Where the crowd's maps count in the loss: not on crowd regions, nor on people whose keypoints nobody labelled."""

from collections.abc import Sequence

import cv2
import numpy as np
import pycocotools.mask as coco_mask
from mmcv.transforms import BaseTransform

from cid_mmpose.codecs import STRIDE
from cid_mmpose.errors import BadInput
from cid_mmpose.recipes import DEFAULT, options_of
from cid_mmpose.registry import TRANSFORMS

from .regions import runs_of


def valid_pixels(segmentations: Sequence, shape: Sequence[int]) -> np.ndarray:
    """Which pixels of an image count in the loss.

    The regions are joined as run lengths, so that one map is drawn for all of them.

    Args:
        segmentations: regions that do not count.
        shape: (H, W) of the image in pixels.

    Returns:
        (H, W) uint8: 0 in the regions and 255 elsewhere.

    Raises:
        BadInput: a region's run lengths are of another size.
    """
    if not segmentations:
        return np.full(shape, 255, np.uint8)

    regions = list(runs_of(segmentations, shape))
    sizes = [region['size'] for region in regions]
    for size in sizes:
        if tuple(size) != tuple(shape):
            raise BadInput(
                f"field 'segmentation' has run lengths of {sizes} pixels for a "
                f'image of {list(shape)} (height, width); mend the annotation file'
            )

    joined = coco_mask.merge(regions)
    inside = coco_mask.decode(joined)
    # decode gives columns one after another, warpAffine takes rows
    rows = cv2.transpose(inside.T)
    return rows - np.uint8(1)  # 0, 1 -> 255, 0 as 8 bits run over


@TRANSFORMS.register_module()
class LossMask(BaseTransform):
    """Adds ``heatmap_mask`` (1, H, W) bool in heatmap cells, True where the loss counts.

    False on ``invalid_segs`` and outside the image. Goes after ``RandomAffine`` and ``RandomMirror``: it moves with
    ``warp_mat`` and ``flip``. A mask of ``img_shape`` is warped straight to the map.

    Args:
        stride: input pixels per heatmap cell; ``apply_recipe`` hands the codec's over.
        recipe: 'reference' or 'mmpose'; sets ``regions`` where that is None (``recipes.py``).
        regions: 'masked' as described, or 'ignored': the loss counts everywhere.

    Raises:
        BadInput: there is no such recipe or choice.

    Source: the authors' data set; MMPose's transform passes over run lengths and its mask never reaches the loss.
    """

    def __init__(self, *, stride: int = STRIDE, recipe: str = DEFAULT, regions: str | None = None) -> None:
        self.stride = stride
        self.regions = options_of('LossMask', recipe, regions=regions)['regions']

    def transform(self, results: dict) -> dict:
        """See the class."""
        input_width, input_height = results['input_size']
        width, height = input_width // self.stride, input_height // self.stride
        if self.regions == 'ignored':
            results['heatmap_mask'] = np.ones((1, height, width), bool)
            return results

        valid = valid_pixels(results.get('invalid_segs', ()), results['img_shape'])
        matrix = results['warp_mat'] / self.stride
        mask = cv2.warpAffine(valid, matrix, (width, height), flags=cv2.INTER_LINEAR) > 127
        if results.get('flip', False):
            mask = mask[:, ::-1].copy()
        results['heatmap_mask'] = mask[None]
        return results
