"""The losses of section 3.4, from logits and in float32, so that half precision around them is safe."""

from .contrastive import ContrastiveLoss, contrastive_loss
from .focal import FocalHeatmapLoss, focal_sum
from .heatmap import HeatmapLoss

__all__ = ['ContrastiveLoss', 'FocalHeatmapLoss', 'HeatmapLoss', 'contrastive_loss', 'focal_sum']
