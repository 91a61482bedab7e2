# What MMPose's own methods have in common in the study: its estimator, and its steps of training.
# A config that starts from here sets the head, and hands its codec to the step GenerateTarget.
_base_ = './crowd.py'

model = dict(
    _delete_=True,
    type='BottomupPoseEstimator',
    data_preprocessor=_base_.model.data_preprocessor,
    backbone=_base_.model.backbone,
    neck=dict(type='FeatureMapProcessor', concat=True),  # all branches, as CID takes them
    test_cfg=dict(flip_test=True),
)

maps = dict(input_size=_base_.size, heatmap_size=(_base_.side // 4, _base_.side // 4))
mmpose_steps = [
    dict(type='LoadImage'),
    dict(type='cid_mmpose.AffineOfAnybody', input_size=_base_.size, shift_prob=0, rotate_prob=0, scale_prob=0),
    dict(type='RandomFlip', direction='horizontal'),
    dict(type='GenerateTarget', encoder=dict()),
    dict(type='BottomupGetHeatmapMask'),
    dict(type='PackPoseInputs'),
]
val_dataloader = dict(batch_size=1)
test_dataloader = val_dataloader
