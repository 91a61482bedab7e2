"""The paper: one file for each of its boxes and words. ``fast`` is the engine room, equal to it by test."""

from .estimator import CID
from .features import sample_at, stack_branches
from .gfd import GFD, Decoupled
from .head import CIDHead, CIDOutput
from .iia import IIA
from .losses import ContrastiveLoss, FocalHeatmapLoss
from .options import TestOptions
from .roots import Roots, find_roots
from .views import View

__all__ = [
    'CID',
    'CIDHead',
    'CIDOutput',
    'ContrastiveLoss',
    'Decoupled',
    'FocalHeatmapLoss',
    'GFD',
    'IIA',
    'Roots',
    'TestOptions',
    'View',
    'find_roots',
    'sample_at',
    'stack_branches',
]
