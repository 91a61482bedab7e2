"""The heatmaps of P rows of each image and their peaks, all at once: GFD's factored form as two products an image.

B images, P rows of each, D GFD channels, K keypoints, (H, W) heatmap cells. ``fast/gfd.py`` derives the form, and gives
its terms; it takes the people of one image at a time and a few rows of their maps, which a graph cannot.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from cid_mmpose.codecs import Peaks
from cid_mmpose.models.fast.branches import sample_branches
from cid_mmpose.models.fast.gfd import FactoredGFD
from cid_mmpose.models.fast.products import bias_of
from cid_mmpose.models.gfd import GFD, to_scores
from cid_mmpose.models.roots import Roots
from cid_mmpose.models.views import Views

from .sizes import as_tensor, cells_of


def heatmap_scores(gfd: GFD, view: Views, roots: Roots, max_people: int) -> Tensor:
    """The heatmaps of B * P rows in one view.

    Args:
        gfd: holds the weights.
        view: one of B images.
        roots: of B * P rows.
        max_people: P.

    Returns:
        (B * P, K, H, W) in [1e-4, 1 - 1e-4].
    """
    factored = FactoredGFD(gfd)
    vectors = sample_branches(view.branches, roots)
    images = factored.image_terms(view.branches)
    people = factored.person_terms(vectors, roots)

    shared = _channels_first(images.shared)  # F^, (B, D, H, W)
    height, width = shared.shape[-2:]
    rows = (max_people, gfd.channels)

    # the sum in eq. 12, (B, P, D, H * W)
    fused = bias_of(gfd.fuse)[:, None]
    if people.channel_kernel is not None:
        kernels = people.channel_kernel.flatten(0, 1).unflatten(0, (-1, max_people * gfd.channels))  # (B, P * D, D)
        fused = fused + (kernels @ shared.flatten(2)).unflatten(1, rows)
    if people.mask_coefficients is not None and images.mask_basis is not None and images.unmasked is not None:
        coefficients = people.mask_coefficients.unflatten(0, (-1, max_people))  # (B, P, D + 3)
        masks = (coefficients @ _channels_first(images.mask_basis).flatten(2)).sigmoid()  # (B, P, H * W)
        unmasked = _channels_first(images.unmasked).flatten(2)  # (B, D, H * W)
        fused = fused + masks[:, :, None] * unmasked[:, None]

    instance = fused.relu().flatten(0, 1).unflatten(2, (height, width))  # F^(i), (B * P, D, H, W)
    weight = gfd.heatmap.weight
    bias = bias_of(gfd.heatmap)
    (map_order,) = view.map_orders
    if map_order is not None:
        weight = weight[list(map_order)]
        bias = bias[list(map_order)]
    return to_scores(F.conv2d(instance, weight, bias))  # eq. 1


def _channels_first(maps: Tensor) -> Tensor:
    """(B, H, W, C) -> (B, C, H, W)."""
    return maps.permute(0, 3, 1, 2)


def peaks_of(maps: Tensor) -> Peaks:
    """``codecs.find_peaks`` of whole maps.

    Args:
        maps: (N, K, H, W).
    """
    height, width = maps.shape[-2:]
    flat = maps.flatten(2)
    value = flat.amax(2)
    index = flat.argmax(2)

    # the right, left, lower and upper cell; beyond the border another one, whose value nobody uses
    below = as_tensor(width, maps.device)
    last = as_tensor(height, maps.device) * below - 1
    neighbours = [index + 1, index - 1, index + below, index - below]
    around = torch.stack(neighbours, 2).clamp(min=0).minimum(last)
    right, left, lower, upper = flat.gather(2, around).unbind(2)
    rise = torch.stack([right - left, lower - upper], 2)
    return Peaks(value, cell=cells_of(index, width), rise=rise)
