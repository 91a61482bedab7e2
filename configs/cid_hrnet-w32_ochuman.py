# CID on OCHuman, trained on val and tested on test (first protocol of table 6): HRNet-W32, short side 512.
_base_ = ['./_base_/default_runtime.py', './_base_/adam_140e.py', './_base_/ochuman.py', './_base_/cid_hrnet-w32.py']

model = dict(head=dict(decoder=_base_.codec, test=dict(nms=0.7)))  # source: the authors' configuration
auto_scale_lr = dict(base_batch_size=20)  # 1 GPU
default_hooks = dict(checkpoint=dict(save_best='ochuman/AP'))
