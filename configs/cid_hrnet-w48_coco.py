# CID on COCO with HRNet-W48 at 640 (table 4).
_base_ = './cid_hrnet-w48_coco-512.py'

input_size = (640, 640)
_base_.train_pipeline[1].input_size = input_size
_base_.val_pipeline[1].input_size = input_size
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=_base_.val_pipeline))
test_dataloader = val_dataloader
