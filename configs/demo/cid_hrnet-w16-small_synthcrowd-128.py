# The demo on the smallest images, for the slowest machines: people who fill them, and more and smaller steps.
_base_ = '../cid_hrnet-w16-small_synthcrowd.py'

size = (128, 128)
height = (0.8, 1.0)
train_pipeline = [dict(step, input_size=size) if 'input_size' in step else step for step in _base_.train_pipeline]
val_pipeline = [dict(step, input_size=size) if 'input_size' in step else step for step in _base_.val_pipeline]
train_dataloader = dict(
    batch_size=4, dataset=dict(image_size=size, person_height=height, pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(image_size=size, person_height=height, pipeline=val_pipeline))
test_dataloader = val_dataloader

iterations = 2000
train_cfg = dict(max_iters=iterations, val_interval=iterations)
param_scheduler = [
    dict(schedule, end=iterations) if schedule.type == 'PolyLR' else schedule for schedule in _base_.param_scheduler
]
default_hooks = dict(checkpoint=dict(interval=iterations))
