"""What an exported file says of itself, made up."""

from cid_mmpose.data.resize import Resizing
from cid_mmpose.inference.keypoints import KeypointSet
from cid_mmpose.runtime.about import About, Normalisation

ABOUT = About(
    keypoint_set=KeypointSet(('nose', 'left_eye', 'right_eye'), ((0, 1), (0, 2)), (0, 2, 1), (0.026, 0.025, 0.025)),
    resizing=Resizing((512, 512), 64, 'expand', (0.0, 0.0, 0.0)),
    normalisation=Normalisation((123.675, 116.28, 103.53), (58.395, 57.12, 57.375), 'rgb'),
    max_people=30,
    min_score=0.01,
    nms=0.8,
    flip=True,
    blur=3,
    stride=4,
    precision='float32',
    batch=None,
    size=None,
    model='work_dirs/demo/best.pth',
    config_sha256='0' * 64,
    weights_sha256='1' * 64,
    opset=18,
    made_by=dict(torch='2.14.1'),
)
