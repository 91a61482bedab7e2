"""The losses of section 3.4, from logits and in float32, so that half precision around them is safe."""
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cid_mmpose.registry import MODELS

TINY = 1e-37  # least probability in a logarithm: logits beyond 85 cost no more
AVERAGES = ('batch', 'person')


def focal_sum(logits: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """The sum in eq. 15 over all cells, each with its weight.

    The reference takes probabilities clamped to [1e-4, 1 - 1e-4]; from logits the logarithms stay finite without it.

    Args:
        logits: (..., H, W), any float type. target: the same shape, in [0, 1].
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


def count_peaks(target: Tensor, weight: Tensor) -> Tensor:
    """How many cells (..., H, W) that count equal 1, by map: (...)."""
    return (target.eq(1) * weight).sum((-2, -1))


def focal_shares(peaks: Tensor, average: str = 'batch') -> Tensor:
    """What each map's sum is multiplied with to make FL of eq. 15.

    Args:
        peaks: (N, K), cells that equal 1 in K maps of N images or people.
        average: over which cells: 'batch' takes all maps together, as the authors' code and MMPose do; 'person' takes
            the maps of each of the N by themselves and then their mean (eq. 16).

    Returns:
        () for 'batch', (N, 1) for 'person'. Where no cell equals 1 (nobody in the images) 1, as the reference does.
    """
    if average == 'batch':
        return 1 / peaks.sum().clamp(min=1)
    return 1 / (peaks.sum(1, keepdim=True).clamp(min=1) * max(len(peaks), 1))


def focal_loss(logits: Tensor, target: Tensor, weight: Tensor, average: str = 'batch') -> Tensor:
    """FL of eq. 15: the sum over all cells divided by the number of those that equal 1; a scalar.

    Arguments as ``focal_sum`` and ``focal_shares``. Without people it is 0 for ``average`` 'person'.
    """
    shares = focal_shares(count_peaks(target, weight), average)
    return focal_sum(logits, target, weight * shares[..., None, None])


def contrastive_loss(params: Tensor, image: Tensor, temperature: float) -> Tensor:
    """Eq. 8: tells the people of one image apart by their vectors; mean over all people of the batch (eq. 14).

    Args:
        params: (N, C). image: (N,) int64; only people of the same image are compared. temperature: tau.

    Returns:
        A scalar; 0 for nobody and for people who are alone in their image.
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
        """FL of maps (N, K, H, W); ``weight`` broadcasts over them, see ``focal_sum``. A scalar."""
        return self.loss_weight * focal_loss(logits, target, weight, self.average)

    def shares(self, peaks: Tensor) -> Tensor:
        """``focal_shares`` with the share of the total, for maps of which only some live at once."""
        return self.loss_weight * focal_shares(peaks, self.average)


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
