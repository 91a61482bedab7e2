"""From decoded keypoints to the people of an image: score, box, and no one twice (facts of the authors' writer)."""

import numpy as np
from mmengine.structures import InstanceData


def make_people(keypoints: np.ndarray, scores: np.ndarray, sigmas: np.ndarray, nms: float) -> InstanceData:
    """The people of one image, best first.

    Args:
        keypoints: (N, K, 2) in pixels.
        scores: (N, K) in [0, 1].
        sigmas: (K,) OKS fall-off.
        nms: OKS threshold.

    Returns:
        ``keypoints``, ``keypoint_scores``, ``bboxes`` (N', 4) x1, y1, x2, y2 around the keypoints, and
        ``bbox_scores`` (N',), the person's score: the mean over the keypoints.
    """
    low, high = keypoints.min(1), keypoints.max(1)
    boxes = np.concatenate([low, high], 1)
    area = np.prod(high - low, 1)
    score = scores.mean(1)
    kept = oks_nms(keypoints, score, area, sigmas, nms)
    return InstanceData(
        keypoints=keypoints[kept], keypoint_scores=scores[kept], bboxes=boxes[kept], bbox_scores=score[kept]
    )


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
        mean_area = (area[left, None] + area[best]) / 2 + np.spacing(1)
        oks = np.exp(-squared / falloff / mean_area / 2).mean(1)
        left = left[oks <= threshold]
    return np.array(kept, int)
