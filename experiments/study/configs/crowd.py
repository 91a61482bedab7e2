# The setting of the study: crowds of drawn people, a small backbone, float32, so that any machine with AVX2 repeats it.
_base_ = '../../../configs/cid_hrnet-w16-small_synthcrowd.py'

side = 128  # px
size = (side, side)
scenes = dict(image_size=size, people=(1, 6), person_height=(0.5, 0.9), overlap=0.9, turn=60)
codec = dict(small_person_area=float(side // 16) ** 2)  # 32 x 32 px of 512

model = dict(
    head=dict(
        person_loss=dict(type='cid_mmpose.FocalHeatmapLoss', loss_weight=4.0),
        contrastive_loss=dict(type='cid_mmpose.ContrastiveLoss', loss_weight=1.0),
        test=dict(max_people=30, min_score=0.01),  # as in the paper, and as MMPose's methods have it
    )
)
train_pipeline = [dict(step, input_size=size) if 'input_size' in step else step for step in _base_.train_pipeline]
val_pipeline = [dict(step, input_size=size) if 'input_size' in step else step for step in _base_.val_pipeline]
train_dataloader = dict(dataset=dict(**scenes, length=100000, pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(**scenes, length=300, pipeline=val_pipeline))
test_dataloader = val_dataloader

# `cid study` sets the number of iterations of each run, and the seed
train_cfg = dict(_delete_=True, type='IterBasedTrainLoop', max_iters=1200, val_interval=1200)
optim_wrapper = dict(type='OptimWrapper')
