# For the small network, from random weights on a few dozen images or more: the demo's optimizer, by epochs.
epochs = 100
train_cfg = dict(by_epoch=True, max_epochs=epochs, val_interval=10)
slow_mask = dict(custom_keys=dict(spatial=dict(lr_mult=0.01)))  # of GFD; why: docs/training.md
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='Adam', lr=4e-3, betas=(0.9, 0.99)),
    paramwise_cfg=slow_mask,
    clip_grad=dict(max_norm=20))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, begin=0, end=50, by_epoch=False),
    dict(type='CosineAnnealingLR', T_max=epochs, eta_min=2e-5, by_epoch=True, convert_to_iter_based=True),
]
auto_scale_lr = dict(base_batch_size=4, enable=False)
