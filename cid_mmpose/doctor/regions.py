"""Regions of an annotation, polygons or run lengths: do they decode, and what box and area do they have."""
from typing import Any, Sequence

import cv2
import numpy as np
import pycocotools.mask as coco_mask

from cid_mmpose.datasets.loss_mask import region_of

from .numbers import number_rows

POINTS = 3  # of the smallest polygon


def region_problem(segmentation: Any, shape: Sequence[float]) -> str:
    """Why a COCO segmentation is of no use, '' if it decodes or is not there at all.

    Args: segmentation: as in the file. shape: (H, W) of its picture in pixels, NaN if unknown.
    """
    if not segmentation:
        return ''
    if isinstance(segmentation, dict):
        return _runs_problem(segmentation, shape)
    if not isinstance(segmentation, list) or not all(isinstance(polygon, list) for polygon in segmentation):
        return 'neither a list of polygons nor run lengths'
    wrong = [len(p) for p in segmentation if len(p) < 2 * POINTS or len(p) % 2]
    if wrong:
        return f'a polygon of {wrong[0]} numbers'
    is_finite = all(np.isfinite(number_rows([polygon], len(polygon))).all() for polygon in segmentation)
    return '' if is_finite else 'a polygon with a number that is not finite'


def _runs_problem(runs: dict, shape: Sequence[float]) -> str:
    size, counts = runs.get('size'), runs.get('counts')
    if not isinstance(counts, (str, list)) or not isinstance(size, list) or len(size) != 2:
        return "run lengths without 'counts' and 'size' (height, width)"
    if not np.isnan(shape).any() and tuple(size) != tuple(shape):
        return f'run lengths of {size[1]} x {size[0]} pixels in a picture of {shape[1]:g} x {shape[0]:g}'
    return '' if _fills(counts, size[0] * size[1]) else 'run lengths that do not add up to the picture'


def _fills(counts: Any, pixels: int) -> bool:
    """Whether run lengths cover that many pixels, no more and no fewer.

    pycocotools refuses runs that are too long and leaves memory as it was behind those that are too short; so they
    must be too long for one pixel less.
    """
    if isinstance(counts, list):
        return all(isinstance(run, int) and run >= 0 for run in counts) and sum(counts) == pixels
    return _decodes(counts, pixels) and not _decodes(counts, pixels - 1)


def _decodes(counts: str, pixels: int) -> bool:
    try:
        coco_mask.decode(dict(size=[pixels, 1], counts=counts))
    except ValueError:
        return False
    return True


def box_and_area(segmentation: Any, shape: Sequence[float]) -> tuple:
    """(x, y, w, h) and area in pixels of a region; (None, 0) if it is missing, broken or empty.

    Args: segmentation, shape: as for ``region_problem``.
    """
    if not segmentation or np.isnan(shape).any() or region_problem(segmentation, shape):
        return None, 0
    mask = region_of(segmentation, [int(side) for side in shape])
    area = int(mask.sum())
    return (list(cv2.boundingRect(mask)) if area else None), area
