# A small CID for 2 CPU cores: one module a stage, two blocks a branch, half of W32's widths, from random weights.
_base_ = './cid_hrnet-w32.py'

widths = (16, 32, 64, 128)
model = dict(
    backbone=dict(
        extra=dict(
            stage1=dict(num_blocks=(1, ), num_channels=(32, )),
            stage2=dict(num_blocks=(2, 2), num_channels=widths[:2]),
            stage3=dict(num_modules=1, num_blocks=(2, 2, 2), num_channels=widths[:3]),
            stage4=dict(num_modules=1, num_blocks=(2, 2, 2, 2), num_channels=widths)),
        init_cfg=None),
    head=dict(in_channels=sum(widths)))
