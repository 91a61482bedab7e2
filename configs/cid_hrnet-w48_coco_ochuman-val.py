# cid_hrnet-w48_coco.py, trained on COCO, tested on OCHuman val (second protocol of table 6).
_base_ = './cid_hrnet-w48_coco.py'

model = dict(head=dict(test=dict(blur=11, nms=0.7)))  # source: the authors' configuration
test_dataloader = dict(
    dataset=dict(
        data_root='data/ochuman/',
        ann_file='annotations/ochuman_coco_format_val_range_0.00_1.00.json',
        data_prefix=dict(img='images/'),
        metainfo=dict(from_file='configs/_base_/datasets/ochuman.py')))  # MMPose's
test_evaluator = dict(prefix='ochuman')
