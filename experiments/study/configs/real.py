# Fine-tuning on a few dozen real images, and testing on others: the network of crowd.py at 256 px, and the small folder
# of COCO's images that $CID_SHARED has.
_base_ = './crowd.py'

data_root = '{{$CID_SHARED:../shared}}/data/coco_mini/'
side = 256  # px
size = (side, side)
codec = dict(small_person_area=float(side // 16) ** 2)

changes = {  # of steps, by their types
    'cid_mmpose.RandomAffine': dict(input_size=size, rotation=30, scale=(0.75, 1.5), shift=0.2),
    'cid_mmpose.RandomMirror': dict(mirror=None),
    'BottomupResize': dict(input_size=size),
}
train_pipeline = [dict(step, **changes.get(step.type, {})) for step in _base_.train_pipeline]
val_pipeline = [dict(step, **changes.get(step.type, {})) for step in _base_.val_pipeline]
images = dict(_delete_=True, type='cid_mmpose.CocoPeople', data_root=data_root)
train_dataloader = dict(
    dataset=dict(
        **images,
        ann_file='annotations/person_keypoints_train2017.json',
        data_prefix=dict(img='train2017/'),
        pipeline=train_pipeline,
    )
)
val_dataloader = dict(
    batch_size=1,  # images differ in size
    dataset=dict(
        **images,
        ann_file='annotations/person_keypoints_val2017.json',
        data_prefix=dict(img='val2017/'),
        test_mode=True,
        pipeline=val_pipeline,
    ),
)
test_dataloader = val_dataloader
