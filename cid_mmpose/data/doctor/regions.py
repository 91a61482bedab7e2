"""Regions of an annotation, polygons or run lengths: what box and area they have."""
from typing import Any, Sequence

import numpy as np
import pycocotools.mask as coco_mask

from cid_mmpose.data.regions import region_problem, runs_of


def box_and_area(segmentation: Any, shape: Sequence[float]) -> tuple:
    """(x, y, w, h) and area in pixels of a region; (None, 0) if it is missing, broken or empty.

    Args:
        segmentation: as in the file.
        shape: (H, W) of its image in pixels; NaN if unknown.
    """
    if not segmentation or np.isnan(shape).any() or region_problem(segmentation, shape):
        return None, 0
    runs = coco_mask.merge(list(runs_of([segmentation], [int(side) for side in shape])))
    area = int(coco_mask.area(runs))  # from the run lengths: no mask is drawn
    box = [int(value) for value in coco_mask.toBbox(runs)]
    return (box if area else None), area
