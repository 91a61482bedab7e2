# CID on any backbone that gives four maps, at strides 4, 8, 16 and 32; docs/mmpose.md has a table of those tried.
# A config that starts from here sets the backbone and the widths of its maps, and tells the head their sum:
#   widths = (256, 512, 1024, 2048)
#   model = dict(backbone=dict(type='ResNet', ...), head=dict(in_channels=sum(widths)))
model = dict(
    type='cid_mmpose.CID',
    data_preprocessor=dict(
        type='PoseDataPreprocessor',
        mean=[123.675, 116.28, 103.53],  # RGB, of ImageNet
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True),
    head=dict(type='cid_mmpose.CIDHead', num_keypoints=17, gfd_channels=32),
    test_cfg=dict(flip_test=True))
