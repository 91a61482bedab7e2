"""What goes on inside CID after training: whether its masks say anything, and how alike the vectors of people are."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader

from cid_mmpose.inference.explained import SATURATED
from cid_mmpose.models.head import CIDHead

LOOKED_AT = 100  # test images


@torch.no_grad()
def inside(model: nn.Module, loader: DataLoader) -> dict[str, float]:
    """Figures of the first test images, in %.

    Args:
        model: trained.
        loader: of the test images.

    Returns:
        ``undecided``: the share of the cells of all masks (eq. 10) in [0.01, 0.99]; not there without masks.
        ``alike``: the mean cosine of the vectors f of each two people of an image; not there where all are alone.
        Nothing for a network that is not ours.
    """
    if not isinstance(model.head, CIDHead):
        return {}
    model.train(False)
    masks, cosines, images = [], [], 0
    for batch in loader:
        inputs = model.data_preprocessor(batch, False)['inputs']
        seen = model.head(model.extract_feat(inputs))
        if seen.masks is not None:
            masks.append(seen.masks.flatten().cpu())
        for image in range(len(inputs)):
            cosines.append(cosines_of(seen.vectors[seen.roots.image == image]))
        images += len(inputs)
        if images >= LOOKED_AT:
            break

    figures = {}
    cells = torch.cat([torch.empty(0), *masks])
    if len(cells):
        undecided = (cells - 0.5).abs() <= 0.5 - SATURATED
        figures['undecided'] = percent(undecided.float().mean())
    of_pairs = torch.cat(cosines)
    if len(of_pairs):
        figures['alike'] = percent(of_pairs.mean())
    return figures


def percent(share: Tensor) -> float:
    """A share as it stands in a line."""
    return round(100 * float(share), 2)


def cosines_of(vectors: Tensor) -> Tensor:
    """The cosines of each two of (N, C) vectors, (N * (N - 1) / 2,)."""
    directions = F.normalize(vectors, dim=1)
    first, second = torch.triu_indices(len(vectors), len(vectors), offset=1)
    return (directions[first] * directions[second]).sum(1)
