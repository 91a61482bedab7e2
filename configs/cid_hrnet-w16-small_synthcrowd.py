# The demo: a small CID on drawn people, at most 4.5 minutes of training on 2 CPU cores (configs/demo: on slower ones).
_base_ = ['./_base_/default_runtime.py', './_base_/synthcrowd.py', './_base_/cid_hrnet-w16-small.py']

# larger weights of GFD at the start: with the authors' no person is told apart within so short a training
model = dict(head=dict(decoder=_base_.codec, init_std=None, test=dict(max_people=10, min_score=0.1)))

iterations = 1000
train_cfg = dict(type='cid_mmpose.TimedTrainLoop', max_iters=iterations, minutes=4.5, val_interval=iterations)
# GFD's mask learns slowly: otherwise it opens for everybody at the start, when the keypoints of all people have to come
# up at once, and stays so, because its sigmoid has no slope there
slow_mask = dict(custom_keys=dict(spatial=dict(lr_mult=0.01)))
optim_wrapper = dict(
    type='cid_mmpose.BFloat16OptimWrapper',
    optimizer=dict(type='Adam', lr=4e-3, betas=(0.9, 0.99)),
    paramwise_cfg=slow_mask,
    clip_grad=dict(max_norm=20))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, begin=0, end=50, by_epoch=False),
    dict(type='PolyLR', power=1, eta_min=2e-5, begin=50, end=iterations, by_epoch=False),
]
default_hooks = dict(
    logger=dict(interval=25, log_metric_by_epoch=False),
    checkpoint=dict(by_epoch=False, interval=iterations, max_keep_ckpts=1),
    progress=dict(type='cid_mmpose.ProgressHook'))
log_processor = dict(by_epoch=False)
randomness = dict(seed=0)
