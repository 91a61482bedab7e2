"""The losses of section 3.4, from logits and in float32, so that half precision around them is safe."""
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cid_mmpose.registry import MODELS

ALPHA, BETA = 2, 4  # eq. 15
AVERAGES = ('batch', 'person')


def focal_terms(logits: Tensor, target: Tensor, weight: Tensor) -> tuple:
    """The sum in eq. 15, cell by cell.

    The reference takes probabilities clamped to [1e-4, 1 - 1e-4]; from logits the logarithms stay finite without it.

    Args:
        logits: (..., H, W), any float type. target: the same shape, in [0, 1].
        weight: broadcasts over the maps; 0 where a cell or a map does not count.

    Returns:
        Losses and numbers of peaks (cells equal to 1 that count), float32, both of the maps' shape.
    """
    logits, target = logits.float(), target.float()
    log_p, log_not_p = F.logsigmoid(logits), F.logsigmoid(-logits)
    p = log_p.exp()
    is_peak = target.eq(1) * weight
    found = log_p * (1 - p)**ALPHA * is_peak
    false = log_not_p * p**ALPHA * (1 - target)**BETA * weight  # (1 - target) is 0 at the peaks
    return -(found + false), is_peak


def focal_loss(logits: Tensor, target: Tensor, weight: Tensor, average: str = 'batch') -> Tensor:
    """FL of eq. 15: the sum over all cells divided by the number of those that equal 1.

    Args:
        logits, target, weight: see ``focal_terms``; the first axis counts pictures or people.
        average: over which cells: 'batch' takes all maps together, as the authors' code and MMPose do; 'person' takes
            the maps of each entry of the first axis by themselves and then their mean (eq. 16).

    Returns:
        A scalar; where no cell equals 1 (nobody in the pictures) the sum itself, as the reference does, and 0 for
        ``average`` 'person' without people.
    """
    losses, peaks = focal_terms(logits, target, weight)
    if average == 'batch':
        return losses.sum() / peaks.sum().clamp(min=1)
    people = losses.flatten(1).sum(1) / peaks.flatten(1).sum(1).clamp(min=1)
    return people.sum() / max(len(people), 1)


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
        average: 'batch' (both recipes) or 'person' (the paper's eq. 16).
    """

    def __init__(self, *, loss_weight: float = 1.0, average: str = 'batch') -> None:
        super().__init__()
        if average not in AVERAGES:
            raise ValueError(f'FocalHeatmapLoss: average must be one of {AVERAGES}, got {average!r}')
        self.loss_weight, self.average = loss_weight, average

    def forward(self, logits: Tensor, target: Tensor, weight: Tensor) -> Tensor:
        """See ``focal_loss``."""
        return self.loss_weight * focal_loss(logits, target, weight, self.average)


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
