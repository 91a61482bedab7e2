# The demo on smaller images, for slower machines.
_base_ = '../cid_hrnet-w16-small_synthcrowd.py'

size = (192, 192)
train_pipeline = [dict(step, input_size=size) if 'input_size' in step else step for step in _base_.train_pipeline]
val_pipeline = [dict(step, input_size=size) if 'input_size' in step else step for step in _base_.val_pipeline]
train_dataloader = dict(dataset=dict(image_size=size, pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(image_size=size, pipeline=val_pipeline))
test_dataloader = val_dataloader
