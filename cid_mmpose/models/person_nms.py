"""From decoded keypoints to the people of an image: score, box, center, and nobody twice."""

import numpy as np
from mmengine.structures import InstanceData

from cid_mmpose.oks import oks_nms


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
    low, high = keypoints.min(1), keypoints.max(1)
    boxes = np.concatenate([low, high], 1)
    area = np.prod(high - low, 1)
    score = scores.mean(1)
    kept = oks_nms(keypoints, score, area, sigmas, nms)
    return InstanceData(
        keypoints=keypoints[kept],
        keypoint_scores=scores[kept],
        centers=centers[kept],
        bboxes=boxes[kept],
        bbox_scores=score[kept],
    )
