"""The losses of section 3.4, from logits and in float32, so that half precision around them is safe."""

from .contrastive import ContrastiveLoss, contrastive_loss
from .focal import FocalHeatmapLoss, focal_loss, focal_sum

__all__ = ['ContrastiveLoss', 'FocalHeatmapLoss', 'contrastive_loss', 'focal_loss', 'focal_sum']
