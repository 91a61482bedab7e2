from .cid_head import CIDHead
from .estimator import CID
from .gfd import GFD
from .iia import IIA
from .losses import ContrastiveLoss, FocalHeatmapLoss
from .roots import Roots, find_roots, sample_at

__all__ = ['CID', 'CIDHead', 'ContrastiveLoss', 'FocalHeatmapLoss', 'GFD', 'IIA', 'Roots', 'find_roots', 'sample_at']
