# The same check with MMPose's own CID: its head, codec, losses, data set and transforms; same backbone and schedule.
# In float32: its loss is not finite in half precision.
_base_ = './cid_hrnet-w16-small_coco-mini.py'

model = dict(
    type='BottomupPoseEstimator',
    neck=dict(type='FeatureMapProcessor', concat=True),
    head=dict(
        _delete_=True,
        type='CIDHead',
        in_channels=sum(_base_.widths),
        num_keypoints=17,
        gfd_channels=32,
        coupled_heatmap_loss=dict(type='FocalHeatmapLoss', loss_weight=1.0),
        decoupled_heatmap_loss=dict(type='FocalHeatmapLoss', loss_weight=4.0),
        contrastive_loss=dict(type='InfoNCELoss', temperature=0.05, loss_weight=1.0),
        decoder=dict(type='DecoupledHeatmap', input_size=(512, 512), heatmap_size=(128, 128))),
    train_cfg=dict(max_train_instances=200))
optim_wrapper = dict(
    _delete_=True,
    type='OptimWrapper',
    optimizer=_base_.optim_wrapper.optimizer,
    clip_grad=_base_.optim_wrapper.clip_grad)

train_pipeline = [
    dict(type='LoadImage'),
    dict(
        type='BottomupRandomAffine',
        input_size=(512, 512),
        shift_prob=0,
        rotate_prob=0,
        scale_prob=0,
        scale_type='long'),
    dict(
        type='GenerateTarget',
        encoder=dict(type='DecoupledHeatmap', input_size=(512, 512), heatmap_size=(128, 128))),
    dict(type='BottomupGetHeatmapMask'),
    dict(type='PackPoseInputs'),
]
val_pipeline = [
    dict(type='LoadImage') if step.type == 'cid_mmpose.LoadImage' else step for step in _base_.val_pipeline
]
train_dataloader = dict(dataset=dict(type='CocoDataset', data_mode='bottomup', pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(type='CocoDataset', data_mode='bottomup', pipeline=val_pipeline))
test_dataloader = val_dataloader

val_evaluator = dict(_delete_=True, type='CocoMetric', nms_thr=0.8, score_mode='keypoint')
test_evaluator = val_evaluator
