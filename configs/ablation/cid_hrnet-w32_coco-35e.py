# The shorter training of the ablations on COCO (table 1, last row; table 2, 32 channels). The paper gives 35 epochs but
# not where the learning rate falls: here after the same parts of the run as 90 and 120 of 140 epochs, rounded down.
_base_ = '../cid_hrnet-w32_coco.py'

train_cfg = dict(max_epochs=35, val_interval=5)
param_scheduler = [dict(type='MultiStepLR', begin=0, end=35, milestones=[22, 30], gamma=0.1, by_epoch=True)]
