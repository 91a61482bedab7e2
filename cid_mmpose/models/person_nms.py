"""From decoded keypoints to the people of an image: score, box, and no one twice (facts of the authors' writer)."""
from dataclasses import dataclass
from typing import Optional, Tuple

import numpy as np
from mmengine.structures import InstanceData

# OKS fall-off of the COCO-17 keypoints, object sides; source: COCO keypoint evaluation
COCO_SIGMAS = (.026, .025, .025, .035, .035, .079, .079, .072, .072, .062, .062, .107, .107, .087, .087, .089, .089)


@dataclass(frozen=True)
class PredictOptions:
    """How people are found (section 4.2; values of the authors' configuration).

    Args:
        max_people: roots kept an image. min_score: a root's score lies above it, in [0, 1].
        blur: side in cells, odd, of the box blur of center and keypoint maps; 11 for OCHuman with COCO weights.
        nms: of two people whose OKS lies above it only the better one stays, in (0, 1]; 0.7 for OCHuman.
        sigmas: (K,) OKS fall-off of the keypoints; None takes COCO's for 17 keypoints.

    Raises:
        ValueError: a value outside its range.
    """
    max_people: int = 30
    min_score: float = 0.01
    blur: int = 3
    nms: float = 0.8
    sigmas: Optional[Tuple[float, ...]] = None

    def __post_init__(self) -> None:
        if self.max_people < 1 or not 0 <= self.min_score <= 1:
            raise ValueError('test: max_people must be at least 1 and min_score lie in [0, 1]')
        if self.blur < 1 or self.blur % 2 == 0 or not 0 < self.nms <= 1:
            raise ValueError('test: blur must be odd and positive, and nms lie in (0, 1]')

    def keypoint_sigmas(self, num_keypoints: int) -> np.ndarray:
        """(K,) sigmas; ValueError where they are missing or not K."""
        sigmas = COCO_SIGMAS if self.sigmas is None else self.sigmas
        if len(sigmas) != num_keypoints:
            raise ValueError(f'test: sigmas has {len(sigmas)} values for {num_keypoints} keypoints; '
                             'set head.test.sigmas to one value a keypoint')
        return np.asarray(sigmas, np.float32)


def make_people(keypoints: np.ndarray, scores: np.ndarray, sigmas: np.ndarray, nms: float) -> InstanceData:
    """The people of one image, best first.

    Args:
        keypoints: (N, K, 2) in pixels. scores: (N, K) in [0, 1].
        sigmas: (K,). nms: OKS threshold.

    Returns:
        ``keypoints``, ``keypoint_scores``, ``bboxes`` (N', 4) x1, y1, x2, y2 around the keypoints, and
        ``bbox_scores`` (N',), the person's score: the mean over the keypoints.
    """
    boxes = np.concatenate([keypoints.min(1), keypoints.max(1)], 1)
    score = scores.mean(1)
    kept = oks_nms(keypoints, score, np.prod(boxes[:, 2:] - boxes[:, :2], 1), sigmas, nms)
    return InstanceData(
        keypoints=keypoints[kept], keypoint_scores=scores[kept], bboxes=boxes[kept], bbox_scores=score[kept])


def oks_nms(keypoints: np.ndarray, score: np.ndarray, area: np.ndarray, sigmas: np.ndarray,
            threshold: float) -> np.ndarray:
    """Indices of the people who stay, best first: each takes away those whose OKS with it lies above the threshold.

    MMPose's function of this name compares people one by one, which takes seconds in a crowd; the answer is the same.

    Args:
        keypoints: (N, K, 2) in pixels. score: (N,). area: (N,) in pixels squared. sigmas: (K,).
    """
    keypoints, falloff = keypoints.astype(np.float64), (2 * sigmas.astype(np.float64))**2
    order, kept = np.argsort(score)[::-1], []
    while len(order):
        best, order = order[0], order[1:]
        kept.append(best)
        squared = ((keypoints[order] - keypoints[best])**2).sum(-1)
        scale = (area[order, None].astype(np.float64) + area[best]) / 2 + np.spacing(1)
        order = order[np.exp(-squared / falloff / scale / 2).mean(1) <= threshold]
    return np.array(kept, int)
