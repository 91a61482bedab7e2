# CID on CrowdPose with HRNet-W48, from MMPose's COCO weights (which were trained at 512) instead of ImageNet's.
_base_ = './cid_hrnet-w48_crowdpose.py'

# the maps of the 14 keypoints start anew, all else is loaded
model = dict(other_keypoints='fresh', backbone=dict(init_cfg=None))
load_from = ('https://download.openmmlab.com/mmpose/v1/body_2d_keypoint/cid/coco/'
             'cid_hrnet-w48_8xb20-140e_coco-512x512_a36c3ecf-20230207.pth')
