# OCHuman by the first protocol of table 6: trained on val (2500 images), tested on test (2231). COCO's 17 keypoints.
_base_ = './coco.py'

data_root = 'data/ochuman/'
people = dict(
    data_root=data_root,
    data_prefix=dict(img='images/'),
    metainfo=dict(from_file='configs/_base_/datasets/ochuman.py'))  # MMPose's
train_dataloader = dict(
    dataset=dict(**people, ann_file='annotations/ochuman_coco_format_val_range_0.00_1.00.json'))
val_dataloader = dict(
    dataset=dict(**people, ann_file='annotations/ochuman_coco_format_test_range_0.00_1.00.json'))
test_dataloader = val_dataloader

val_evaluator = dict(prefix='ochuman')
test_evaluator = val_evaluator
