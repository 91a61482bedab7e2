# cid_hrnet-w32_coco.py, trained on COCO, tested on OCHuman test (second protocol of table 6).
_base_ = './cid_hrnet-w32_coco_ochuman-val.py'

test_dataloader = dict(dataset=dict(ann_file='annotations/ochuman_coco_format_test_range_0.00_1.00.json'))
