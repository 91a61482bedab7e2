from .augment import RandomAffine, RandomMirror
from .coco_people import CocoPeople
from .loading import LoadPicture
from .loss_mask import LossMask

__all__ = ['CocoPeople', 'LoadPicture', 'LossMask', 'RandomAffine', 'RandomMirror']
