"""The paper: one file for each of its boxes and words. ``fast`` has the same in less time and memory, equal by test.

docs/architecture.md says where each equation is, and follows an image through training and testing.
"""

from .estimator import CID
from .features import sample_at, stack_branches
from .gfd import GFD, Decoupled
from .head import CIDHead, CIDOutput
from .iia import IIA
from .losses import ContrastiveLoss, FocalHeatmapLoss, HeatmapLoss
from .options import TestOptions
from .roots import Roots, find_roots
from .views import Views

__all__ = [
    'CID',
    'CIDHead',
    'CIDOutput',
    'ContrastiveLoss',
    'Decoupled',
    'FocalHeatmapLoss',
    'GFD',
    'HeatmapLoss',
    'IIA',
    'Roots',
    'TestOptions',
    'Views',
    'find_roots',
    'sample_at',
    'stack_branches',
]
