# CID on COCO with ResNet-50, short side 512: an example of another backbone. The paper has none but HRNet, and nobody
# has published a figure for this one.
_base_ = ['./_base_/default_runtime.py', './_base_/adam_140e.py', './_base_/coco.py', './_base_/cid_resnet-50.py']

model = dict(head=dict(decoder=_base_.codec))
