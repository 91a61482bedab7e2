"""The NMS by OKS keeps whom MMPose's keeps."""

import numpy as np

from cid_mmpose.oks import oks_nms


def test_nms_keeps_whom_mmposes_keeps():
    from mmpose.evaluation.functional import oks_nms as one_by_one

    rng = np.random.default_rng(0)
    middle = rng.uniform(0, 60, (80, 1, 2))
    keypoints = (middle + rng.uniform(-30, 30, (1, 4, 2)) + rng.normal(0, 3, (80, 4, 2))).astype(np.float32)
    score, sigmas = rng.random(80).astype(np.float32), np.full(4, 0.1, np.float32)
    area = rng.uniform(500, 4000, 80).astype(np.float32)
    flat = np.concatenate([keypoints, np.ones((80, 4, 1))], -1)
    candidates = [dict(keypoints=k, score=s, area=a) for k, s, a in zip(flat, score, area)]
    counts = set()
    for threshold in (0.3, 0.5, 0.7, 0.9, 1.0):
        kept = oks_nms(keypoints, score, area, sigmas, threshold).tolist()
        assert kept == list(one_by_one(candidates, threshold, sigmas=sigmas))
        counts.add(len(kept))
    assert len(counts) == 5 and max(counts) == 80
