# Section 4.2 of the paper, CrowdPose: Adam at 0.001, divided by 10 at epochs 200 and 260 of 300.
train_cfg = dict(by_epoch=True, max_epochs=300, val_interval=20)
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='Adam', lr=1e-3))
param_scheduler = [dict(type='MultiStepLR', begin=0, end=300, milestones=[200, 260], gamma=0.1, by_epoch=True)]
auto_scale_lr = dict(base_batch_size=40, enable=False)  # 2 GPUs x 20 images
