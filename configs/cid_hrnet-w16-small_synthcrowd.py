# The demo: a small CID on drawn people, about 6 minutes of training on 2 CPU cores.
_base_ = ['./_base_/default_runtime.py', './_base_/synthcrowd.py', './_base_/cid_hrnet-w16-small.py']

model = dict(head=dict(decoder=_base_.codec, test=dict(max_people=10, min_score=0.1)))

epochs = 2
train_cfg = dict(by_epoch=True, max_epochs=epochs, val_interval=epochs)
optim_wrapper = dict(
    type='cid_mmpose.BFloat16OptimWrapper',
    optimizer=dict(type='Adam', lr=2e-3, betas=(0.9, 0.99)),
    clip_grad=dict(max_norm=20))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, begin=0, end=50, by_epoch=False),
    dict(type='CosineAnnealingLR', T_max=epochs, eta_min=2e-5, by_epoch=True, convert_to_iter_based=True),
]
default_hooks = dict(logger=dict(interval=25))
randomness = dict(seed=0)
