# Table 1, row 5: channel recalibration alone, with the contrastive loss.
_base_ = './cid_hrnet-w32_coco-35e.py'

model = dict(head=dict(recalibration='channel'))
