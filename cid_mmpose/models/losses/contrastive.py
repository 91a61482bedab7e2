"""The contrastive loss of people's feature vectors (eq. 8), in float32."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cid_mmpose.registry import MODELS


def contrastive_loss(vectors: Tensor, image: Tensor, temperature: float) -> Tensor:
    """Eq. 8: tells the people of one image apart by their vectors; mean over all people of the batch (eq. 14).

    Args:
        vectors: (N, C).
        image: (N,) int64; only people of the same image are compared.
        temperature: tau.

    Returns:
        A scalar; 0 for nobody and for people who are alone in their image.
    """
    with torch.autocast(vectors.device.type, enabled=False):  # else the product is rounded to half precision
        normalized = F.normalize(vectors.float(), dim=1)
        similarity = normalized @ normalized.T / temperature
    is_other_image = image[:, None] != image
    similarity = similarity.masked_fill(is_other_image, -torch.inf)
    loss = similarity.logsumexp(1) - similarity.diagonal()
    return loss.sum() / max(len(vectors), 1)


@MODELS.register_module()
class ContrastiveLoss(nn.Module):
    """``contrastive_loss`` with its temperature and share of the total.

    Args:
        temperature: tau of eq. 8.
        loss_weight: 0 leaves the loss out (table 1).
    """

    def __init__(self, *, temperature: float = 0.05, loss_weight: float = 1.0) -> None:
        super().__init__()
        self.temperature = temperature
        self.loss_weight = loss_weight

    def forward(self, vectors: Tensor, image: Tensor) -> Tensor:
        """``contrastive_loss``, weighted; arguments as there."""
        return self.loss_weight * contrastive_loss(vectors, image, self.temperature)
