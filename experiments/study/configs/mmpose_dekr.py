# MMPose's DEKR with the options of its config for COCO, without the network that scores people anew: that one's
# weights are of COCO's people.
_base_ = './bottomup.py'

encoder = dict(
    type='SPR',
    **_base_.maps,
    sigma=(2, 1),  # half: people are about half as tall here, in cells
    minimal_diagonal_length=32**0.5 * _base_.side / 512,  # cells; 32**0.5 of images of 512 px
    generate_keypoint_heatmaps=True,
    decode_max_instances=30,
)
model = dict(
    head=dict(
        type='cid_mmpose.SampledDEKRHead',
        in_channels=sum(_base_.widths),
        num_keypoints=17,
        heatmap_loss=dict(type='KeypointMSELoss', use_target_weight=True),
        displacement_loss=dict(
            type='SoftWeightSmoothL1Loss', use_target_weight=True, supervise_empty=False, beta=1 / 9, loss_weight=0.002
        ),
        decoder=encoder,
    ),
    test_cfg=dict(multiscale_test=False, nms_dist_thr=0.05, shift_heatmap=True, align_corners=False),
)
train_pipeline = [
    dict(step, encoder=encoder) if step.type == 'GenerateTarget' else step for step in _base_.mmpose_steps
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
