# CID on HRNet-W48: every branch one and a half times as wide, and GFD too as in MMPose's port; the paper gives no width
# of GFD for this backbone.
_base_ = './cid_hrnet-w32.py'

widths = (48, 96, 192, 384)
model = dict(
    backbone=dict(
        extra=dict(
            stage2=dict(num_channels=widths[:2]),
            stage3=dict(num_channels=widths[:3]),
            stage4=dict(num_channels=widths)),
        init_cfg=dict(checkpoint='https://download.openmmlab.com/mmpose/pretrain_models/hrnet_w48-8ef0771d.pth')),
    head=dict(in_channels=sum(widths), gfd_channels=48))
