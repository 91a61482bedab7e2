# CID on CrowdPose from MMPose's COCO weights instead of ImageNet's. By the table of BoIR (BMVC 2023) a start from COCO
# weights brings 74.9 AP; it does not say on which schedule, so this keeps the one from ImageNet.
_base_ = './cid_hrnet-w32_crowdpose.py'

# the maps of the 14 keypoints start anew, all else is loaded
model = dict(other_keypoints='fresh', backbone=dict(init_cfg=None))
load_from = ('https://download.openmmlab.com/mmpose/v1/body_2d_keypoint/cid/coco/'
             'cid_hrnet-w32_8xb20-140e_coco-512x512_42b7e6e6-20230207.pth')
