# cid_hrnet-w48_coco.py tested on COCO test-dev (table 4): writes the zip that COCO's server takes.
_base_ = './cid_hrnet-w48_coco.py'

test_dataloader = dict(
    dataset=dict(ann_file='annotations/image_info_test-dev2017.json', data_prefix=dict(img='test2017/')))
test_evaluator = dict(submission='person_keypoints_test-dev2017_cid-w48_results.zip')
