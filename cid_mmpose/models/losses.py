"""The losses of section 3.4, from logits and in float32, so that half precision around them is safe."""
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cid_mmpose.registry import MODELS

ALPHA, BETA = 2, 4  # eq. 15


def focal_loss(logits: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """FL of eq. 15, summed over all maps and divided by the number of cells that equal 1.

    The reference takes probabilities clamped to [1e-4, 1 - 1e-4]; from logits the logarithms stay finite without it.

    Args:
        logits: (..., H, W), any float type. target: the same shape, in [0, 1].
        weight: broadcasts over the maps; 0 where a cell or a map does not count.

    Returns:
        A scalar; with no cell equal to 1 (nobody in the pictures) the sum itself, as the reference does.
    """
    logits, target = logits.float(), target.float()
    log_p, log_not_p = F.logsigmoid(logits), F.logsigmoid(-logits)
    p = log_p.exp()
    is_peak = target.eq(1) * weight
    found = log_p * (1 - p)**ALPHA * is_peak
    false = log_not_p * p**ALPHA * (1 - target)**BETA * weight  # (1 - target) is 0 at the peaks
    return -(found.sum() + false.sum()) / is_peak.sum().clamp(min=1)


def contrastive_loss(params: Tensor, image: Tensor, temperature: float) -> Tensor:
    """Eq. 8: tells the people of one picture apart by their vectors; mean over all people of the batch (eq. 14).

    Args:
        params: (N, C). image: (N,) int64; only people of the same picture are compared. temperature: tau.

    Returns:
        A scalar; 0 for nobody and for people who are alone in their picture.
    """
    with torch.autocast(params.device.type, enabled=False):  # else the product is rounded to half precision
        vectors = F.normalize(params.float(), dim=1)
        logits = vectors @ vectors.T / temperature
    logits = logits.masked_fill(image[:, None] != image, -torch.inf)
    return (logits.logsumexp(1) - logits.diagonal()).sum() / max(len(params), 1)


@MODELS.register_module()
class FocalHeatmapLoss(nn.Module):
    """``focal_loss`` with its share of the total.

    Args:
        loss_weight: 1 for the crowd maps, lambda = 4 of eq. 5 for the maps of each person.
    """

    def __init__(self, *, loss_weight: float = 1.0) -> None:
        super().__init__()
        self.loss_weight = loss_weight

    def forward(self, logits: Tensor, target: Tensor, weight: Tensor) -> Tensor:
        """See ``focal_loss``."""
        return self.loss_weight * focal_loss(logits, target, weight)


@MODELS.register_module()
class ContrastiveLoss(nn.Module):
    """``contrastive_loss`` with its temperature and share of the total.

    Args:
        temperature: tau of eq. 8. loss_weight: 0 leaves the loss out (table 1).
    """

    def __init__(self, *, temperature: float = 0.05, loss_weight: float = 1.0) -> None:
        super().__init__()
        self.temperature, self.loss_weight = temperature, loss_weight

    def forward(self, params: Tensor, image: Tensor) -> Tensor:
        """See ``contrastive_loss``."""
        return self.loss_weight * contrastive_loss(params, image, self.temperature)
