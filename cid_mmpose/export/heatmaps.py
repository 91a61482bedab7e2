"""The peaks of P rows of each image: GFD's factored form as products, for a few rows at a time.

B images, V views of each, P rows of an image, n rows of a chunk, D GFD channels, K keypoints, (H, W) heatmap cells.
``fast/gfd.py`` derives the form. It takes the people of one image at a time and some rows of their maps, as many as
there are, which a graph cannot. Here maps stand channels first, the order in which runtimes multiply them.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from cid_mmpose.codecs import Peaks
from cid_mmpose.models.fast.branches import convolve_branches, sample_branches
from cid_mmpose.models.fast.gfd import FactoredGFD, offset_maps
from cid_mmpose.models.fast.products import bias_of
from cid_mmpose.models.gfd import GFD, to_scores
from cid_mmpose.models.roots import Roots

from .sizes import as_tensor
from .views import BothViews

# rows of an image whose maps are there at once: their maps fit into caches, and memory does not grow with P
CHUNK = 6


class Terms(NamedTuple):
    """What the heatmaps of one view are made of; for B images and P rows of each."""

    shared: Tensor  # F^, (B, D, H * W)
    unmasked: Tensor | None  # W_s F^, (B, D, H * W); None where only channels are recalibrated
    mask_basis: Tensor | None  # k * F^, A_x, A_y and A_0, (B, D + 3, H * W); None as above
    channel_kernel: Tensor | None  # W_c diag(c), (B, P, D, D); None where only space is recalibrated
    mask_coefficients: Tensor | None  # a, x, y and 1, (B, P, D + 3); None as ``unmasked``
    map_order: Sequence[int] | None  # (K,), which map of the view stands for each keypoint

    def of_rows(self, rows: slice) -> 'Terms':
        """The same for some rows of each image."""
        kernel, coefficients = self.channel_kernel, self.mask_coefficients
        return self._replace(
            channel_kernel=None if kernel is None else kernel[:, rows],
            mask_coefficients=None if coefficients is None else coefficients[:, rows],
        )


def terms_of(gfd: GFD, views: BothViews, roots: Roots, max_people: int) -> list[Terms]:
    """The terms of each view.

    Args:
        gfd: holds the weights.
        views: of B images.
        roots: of B * P rows.
        max_people: P.
    """
    factored = FactoredGFD(gfd)
    shared_of_views = views.apart(convolve_branches(views.branches, gfd.conv_down))
    height, width = shared_of_views[0].shape[-2:]
    offsets = None if gfd.spatial is None else offset_maps(gfd.spatial, (height, width))

    terms = []
    for number, shared in enumerate(shared_of_views):
        vectors = sample_branches(views.branches, views.roots(roots, number, width))
        people = factored.person_terms(vectors, roots)
        kernel, coefficients = people.channel_kernel, people.mask_coefficients
        unmasked = basis = None
        if offsets is not None:
            unmasked = gfd.fuse.weight[:, -gfd.channels :, 0, 0] @ shared.flatten(2)
            basis = torch.cat([similarity_of(gfd, shared), offsets.expand(shared.shape[0], -1, -1, -1)], 1).flatten(2)
        terms.append(
            Terms(
                shared=shared.flatten(2),
                unmasked=unmasked,
                mask_basis=basis,
                channel_kernel=None if kernel is None else kernel.unflatten(0, (-1, max_people)),
                mask_coefficients=None if coefficients is None else coefficients.unflatten(0, (-1, max_people)),
                map_order=views.map_orders[number],
            )
        )
    return terms


def similarity_of(gfd: GFD, shared: Tensor) -> Tensor:
    """k * F^, the similarity's part of the mask's convolution, for each channel of F^.

    Args:
        gfd: holds the weights; it recalibrates space.
        shared: F^, (B, D, H, W).
    """
    assert gfd.spatial is not None
    conv = gfd.spatial.conv
    kernel = conv.weight[:, :1].expand(gfd.channels, -1, -1, -1)
    return F.conv2d(shared, kernel, padding=conv.padding, groups=gfd.channels)


def heatmap_scores(gfd: GFD, terms: Terms, size: Sequence[int]) -> Tensor:
    """The heatmaps of all rows of some terms in one view.

    Args:
        gfd: holds the weights.
        terms: of n rows of each of B images.
        size: (H, W).

    Returns:
        (B, n, K, H, W) in [1e-4, 1 - 1e-4].
    """
    # the sum in eq. 12, (B, n, D, H * W)
    fused = bias_of(gfd.fuse)[:, None]
    if terms.channel_kernel is not None:
        rows = terms.channel_kernel.shape[1]
        products = terms.channel_kernel.flatten(1, 2) @ terms.shared  # (B, n * D, H * W)
        fused = fused + products.unflatten(1, (rows, gfd.channels))
    if terms.mask_coefficients is not None and terms.mask_basis is not None and terms.unmasked is not None:
        masks = (terms.mask_coefficients @ terms.mask_basis).sigmoid()  # eq. 10, (B, n, H * W)
        fused = fused + masks[:, :, None] * terms.unmasked[:, None]

    weight = gfd.heatmap.weight[:, :, 0, 0]
    bias = bias_of(gfd.heatmap)
    if terms.map_order is not None:
        weight = weight[list(terms.map_order)]
        bias = bias[list(terms.map_order)]
    logits = weight @ fused.relu() + bias[:, None]  # eq. 1, (B, n, K, H * W)
    return to_scores(logits).unflatten(3, size)


def row_peaks(gfd: GFD, terms: Sequence[Terms], size: Sequence[int], max_people: int, blur: int) -> Peaks:
    """The peaks of the smoothed mean heatmaps of all rows.

    Args:
        gfd: holds the weights.
        terms: of each view.
        size: (H, W).
        max_people: P.
        blur: odd side in cells.

    Returns:
        Of B * P rows.
    """
    chunks = []
    for start in range(0, max_people, CHUNK):
        rows = slice(start, min(start + CHUNK, max_people))
        views = [heatmap_scores(gfd, each.of_rows(rows), size) for each in terms]
        # the mean of the views, and that of the maps and their blur, but for the factors, which are powers of two
        total = views[0] + views[1] if len(views) == 2 else views[0]
        maps = total.flatten(0, 2)  # (B * n * K, H, W)
        smoothed = F.avg_pool2d(maps[None], blur, 1, blur // 2)[0] + maps
        peaks = peaks_of(smoothed)
        scale = 1 / (2 * len(views))
        shape = (-1, rows.stop - rows.start, gfd.heatmap.out_channels)
        chunks.append(
            Peaks(
                value=(peaks.value * scale).unflatten(0, shape),
                cell=peaks.cell.unflatten(0, shape),
                rise=peaks.rise.unflatten(0, shape),
            )
        )
    return Peaks(*(torch.cat(parts, 1).flatten(0, 1) for parts in zip(*chunks)))


def peaks_of(maps: Tensor) -> Peaks:
    """The peak of each of N maps, (N, H, W); as ``codecs.find_peaks``, but for K = 1 without its axis."""
    height, width = maps.shape[-2:]
    every = torch.arange(maps.shape[0], device=maps.device)

    # first the row: a maximum over all cells is much slower
    of_rows = maps.amax(2)
    value = of_rows.amax(1)
    y = of_rows.argmax(1)
    row = maps[every, y]  # (N, W)
    x = row.argmax(1)

    # the right, left, lower and upper cell; beyond the border another one, whose value nobody uses
    flat = maps.flatten(1)
    cells_in_row = as_tensor(width, maps.device)
    last = as_tensor(height, maps.device) * cells_in_row - 1
    index = y * cells_in_row + x
    around = torch.stack([index + 1, index - 1, index + cells_in_row, index - cells_in_row], 1)
    right, left, lower, upper = flat.gather(1, around.clamp(min=0).minimum(last)).unbind(1)
    return Peaks(value, cell=torch.stack([x, y], -1), rise=torch.stack([right - left, lower - upper], -1))
