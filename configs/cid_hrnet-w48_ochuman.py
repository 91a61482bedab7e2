# CID on OCHuman with HRNet-W48 (first protocol of table 6). The paper does not say at which size: 640 as in table 4.
_base_ = [
    './_base_/default_runtime.py', './_base_/adam_140e.py', './_base_/ochuman.py', './_base_/cid_hrnet-w48.py',
    './_base_/input_640.py'
]

model = dict(head=dict(decoder=_base_.codec, test=dict(nms=0.7)))  # source: the authors' configuration
auto_scale_lr = dict(base_batch_size=20)  # 1 GPU
default_hooks = dict(checkpoint=dict(save_best='ochuman/AP'))

train_pipeline = [
    dict(step, input_size=_base_.input_size) if 'input_size' in step else step for step in _base_.train_pipeline
]
val_pipeline = [
    dict(step, input_size=_base_.input_size) if 'input_size' in step else step for step in _base_.val_pipeline
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=val_pipeline))
test_dataloader = val_dataloader
