from .estimator import CID
from .fast.branches import sample_at
from .gfd import GFD
from .head import CIDHead
from .iia import IIA
from .losses import ContrastiveLoss, FocalHeatmapLoss
from .roots import Roots, find_roots

__all__ = ['CID', 'CIDHead', 'ContrastiveLoss', 'FocalHeatmapLoss', 'GFD', 'IIA', 'Roots', 'find_roots', 'sample_at']
