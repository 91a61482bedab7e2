# CrowdPose: 14 keypoints, trained on trainval (12K images) and tested on test (8K), as section 4.1 of the paper says.
_base_ = './coco.py'

codec = dict(small_person_area=0)  # everyone is trained; source: the authors' data set
train_pipeline = [
    dict(step, encoder=dict(step.encoder, **codec)) if 'encoder' in step else step for step in _base_.train_pipeline
]
metainfo = dict(from_file='configs/_base_/datasets/crowdpose.py')  # MMPose's; the model's NMS has its sigmas from there

data_root = 'data/crowdpose/'
people = dict(
    data_root=data_root,
    data_prefix=dict(img='images/'),
    metainfo=metainfo)
train_dataloader = dict(
    dataset=dict(
        **people, ann_file='annotations/mmpose_crowdpose_trainval.json', pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(**people, ann_file='annotations/mmpose_crowdpose_test.json'))
test_dataloader = val_dataloader

val_evaluator = dict(iou_type='keypoints_crowd', use_area=False, prefix='crowdpose')  # the files hold no areas
test_evaluator = val_evaluator
