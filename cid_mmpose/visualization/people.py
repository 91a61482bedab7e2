"""The people of a prediction in MMPose's form, on their image."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from cid_mmpose.inference.keypoints import keypoint_set

from .crowd import draw_crowd

if TYPE_CHECKING:
    from mmpose.structures import PoseDataSample


def draw_people(
    image: np.ndarray, sample: PoseDataSample, dataset_meta: Mapping[str, Any], min_score: float = 0.2
) -> np.ndarray:
    """Skeletons of ``sample.pred_instances`` on an image, see ``draw_crowd``.

    Args:
        image: (h, w, 3) uint8 BGR, in the pixels of the predictions.
        sample: as the estimator's ``test_step`` returns it.
        dataset_meta: of the data set, for names and links of the keypoints.
        min_score: keypoints with a lower score are left out, in [0, 1].

    Returns:
        A new image of the same kind and size.
    """
    found = sample.pred_instances
    return draw_crowd(
        image,
        found.keypoints,
        found.keypoint_scores,
        keypoint_set(dataset_meta),
        found.get('bbox_scores'),
        found.get('bboxes'),
        min_keypoint_score=min_score,
    )
