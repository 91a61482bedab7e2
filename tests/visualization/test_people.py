"""Predictions in MMPose's form are drawn as those of arrays are."""

import numpy as np
from mmengine.structures import InstanceData
from mmpose.datasets.datasets.utils import parse_pose_metainfo
from mmpose.structures import PoseDataSample

from cid_mmpose.inference import keypoint_set
from cid_mmpose.visualization import draw_crowd, draw_people


def test_a_sample_is_drawn_with_its_scores_and_boxes_and_doubtful_keypoints_are_left_out():
    image = np.full((80, 120, 3), 90, np.uint8)
    keypoints, keypoint_scores = np.full((1, 17, 2), 60.0), np.zeros((1, 17))
    nose, knee, ankle = 0, 14, 16
    keypoints[0, [nose, knee, ankle]] = (20, 30), (90, 50), (90, 70)
    keypoint_scores[0, [nose, knee, ankle]] = 0.9, 0.21, 0.19
    sample = PoseDataSample(
        pred_instances=InstanceData(
            keypoints=keypoints,
            keypoint_scores=keypoint_scores,
            bboxes=np.array([[5.0, 5, 110, 75]]),
            bbox_scores=np.array([0.87]),
        )
    )
    meta = parse_pose_metainfo(dict(from_file='configs/_base_/datasets/coco.py'))
    drawn = draw_people(image, sample, meta)

    changed = (drawn != 90).any(-1)
    assert (image == 90).all()
    assert changed[30, 20] and changed[50, 90] and not changed[70, 90] and not changed[55:70, 50:70].any()
    found = sample.pred_instances
    arrays = (found.keypoints, found.keypoint_scores, keypoint_set(meta), found.bbox_scores, found.bboxes)
    np.testing.assert_array_equal(drawn, draw_crowd(image, *arrays, min_keypoint_score=0.2))
