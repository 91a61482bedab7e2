# MMPose's CID in the setting of gpu.py, with the options of mmpose_cid.py, from weights as large as ours.
_base_ = './gpu.py'

encoder = dict(type='DecoupledHeatmap', input_size=_base_.size, heatmap_size=(_base_.side // 4, _base_.side // 4))
model = dict(
    _delete_=True,
    type='BottomupPoseEstimator',
    data_preprocessor=_base_.model.data_preprocessor,
    backbone=_base_.model.backbone,
    neck=dict(type='FeatureMapProcessor', concat=True),  # all branches, as CID takes them
    head=dict(
        type='cid_mmpose.SameStartCIDHead',
        in_channels=sum(_base_.widths),
        num_keypoints=17,
        gfd_channels=32,
        coupled_heatmap_loss=dict(type='FocalHeatmapLoss', loss_weight=1.0),
        decoupled_heatmap_loss=dict(type='FocalHeatmapLoss', loss_weight=4.0),
        contrastive_loss=dict(type='InfoNCELoss', temperature=0.05, loss_weight=1.0),
        decoder=encoder,
    ),
    train_cfg=dict(max_train_instances=200),
    test_cfg=dict(flip_test=True),
)
train_pipeline = [
    dict(type='LoadImage'),
    dict(type='BottomupRandomAffine', input_size=_base_.size, shift_prob=0, rotate_prob=0, scale_prob=0),
    dict(type='RandomFlip', direction='horizontal'),
    dict(type='GenerateTarget', encoder=encoder),
    dict(type='BottomupGetHeatmapMask'),
    dict(type='PackPoseInputs'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(batch_size=1)
test_dataloader = val_dataloader
