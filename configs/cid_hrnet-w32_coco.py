# CID on COCO (tables 3 and 4): HRNet-W32, short side 512.
_base_ = ['./_base_/default_runtime.py', './_base_/adam_140e.py', './_base_/coco.py', './_base_/cid_hrnet-w32.py']

model = dict(head=dict(decoder=_base_.codec))
