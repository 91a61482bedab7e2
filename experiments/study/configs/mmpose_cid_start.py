# MMPose's CID with weights before training as large as ours are in this study.
_base_ = './mmpose_cid.py'

model = dict(head=dict(type='cid_mmpose.SameStartCIDHead'))
