from .cid_head import CIDHead
from .estimator import CID
from .features import sample_at
from .gfd import GFD
from .iia import IIA
from .losses import ContrastiveLoss, FocalHeatmapLoss
from .roots import Roots, find_roots

__all__ = ['CID', 'CIDHead', 'ContrastiveLoss', 'FocalHeatmapLoss', 'GFD', 'IIA', 'Roots', 'find_roots', 'sample_at']
