# CID on COCO with HRNet-W48 at 512: the size of MMPose's public weights. The paper's own row is cid_hrnet-w48_coco.py.
_base_ = ['./_base_/default_runtime.py', './_base_/adam_140e.py', './_base_/coco.py', './_base_/cid_hrnet-w48.py']

model = dict(head=dict(decoder=_base_.codec))
