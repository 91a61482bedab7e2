"""How exactly people agree on each keypoint, by which OKS and AP judge distances: measured, or a default."""

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from cid_mmpose.data.doctor.case import Case
from cid_mmpose.data.doctor.repairs import BOX_SHARE

# of every keypoint where nothing was measured, in object sides (root of the area). COCO's go from 0.025 (eyes) to 0.107
# (hips). With it a keypoint that is off by a tenth of the object's side counts exp(-1/2) = 0.61 in OKS.
DEFAULT = 0.05
LEAST = 0.005  # object sides; a smaller one asks for keypoints to half a pixel on an object of 100 pixels
ENOUGH = 10  # repeated annotations of a keypoint, from which on they are taken
LEAST_OVERLAP = 0.7  # IoU of the boxes of one object
IMAGE_SHARE = (
    0.5  # of the objects of an image: whoever annotates again does whole images, and two in a crowd are no pair
)
FILE_SHARE = 0.01  # of the objects of a file; below it repetitions are slips, or people who stand very close
FARTHEST = 0.2  # object sides; mean distance of the keypoints of two annotations of one object


class Sigmas(NamedTuple):
    """Of K keypoints."""

    values: tuple[float, ...]  # (K,) object sides, three digits
    counts: tuple[int, ...]  # (K,) repeated annotations behind each; 0 without any
    objects: int  # annotated more than once

    @property
    def measured(self) -> int:
        """How many are measured."""
        return sum(count >= ENOUGH for count in self.counts)


def sigmas_of(case: Case) -> Sigmas:
    """Estimates sigmas as COCO defines them, sigma^2 = E[d^2 / s^2], from objects that were annotated more than once.

    d is the distance of an annotation from the mean of all annotations of that keypoint of that object, with n - 1 in
    the place of n because the mean is made of the same annotations; s is the root of the object's mean area. Two
    annotations are of one object if they lie in one image, their boxes overlap by 0.7 and their keypoints are near
    each other; one that equals another to the digit is a copy and says nothing. Images count in which half of the
    objects are annotated again, and files with a hundredth of such objects.

    Args:
        case: an annotation file.
    """
    sums = np.zeros(case.num_keypoints)
    counts = np.zeros(case.num_keypoints, int)
    groups = repeated(case)
    areas = _areas(case)
    for rows in groups:
        area = areas[rows].mean()
        for keypoint in range(case.num_keypoints):
            labelled = [row for row in rows if case.labelled[row, keypoint]]
            if len(labelled) < 2:
                continue
            positions = case.keypoints[labelled, keypoint, :2]
            squares = ((positions - positions.mean(0)) ** 2).sum()
            sums[keypoint] += squares / area
            counts[keypoint] += len(labelled) - 1

    values = []
    for total, count in zip(sums, counts):
        sigma = DEFAULT
        if count >= ENOUGH:
            sigma = max(LEAST, float(np.sqrt(total / count)))
        values.append(round(sigma, 3))
    return Sigmas(tuple(values), tuple(counts.tolist()), len(groups))


def repeated(case: Case) -> list[list[int]]:
    """Rows of the annotations of each object that was annotated more than once; see ``sigmas_of``.

    Args:
        case: an annotation file.
    """
    by_file: dict[str, list[int]] = defaultdict(list)
    usable = case.is_labelled & case.has_size & np.isfinite(case.keypoints).all((1, 2))
    for row in np.flatnonzero(usable):
        by_file[case.file_of(case.people[row])].append(int(row))

    areas = _areas(case)
    number = 0  # of objects
    again: list[list[int]] = []
    for rows in by_file.values():
        of_image: list[list[int]] = []
        for row in rows:
            _put(row, of_image, case, areas)
        more_than_once = [group for group in of_image if len(group) > 1]
        number += len(of_image)
        if len(more_than_once) >= IMAGE_SHARE * len(of_image):
            again += more_than_once
    return again if len(again) >= FILE_SHARE * number else []


def _put(row: int, groups: list[list[int]], case: Case, areas: np.ndarray) -> None:
    """Puts an annotation to those of the same object, or opens a group for it; leaves copies out."""
    for group in groups:
        first = group[0]
        if not _same_object(row, first, case, areas):
            continue
        if not any(np.array_equal(case.keypoints[row], case.keypoints[other]) for other in group):
            group.append(row)
        return
    groups.append([row])


def _same_object(row: int, other: int, case: Case, areas: np.ndarray) -> bool:
    """Whether two annotations of one image are of one object."""
    both = case.labelled[row] & case.labelled[other]
    if not both.any() or _overlap(case.box[row], case.box[other]) < LEAST_OVERLAP:
        return False
    offsets = case.keypoints[row, both, :2] - case.keypoints[other, both, :2]
    distance = np.linalg.norm(offsets, axis=1).mean()
    side = np.sqrt(areas[[row, other]].mean())
    return bool(distance <= FARTHEST * side)


def _overlap(one: Sequence[float], other: Sequence[float]) -> float:
    """IoU of two boxes x, y, width, height."""
    low = np.maximum(one[:2], other[:2])
    high = np.minimum(np.add(one[:2], one[2:]), np.add(other[:2], other[2:]))
    shared = np.prod(np.maximum(high - low, 0))
    return float(shared / (np.prod(one[2:]) + np.prod(other[2:]) - shared))


def _areas(case: Case) -> np.ndarray:
    """(N,) pixels squared: the file's, else what a box holds on average."""
    of_box = BOX_SHARE * np.prod(case.box[:, 2:], axis=1)
    return np.where(case.area > 0, case.area, of_box)
