"""Regions of an annotation, polygons or run lengths: what box and area they have."""

from collections.abc import Sequence
from types import ModuleType
from typing import Any

import numpy as np

from cid_mmpose.data.regions import region_problem, runs_of
from cid_mmpose.errors import BadInput


def box_and_area(segmentation: Any, shape: Sequence[float]) -> tuple:
    """(x, y, w, h) and area in pixels of a region; (None, 0) if it is missing, broken or empty.

    Args:
        segmentation: as in the file.
        shape: (H, W) of its image in pixels; NaN if unknown.

    Raises:
        BadInput: pycocotools is not installed.
    """
    if not segmentation or np.isnan(shape).any() or region_problem(segmentation, shape):
        return None, 0
    coco_mask = _mask_tools()
    runs = coco_mask.merge(list(runs_of([segmentation], [int(side) for side in shape])))
    area = int(coco_mask.area(runs))  # from the run lengths: no mask is drawn
    box = [int(value) for value in coco_mask.toBbox(runs)]
    return (box if area else None), area


def _mask_tools() -> ModuleType:
    """pycocotools' masks: other tools draw a polygon a pixel wider or narrower, and repairs must not depend on that."""
    try:
        import pycocotools.mask
    except ImportError:
        raise BadInput(
            '--fix: boxes and areas of regions are measured by pycocotools, which is not installed: pip '
            'install pycocotools, or name other findings with --only'
        ) from None
    return pycocotools.mask
