codec = dict(type='cid_mmpose.SizeAdaptiveHeatmap', stride=4)
data_mode = 'bottomup'  # for MMPose's inferencers: the network takes whole images
data_root = 'data/coco/'

train_pipeline = [
    dict(type='cid_mmpose.LoadImage', unreadable='skip'),
    dict(type='cid_mmpose.RandomAffine', input_size=(512, 512)),
    dict(type='cid_mmpose.RandomMirror'),
    dict(type='GenerateTarget', encoder=codec),
    dict(type='cid_mmpose.LossMask'),
    dict(
        type='cid_mmpose.PackPeople',
        meta_keys=('id', 'img_id', 'img_path', 'ori_shape', 'img_shape', 'input_size', 'flip', 'flip_indices')),
]
val_pipeline = [
    dict(type='cid_mmpose.LoadImage'),
    # short side to 512, the other to a multiple of 64
    dict(type='cid_mmpose.ResizeImage', input_size=(512, 512), size_factor=64, resize_mode='expand'),
    dict(
        type='PackPoseInputs',
        meta_keys=('id', 'img_id', 'img_path', 'ori_shape', 'img_shape', 'input_size', 'input_center', 'input_scale',
                   'flip_indices', 'raw_ann_info', 'skeleton_links')),
]

train_dataloader = dict(
    batch_size=20,  # a GPU; the recipe's 40 are 2 GPUs
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='cid_mmpose.CocoPeople',
        data_root=data_root,
        ann_file='annotations/person_keypoints_train2017.json',
        data_prefix=dict(img='train2017/'),
        pipeline=train_pipeline))
val_dataloader = dict(
    batch_size=1,  # images differ in size
    num_workers=2,
    persistent_workers=True,
    drop_last=False,
    sampler=dict(type='DefaultSampler', shuffle=False, round_up=False),
    dataset=dict(
        type='cid_mmpose.CocoPeople',
        data_root=data_root,
        ann_file='annotations/person_keypoints_val2017.json',
        data_prefix=dict(img='val2017/'),
        test_mode=True,
        pipeline=val_pipeline))
test_dataloader = val_dataloader

val_evaluator = dict(type='cid_mmpose.CocoPeopleMetric')  # against the annotation file of the data set under test
test_evaluator = val_evaluator
