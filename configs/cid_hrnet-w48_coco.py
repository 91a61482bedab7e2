# CID on COCO with HRNet-W48 at 640 (table 4).
_base_ = './cid_hrnet-w32_coco.py'

widths = (48, 96, 192, 384)
model = dict(
    backbone=dict(
        extra=dict(
            stage2=dict(num_channels=widths[:2]),
            stage3=dict(num_channels=widths[:3]),
            stage4=dict(num_channels=widths)),
        init_cfg=dict(checkpoint='https://download.openmmlab.com/mmpose/pretrain_models/hrnet_w48-8ef0771d.pth')),
    head=dict(in_channels=sum(widths), gfd_channels=48))

input_size = (640, 640)
_base_.train_pipeline[1].input_size = input_size
_base_.val_pipeline[1].input_size = input_size
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=_base_.val_pipeline))
test_dataloader = val_dataloader
