"""Data sets and transforms for MMPose, and what works without it: preparation and the doctor, each in its folder.

The public names are imported when they are asked for: those of the transforms take the whole stack, and the folders
below must not.
"""

from importlib import import_module
from typing import Any

# public name -> the module below that defines it
HOME = dict(
    CocoPeople='coco_people',
    LoadImage='loading',
    LossMask='loss_mask',
    PackPeople='packing',
    RandomAffine='augment',
    RandomMirror='augment',
    ResizeImage='packing',
    SynthCrowd='synth_crowd',
)
__all__ = [
    'CocoPeople',
    'LoadImage',
    'LossMask',
    'PackPeople',
    'RandomAffine',
    'RandomMirror',
    'ResizeImage',
    'SynthCrowd',
]


def __getattr__(name: str) -> Any:
    if name not in HOME:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    module = import_module(f'.{HOME[name]}', __name__)
    return getattr(module, name)


def __dir__() -> list[str]:
    return sorted([*globals(), *HOME])
