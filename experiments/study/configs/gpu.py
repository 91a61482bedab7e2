# CID-W32 on dense crowds of 512 px in bfloat16, for as many minutes as there is a GPU.
_base_ = [
    '../../../configs/_base_/default_runtime.py',
    '../../../configs/_base_/synthcrowd.py',
    '../../../configs/_base_/cid_hrnet-w32.py',
]

side = 512  # px
size = (side, side)
scenes = dict(image_size=size, people=(10, 30), person_height=(0.2, 0.5), overlap=0.8)

model = dict(
    backbone=dict(init_cfg=None),  # nothing is downloaded
    head=dict(
        decoder=_base_.codec,
        init_std=None,  # with the authors' small weights nobody is told apart in so few minutes
        test=dict(max_people=30, min_score=0.01),
    ),
)
train_pipeline = [dict(step, input_size=size) if 'input_size' in step else step for step in _base_.train_pipeline]
val_pipeline = [dict(step, input_size=size) if 'input_size' in step else step for step in _base_.val_pipeline]
train_dataloader = dict(
    batch_size=20,  # as many as the recipe has on a GPU
    num_workers=15,
    prefetch_factor=2,
    pin_memory=True,
    dataset=dict(**scenes, length=100000, pipeline=train_pipeline),
)
val_dataloader = dict(num_workers=15, dataset=dict(**scenes, length=200, pipeline=val_pipeline))
test_dataloader = val_dataloader

# more iterations than there is time for: the clock ends the run, and the learning rate comes down until then
iterations = 100000
train_cfg = dict(type='cid_mmpose.TimedTrainLoop', max_iters=iterations, minutes=2.5, val_interval=iterations)
optim_wrapper = dict(
    type='cid_mmpose.BFloat16OptimWrapper',
    optimizer=dict(type='Adam', lr=1e-3, betas=(0.9, 0.99)),
    clip_grad=dict(max_norm=20),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, begin=0, end=50, by_epoch=False),
    dict(type='PolyLR', power=1, eta_min=2e-5, begin=50, end=iterations, by_epoch=False),
]
default_hooks = dict(
    logger=dict(interval=10, log_metric_by_epoch=False),
    checkpoint=dict(by_epoch=False, interval=iterations, max_keep_ckpts=1),
)
log_processor = dict(by_epoch=False, window_size=10)
env_cfg = dict(cudnn_benchmark=True)
