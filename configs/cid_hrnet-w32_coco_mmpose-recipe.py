# CID on COCO as MMPose trains it: its rules, and 8 GPUs x 20 images at the same learning rate.
_base_ = './cid_hrnet-w32_coco.py'

recipe = 'mmpose'
model = dict(head=dict(recipe=recipe, decoder=dict(recipe=recipe)))  # MMPose's inferencers do not read the word
auto_scale_lr = dict(base_batch_size=160)
