# Learn a few dozen real images by heart: a check that data, targets, losses and decoding fit together.
# Whole images without augmentation, so that testing shows the network what it was trained on.
_base_ = [
    '../_base_/default_runtime.py', '../_base_/coco.py', '../_base_/cid_hrnet-w16-small.py', '../_base_/overfit.py'
]

size = (512, 512)
model = dict(head=dict(decoder=_base_.codec), test_cfg=dict(flip_test=False))
optim_wrapper = dict(type='cid_mmpose.BFloat16OptimWrapper')

changes = {  # of steps, by their types
    'cid_mmpose.RandomAffine': dict(input_size=size, rotation=0, scale=(1, 1), shift=0, scale_type='long'),
    'cid_mmpose.RandomMirror': dict(prob=0),
    'cid_mmpose.ResizeImage': dict(input_size=size, resize_mode='fit'),
}
train_pipeline = [dict(step, **changes.get(step.type, {})) for step in _base_.train_pipeline]
val_pipeline = [dict(step, **changes.get(step.type, {})) for step in _base_.val_pipeline]
train_dataloader = dict(batch_size=4, num_workers=1, dataset=dict(pipeline=train_pipeline))
# the training images that show somebody, as they are
val_dataloader = dict(
    num_workers=1,
    dataset=dict(
        ann_file='annotations/person_keypoints_train2017.json',
        data_prefix=dict(img='train2017/'),
        pipeline=val_pipeline))
test_dataloader = val_dataloader
