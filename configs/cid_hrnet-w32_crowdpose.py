# CID on CrowdPose (table 5): HRNet-W32, short side 512, from ImageNet weights.
_base_ = ['./_base_/default_runtime.py', './_base_/adam_300e.py', './_base_/crowdpose.py', './_base_/cid_hrnet-w32.py']

model = dict(metainfo=_base_.metainfo, head=dict(num_keypoints=14, decoder=_base_.codec))
default_hooks = dict(checkpoint=dict(save_best='crowdpose/AP'))
