# SynthCrowd: drawn people, exact annotation, no files. Training and held-out images differ by their seed.
codec = dict(type='cid_mmpose.SizeAdaptiveHeatmap', stride=4)
data_mode = 'bottomup'  # for MMPose's inferencers: the network takes whole images
size = (256, 256)
# few and large people who look roughly at the camera; the data set goes up to dense crowds seen from all sides
scenes = dict(
    type='cid_mmpose.SynthCrowd', image_size=size, people=(1, 3), person_height=(0.6, 0.95), overlap=0.2, turn=60)

train_pipeline = [
    dict(type='cid_mmpose.LoadImage'),
    dict(type='cid_mmpose.RandomAffine', input_size=size, rotation=0, scale=(1, 1), shift=0),  # scenes vary enough
    dict(type='cid_mmpose.RandomMirror', mirror='input'),
    dict(type='GenerateTarget', encoder=codec),
    dict(type='cid_mmpose.LossMask'),
    dict(type='cid_mmpose.PackPeople', meta_keys=('id', 'img_id', 'img_path', 'input_size', 'flip', 'flip_indices')),
]
val_pipeline = [
    dict(type='cid_mmpose.LoadImage'),
    dict(type='BottomupResize', input_size=size, size_factor=64, resize_mode='expand'),
    dict(
        type='PackPoseInputs',
        meta_keys=('id', 'img_id', 'img_path', 'ori_shape', 'img_shape', 'input_size', 'input_center', 'input_scale',
                   'flip_indices', 'raw_ann_info', 'skeleton_links')),
]

train_dataloader = dict(
    batch_size=8,
    num_workers=1,  # draws ahead, while the training waits for the slower of its threads
    persistent_workers=True,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    dataset=dict(**scenes, length=8000, seed=0, pipeline=train_pipeline))
val_dataloader = dict(
    batch_size=16,
    num_workers=0,
    persistent_workers=False,
    drop_last=False,
    sampler=dict(type='DefaultSampler', shuffle=False, round_up=False),
    dataset=dict(**scenes, length=200, seed=1, test_mode=True, pipeline=val_pipeline))
test_dataloader = val_dataloader

val_evaluator = dict(type='cid_mmpose.CocoPeopleMetric')
test_evaluator = val_evaluator
