# Table 2: GFD with 64 channels.
_base_ = './cid_hrnet-w32_coco-35e.py'

model = dict(head=dict(gfd_channels=64))
