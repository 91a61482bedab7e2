# Section 4.2 of the paper: Adam at 0.001, divided by 10 at epochs 90 and 120 of 140.
train_cfg = dict(by_epoch=True, max_epochs=140, val_interval=10)
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='Adam', lr=1e-3))
param_scheduler = [dict(type='MultiStepLR', begin=0, end=140, milestones=[90, 120], gamma=0.1, by_epoch=True)]
auto_scale_lr = dict(base_batch_size=40, enable=False)  # 2 GPUs x 20 images
