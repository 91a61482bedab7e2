# Table 1, row 1: spatial recalibration alone, without the contrastive loss.
_base_ = './cid_hrnet-w32_coco-35e_no-contrastive.py'

model = dict(head=dict(recalibration='spatial'))
