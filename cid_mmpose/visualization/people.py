"""People on their image, drawn by MMPose's visualizer."""

import copy

import numpy as np
from mmpose.structures import PoseDataSample
from mmpose.visualization import PoseLocalVisualizer


def draw_people(image: np.ndarray, sample: PoseDataSample, dataset_meta: dict, min_score: float = 0.2) -> np.ndarray:
    """Skeletons and boxes of ``sample.pred_instances`` on an image.

    Args:
        image: (h, w, 3) uint8 BGR, in the pixels of the predictions.
        sample: as the estimator's ``test_step`` returns it; keypoints are judged by ``keypoints_visible``, which
            MMPose's estimators fill with the scores.
        dataset_meta: of the data set, for colours and links of the keypoints.
        min_score: keypoints with a lower score are left out, in [0, 1].

    Returns:
        A new image of the same kind and size.
    """
    visualizer = PoseLocalVisualizer(line_width=2, radius=3)
    visualizer.set_dataset_meta(copy.deepcopy(dataset_meta), skeleton_style='mmpose')

    rgb = image[..., ::-1].copy()
    drawn = visualizer.add_datasample('people', rgb, sample, draw_gt=False, draw_bbox=True, kpt_thr=min_score)
    return np.ascontiguousarray(drawn[..., ::-1])
