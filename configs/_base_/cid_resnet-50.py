# CID on ResNet-50: the outputs of its four stages, at strides 4, 8, 16 and 32.
_base_ = './cid_four-stages.py'

widths = (256, 512, 1024, 2048)
model = dict(
    backbone=dict(
        type='ResNet',
        depth=50,
        out_indices=(0, 1, 2, 3),  # MMPose's default is the last alone
        init_cfg=dict(type='Pretrained', checkpoint='torchvision://resnet50')),
    head=dict(in_channels=sum(widths)))
