"""From decoded keypoints to the people of an image: score, box, center, and nobody twice."""

import numpy as np
from mmengine.structures import InstanceData

from cid_mmpose.oks import best_people


def make_people(
    keypoints: np.ndarray, scores: np.ndarray, centers: np.ndarray, sigmas: np.ndarray, nms: float
) -> InstanceData:
    """The people of one image, best first.

    Args:
        keypoints: (N, K, 2) in pixels.
        scores: (N, K) in [0, 1].
        centers: (N, 2) in pixels, where the roots are.
        sigmas: (K,) OKS fall-off.
        nms: OKS threshold.

    Returns:
        ``keypoints``, ``keypoint_scores``, ``centers``, ``bboxes`` (N', 4) x1, y1, x2, y2 around the keypoints, and
        ``bbox_scores`` (N',), the person's score: the mean over the keypoints.
    """
    best = best_people(keypoints, scores, centers, sigmas, nms)
    return InstanceData(
        keypoints=best.keypoints,
        keypoint_scores=best.keypoint_scores,
        centers=best.centers,
        bboxes=best.boxes,
        bbox_scores=best.scores,
    )
