# CID on OCHuman with HRNet-W48 (first protocol of table 6). The paper does not say at which size: 640 as in table 4.
_base_ = ['./_base_/default_runtime.py', './_base_/adam_140e.py', './_base_/ochuman.py', './_base_/cid_hrnet-w48.py']

model = dict(head=dict(decoder=_base_.codec, test=dict(nms=0.7)))  # source: the authors' configuration
auto_scale_lr = dict(base_batch_size=20)  # 1 GPU
default_hooks = dict(checkpoint=dict(save_best='ochuman/AP'))

input_size = (640, 640)
_base_.train_pipeline[1].input_size = input_size
_base_.val_pipeline[1].input_size = input_size
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=_base_.val_pipeline))
test_dataloader = val_dataloader
