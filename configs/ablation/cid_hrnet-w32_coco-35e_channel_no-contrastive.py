# Table 1, row 2: channel recalibration alone, without the contrastive loss.
_base_ = './cid_hrnet-w32_coco-35e_no-contrastive.py'

model = dict(head=dict(recalibration='channel'))
