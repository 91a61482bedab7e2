# MMPose's associative embedding with the options of its config for COCO. That one reads the finest branch alone; here
# it has all of them, as the other methods do.
_base_ = './bottomup.py'

encoder = dict(
    type='cid_mmpose.TrainableEmbedding',
    **_base_.maps,
    sigma=1,  # half: people are about half as tall here, in cells
    decode_topk=30,
    decode_center_shift=0.5,
    decode_keypoint_order=[0, 1, 2, 3, 4, 5, 6, 11, 12, 7, 8, 9, 10, 13, 14, 15, 16],
    decode_max_instances=30,
)
model = dict(
    neck=dict(type='cid_mmpose.AllBranches'),
    head=dict(
        type='AssociativeEmbeddingHead',
        in_channels=sum(_base_.widths),
        num_keypoints=17,
        tag_dim=1,
        tag_per_keypoint=True,
        deconv_out_channels=None,
        keypoint_loss=dict(type='cid_mmpose.LossOfMaps'),
        tag_loss=dict(type='AssociativeEmbeddingLoss', loss_weight=0.001),
        decoder=dict(encoder, heatmap_size=_base_.size),
    ),
    test_cfg=dict(multiscale_test=False, shift_heatmap=False, restore_heatmap_size=True, align_corners=False),
)
train_pipeline = [
    dict(step, encoder=encoder) if step.type == 'GenerateTarget' else step for step in _base_.mmpose_steps
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
