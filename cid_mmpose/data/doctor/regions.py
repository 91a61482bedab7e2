"""Regions of an annotation, polygons or run lengths: what box and area they have."""

from collections.abc import Sequence
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from cid_mmpose.data.regions import region_problem, runs_of
from cid_mmpose.errors import BadInput


class Extent(NamedTuple):
    """How much of the image a region takes."""

    box: list[int] | None  # x, y, w, h in pixels; None if there is no region
    area: int  # pixels; 0 if there is no region


def extent_of(segmentation: Any, shape: Sequence[float]) -> Extent:
    """Box and area of a region; (None, 0) if it is missing, broken or empty.

    Args:
        segmentation: as in the file.
        shape: (H, W) of its image in pixels; NaN if unknown.

    Raises:
        BadInput: pycocotools is not installed.
    """
    if not segmentation or np.isnan(shape).any() or region_problem(segmentation, shape):
        return Extent(None, 0)

    coco_mask = _mask_tools()
    whole_shape = list(map(int, shape))
    runs = coco_mask.merge(list(runs_of([segmentation], whole_shape)))
    area = int(coco_mask.area(runs))  # from the run lengths: no mask is drawn
    if not area:
        return Extent(None, 0)
    box = coco_mask.toBbox(runs)
    return Extent(list(map(int, box)), area)


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
