# The demo on the smallest images, for the slowest machines: people who fill them, and more and smaller steps.
_base_ = '../cid_hrnet-w16-small_synthcrowd.py'

size = (128, 128)
height = (0.8, 1.0)
_base_.train_pipeline[1].update(input_size=size)
_base_.val_pipeline[1].update(input_size=size)
train_dataloader = dict(
    batch_size=4, dataset=dict(image_size=size, person_height=height, pipeline=_base_.train_pipeline))
val_dataloader = dict(dataset=dict(image_size=size, person_height=height, pipeline=_base_.val_pipeline))
test_dataloader = val_dataloader

iterations = 2000
train_cfg = dict(max_iters=iterations, val_interval=iterations)
_base_.param_scheduler[1].update(end=iterations)
param_scheduler = _base_.param_scheduler
default_hooks = dict(checkpoint=dict(interval=iterations))
