"""The focal loss FL of heatmaps (eq. 15), and how it is averaged (eq. 16); from logits and in float32."""

import torch
from torch import Tensor

from cid_mmpose.registry import MODELS

from .heatmap import HeatmapLoss

TINY = 1e-37  # least probability in a logarithm: logits beyond 85 cost no more
AVERAGES = ('batch', 'person')


def focal_sum(logits: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """The sum in eq. 15 over all cells, each with its weight.

    The reference takes probabilities clamped to [1e-4, 1 - 1e-4]; from logits the logarithms stay finite without it.

    Args:
        logits: (..., H, W), any float type.
        target: the same shape, in [0, 1].
        weight: broadcasts over the maps; 0 where a cell or a map does not count.

    Returns:
        float32 scalar, differentiable once in the logits.
    """
    return _FocalSum.apply(logits, target.float(), weight)


class _FocalSum(torch.autograd.Function):
    """``focal_sum``; forms value and gradient in one pass over the maps, of which it keeps only the gradient.

    A peak costs -(1 - p)^2 log p, every other cell -(1 - t)^4 p^2 log(1 - p). With p = sigmoid(x) and q = sigmoid(-x),
    a peak is an empty cell of logit -x: both are w p^2 c with c = -log q, and their derivative is w p^2 (2 q c + p).
    """

    @staticmethod
    def forward(ctx, logits: Tensor, target: Tensor, weight: Tensor) -> Tensor:
        is_peak = target == 1
        share = (1 - target).square_().square_().masked_fill_(is_peak, 1).mul_(weight)
        sign = torch.where(is_peak, -1.0, 1.0)
        x = logits.float() * sign
        p, q = x.sigmoid(), x.neg_().sigmoid_()
        share.mul_(p).mul_(p)
        log_q = q.clamp(min=TINY).log_()  # -softplus(x), which is slower
        total = -(share * log_q).sum()
        if ctx.needs_input_grad[0]:
            slope = p.addcmul_(q, log_q, value=-2).mul_(share).mul_(sign)
            ctx.save_for_backward(slope.to(logits.dtype))
        return total

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, gradient: Tensor) -> tuple:
        return ctx.saved_tensors[0] * gradient, None, None


def focal_shares(num_peaks: Tensor, average: str = 'batch') -> Tensor:
    """What each map's sum is multiplied with to make FL of eq. 15, which divides by the number of peaks.

    Args:
        num_peaks: (N, K), cells that equal 1 in K maps of N images or people.
        average: over which cells: 'batch' takes all maps together, as the authors' code and MMPose do; 'person' takes
            the maps of each of the N by themselves and then their mean (eq. 16).

    Returns:
        () for 'batch', (N, 1) for 'person'. Where no cell equals 1 (nobody in the images) 1, as the reference does.
    """
    if average == 'batch':
        return 1 / num_peaks.sum().clamp(min=1)
    of_each = num_peaks.sum(1, keepdim=True).clamp(min=1)
    return 1 / (of_each * max(len(num_peaks), 1))


@MODELS.register_module()
class FocalHeatmapLoss(HeatmapLoss):
    """FL of eq. 15: the sum over all cells divided by the number of those that equal 1.

    Args:
        loss_weight: 1 for the crowd maps, lambda = 4 of eq. 5 for the maps of each person.
        average: 'batch' (both recipes) or 'person' (the paper's eq. 16).
    """

    def __init__(self, *, loss_weight: float = 1.0, average: str = 'batch') -> None:
        super().__init__()
        if average not in AVERAGES:
            raise ValueError(f'FocalHeatmapLoss: average must be one of {AVERAGES}, got {average!r}')
        self.loss_weight = loss_weight
        self.average = average

    def shares(self, num_peaks: Tensor) -> Tensor:
        """``focal_shares``, weighted; arguments as there."""
        return self.loss_weight * focal_shares(num_peaks, self.average)

    def sum_of_cells(self, logits: Tensor, target: Tensor, weight: Tensor) -> Tensor:
        """``focal_sum``; arguments as there."""
        return focal_sum(logits, target, weight)
