"""Object keypoint similarity (OKS): how near two people are to being the same, as COCO measures it.

OKS is the mean over the keypoints of exp(-d^2 / (2 area (2 sigma)^2)): d is the distance of the two people's keypoints,
area the mean of both areas, sigma how far annotators differ at that keypoint for an object of area 1.

numpy only: what works without torch needs it too.
"""

from typing import NamedTuple

import numpy as np


class Best(NamedTuple):
    """The people of an image who stay, N' of them, best first."""

    keypoints: np.ndarray  # (N', K, 2) in pixels
    keypoint_scores: np.ndarray  # (N', K) in [0, 1]
    scores: np.ndarray  # (N',), of each person: the mean over the keypoints
    boxes: np.ndarray  # (N', 4), x1, y1, x2, y2 around the keypoints
    centers: np.ndarray  # (N', 2) in pixels


def best_people(
    keypoints: np.ndarray, scores: np.ndarray, centers: np.ndarray, sigmas: np.ndarray, threshold: float
) -> Best:
    """Score and box of the people of an image, and nobody twice.

    Args:
        keypoints: (N, K, 2) in pixels.
        scores: (N, K) in [0, 1].
        centers: (N, 2) in pixels, where the roots are.
        sigmas: (K,) OKS fall-off.
        threshold: OKS.
    """
    low, high = keypoints.min(1), keypoints.max(1)
    area = np.prod(high - low, 1)
    score = scores.mean(1)
    kept = oks_nms(keypoints, score, area, sigmas, threshold)
    boxes = np.concatenate([low, high], 1)
    return Best(keypoints[kept], scores[kept], score[kept], boxes[kept], centers[kept])


def oks_nms(
    keypoints: np.ndarray, score: np.ndarray, area: np.ndarray, sigmas: np.ndarray, threshold: float
) -> np.ndarray:
    """Indices of the people who stay, best first: each takes away those whose OKS with it lies above the threshold.

    MMPose's function of this name compares people one by one, which takes seconds in a crowd; the answer is the same.

    Args:
        keypoints: (N, K, 2) in pixels.
        score: (N,).
        area: (N,) in pixels squared.
        sigmas: (K,) OKS fall-off.
        threshold: OKS.
    """
    keypoints = keypoints.astype(np.float64)
    area = area.astype(np.float64)
    falloff = (2 * sigmas.astype(np.float64)) ** 2
    left = np.argsort(score)[::-1]  # the people who may still stay, best first
    kept = []
    while len(left):
        best = left[0]
        left = left[1:]
        kept.append(best)
        squared = ((keypoints[left] - keypoints[best]) ** 2).sum(-1)
        mean_area = (area[left, None] + area[best]) / 2 + np.spacing(1)  # nobody's keypoints may all be one point
        oks = np.exp(-squared / falloff / mean_area / 2).mean(1)
        left = left[oks <= threshold]
    return np.array(kept, int)
