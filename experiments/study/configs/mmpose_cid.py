# MMPose's CID: its head, codec, losses and transforms.
_base_ = './bottomup.py'

encoder = dict(type='DecoupledHeatmap', **_base_.maps)
model = dict(
    head=dict(
        type='CIDHead',
        in_channels=sum(_base_.widths),
        num_keypoints=17,
        gfd_channels=32,
        coupled_heatmap_loss=dict(type='FocalHeatmapLoss', loss_weight=1.0),
        decoupled_heatmap_loss=dict(type='FocalHeatmapLoss', loss_weight=4.0),
        contrastive_loss=dict(type='InfoNCELoss', temperature=0.05, loss_weight=1.0),
        decoder=encoder,
    ),
    train_cfg=dict(max_train_instances=200),
)
train_pipeline = [
    dict(step, encoder=encoder) if step.type == 'GenerateTarget' else step for step in _base_.mmpose_steps
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
