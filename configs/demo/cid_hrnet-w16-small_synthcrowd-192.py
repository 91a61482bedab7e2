# The demo on smaller images, for slower machines.
_base_ = '../cid_hrnet-w16-small_synthcrowd.py'

size = (192, 192)
_base_.train_pipeline[1].update(input_size=size)
_base_.val_pipeline[1].update(input_size=size)
train_dataloader = dict(dataset=dict(image_size=size, pipeline=_base_.train_pipeline))
val_dataloader = dict(dataset=dict(image_size=size, pipeline=_base_.val_pipeline))
test_dataloader = val_dataloader
