from .augment import RandomAffine, RandomMirror
from .coco_people import CocoPeople
from .loading import LoadPicture
from .loss_mask import LossMask
from .packing import PackPeople, ResizePicture
from .synth_crowd import SynthCrowd

__all__ = [
    'CocoPeople', 'LoadPicture', 'LossMask', 'PackPeople', 'RandomAffine', 'RandomMirror', 'ResizePicture', 'SynthCrowd'
]
