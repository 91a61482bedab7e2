# CID on COCO with HRNet-W48 at 640 (table 4).
_base_ = ['./cid_hrnet-w48_coco-512.py', './_base_/input_640.py']

train_pipeline = [
    dict(step, input_size=_base_.input_size) if 'input_size' in step else step for step in _base_.train_pipeline
]
val_pipeline = [
    dict(step, input_size=_base_.input_size) if 'input_size' in step else step for step in _base_.val_pipeline
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=val_pipeline))
test_dataloader = val_dataloader
