from .augment import RandomAffine, RandomMirror
from .coco_people import CocoPeople
from .loading import LoadImage
from .loss_mask import LossMask
from .packing import PackPeople, ResizeImage
from .synth_crowd import SynthCrowd

__all__ = [
    'CocoPeople', 'LoadImage', 'LossMask', 'PackPeople', 'RandomAffine', 'RandomMirror', 'ResizeImage', 'SynthCrowd'
]
