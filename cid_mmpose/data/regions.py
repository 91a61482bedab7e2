"""Regions of people and crowds in COCO's format: polygons or run lengths, checked before any mask is drawn.

pycocotools draws what it is handed: a coordinate of 1e18 takes all memory, run lengths that end before the image does
leave the rest of the mask to chance, and a string of them that makes no sense is read beyond its end. So every region
is checked here first, in plain Python and numpy; without pycocotools nothing is drawn, and everything is checked.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from .values import FARTHEST, as_json, is_whole, no_coordinate

POINTS = 3  # of the smallest polygon
FAR = 10  # sizes of the image by which a polygon may leave it
LONGEST_OUTLINE = 1e6  # pixels; pycocotools takes half a second and 50 MB for it
LONGEST_RUN = 2**32  # pycocotools keeps run lengths in 32 bits


def region_problem(segmentation: Any, shape: Sequence[float]) -> str:
    """Why a COCO segmentation is of no use, '' if it is drawn as it stands or is not there at all.

    Args:
        segmentation: as in the file.
        shape: (H, W) of its image in pixels; NaN if unknown, then only what needs no image is checked.
    """
    if not segmentation:
        return ''
    if isinstance(segmentation, dict):
        return _problem_of_runs(segmentation, shape)
    if not isinstance(segmentation, list) or not all(isinstance(polygon, list) for polygon in segmentation):
        return f'{as_json(segmentation)}, neither a list of polygons nor run lengths'
    for polygon in segmentation:
        problem = _problem_of_polygon(polygon, shape)
        if problem:
            return problem
    return _problem_of_length(segmentation)


def _problem_of_polygon(polygon: list, shape: Sequence[float]) -> str:
    """What is wrong with one polygon x, y, x, y, ... in pixels."""
    if len(polygon) < 2 * POINTS or len(polygon) % 2:
        return f'a polygon of {len(polygon)} numbers; it needs x and y of at least {POINTS} points'
    values = _plain_numbers(polygon)
    if values is None:
        return f'a polygon with {no_coordinate(polygon)}'
    side = float(max(shape))
    if not np.isnan(side):
        beyond = (values < -FAR * side) | (values > (FAR + 1) * side)
        if beyond.any():
            return f'a polygon with the coordinate {values[beyond][0]:g} in an image of {shape[1]:g} x {shape[0]:g}'
    return ''


def _plain_numbers(values: list) -> Any:
    """(n,) float64 of a list of coordinates, None if one of them is none."""
    types = set(map(type, values))
    if not types <= {int, float}:
        return None
    try:
        array = np.array(values, np.float64)
    except OverflowError:  # a whole number of more than 308 digits
        return None
    if (np.abs(array) < FARTHEST).all():
        return array
    return None


def _problem_of_length(polygons: list[list]) -> str:
    """Whether drawing the outlines would take more time and memory than any image is worth."""
    length = 0.0
    for polygon in polygons:
        points = np.array(polygon, np.float64).reshape(-1, 2)
        steps = np.abs(points - np.roll(points, 1, 0)).max(1)
        length += steps.sum()
    if length > LONGEST_OUTLINE:
        return f'polygons with outlines of {length:.3g} pixels'
    return ''


def _problem_of_runs(runs: dict, shape: Sequence[float]) -> str:
    """What is wrong with run lengths, plain or packed."""
    size = runs.get('size')
    counts = runs.get('counts')
    if not isinstance(counts, (str, list)) or not isinstance(size, list) or len(size) != 2:
        return "run lengths without 'counts' and 'size' (height, width)"
    if not all(is_whole(side) and side > 0 for side in size):
        return f"run lengths with a 'size' of {as_json(size)}"
    if not np.isnan(shape).any() and tuple(size) != tuple(shape):
        return f'run lengths of {size[1]:g} x {size[0]:g} pixels in an image of {shape[1]:g} x {shape[0]:g}'

    lengths = counts if isinstance(counts, list) else unpacked(counts)
    if not all(type(run) is int and 0 <= run < LONGEST_RUN for run in lengths):
        return 'run lengths that are no whole numbers of pixels'
    if sum(lengths) != int(size[0] * size[1]):
        return 'run lengths that do not add up to the image'
    return ''


def unpacked(counts: str) -> list[int]:
    """Run lengths of COCO's packed text; [-1] if it is no such text.

    Each character holds 5 bits, lowest first, and whether more follow; from the fourth run on a number is the
    difference to the run before the last. Source: pycocotools, ``rleFrString``.
    """
    runs = []
    value, shift = 0, 0  # of the number that is being read
    for letter in counts:
        bits = ord(letter) - 48
        if not 0 <= bits < 64 or shift > 30:  # 7 characters hold 35 bits, more than any run has
            return [-1]
        value |= (bits & 31) << shift
        shift += 5
        if bits & 32:
            continue
        if bits & 16:
            value -= 1 << shift
        if len(runs) > 2:
            value += runs[-2]
        runs.append(value)
        value, shift = 0, 0
    if shift:  # the last number goes on
        return [-1]
    return runs


def region_of(segmentation: Any, shape: Sequence[int]) -> np.ndarray:
    """A region without a ``region_problem`` -> (H, W) uint8, 1 inside.

    Args:
        segmentation: as in the file.
        shape: (H, W) of its image in pixels.
    """
    import pycocotools.mask as coco_mask

    runs = list(runs_of([segmentation], shape))
    joined = coco_mask.merge(runs)
    return coco_mask.decode(joined)


def runs_of(segmentations: Sequence, shape: Sequence[int]) -> Iterator[dict]:
    """Packed run lengths of COCO segmentations of any kind.

    Args:
        segmentations: of one image, none with a ``region_problem``.
        shape: (H, W) of the image in pixels.
    """
    import pycocotools.mask as coco_mask

    height, width = shape
    for segmentation in segmentations:
        if isinstance(segmentation, dict) and not isinstance(segmentation['counts'], list):
            yield segmentation
            continue
        runs = coco_mask.frPyObjects(segmentation, height, width)
        if isinstance(runs, list):  # one for each polygon
            yield from runs
        else:
            yield runs
