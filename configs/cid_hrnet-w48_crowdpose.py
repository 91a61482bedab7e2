# CID on CrowdPose with HRNet-W48 (table 5). The paper does not say at which size: 640 as in table 4, which is also what
# the table of BoIR (BMVC 2023) lists for this row.
_base_ = [
    './_base_/default_runtime.py', './_base_/adam_300e.py', './_base_/crowdpose.py', './_base_/cid_hrnet-w48.py',
    './_base_/input_640.py'
]

model = dict(metainfo=_base_.metainfo, head=dict(num_keypoints=14, decoder=_base_.codec))
default_hooks = dict(checkpoint=dict(save_best='crowdpose/AP'))

train_pipeline = [
    dict(step, input_size=_base_.input_size) if 'input_size' in step else step for step in _base_.train_pipeline
]
val_pipeline = [
    dict(step, input_size=_base_.input_size) if 'input_size' in step else step for step in _base_.val_pipeline
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=val_pipeline))
test_dataloader = val_dataloader
