# Table 1, row 3: spatial and channel recalibration, without the contrastive loss.
_base_ = './cid_hrnet-w32_coco-35e.py'

model = dict(head=dict(contrastive_loss=dict(type='cid_mmpose.ContrastiveLoss', loss_weight=0.0)))
