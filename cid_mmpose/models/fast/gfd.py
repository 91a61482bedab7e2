"""GFD in factors: what all people of an image share is computed once, so that a person costs a few products.

B images, N people of all images, n people of one image, C input channels, D = GFD channels, K keypoints, (H, W) heatmap
cells, h rows of them. F^, f, M, M_sim and O as in ``models/gfd.py``. Of a person's f there become
c = ChannelRecalibration(f) and a = SpatialRecalibration.attention(f), D numbers each. * is convolution, . the dot
product over channels.

What it saves: the paper stacks [F_c; F_s] for each person and convolves the stack. Why it is equal: convolutions are
linear.

- Eq. 12 fuses [F_c; F_s] by a layer of two halves, W = [W_c W_s], so W [F_c; F_s] = W_c F_c + W_s F_s.
- Eq. 9 in it is W_s F_s = W_s (M F^) = M (W_s F^): W_s F^ is one map for all people.
- Eq. 11 in it is W_c F_c = W_c diag(c) F^: W_c diag(c) is a D x D matrix a person.
- Eq. 10. The mask's layer convolves M_sim = a . F^ with a kernel k, O_x with k_x and O_y with k_y. The first one is
  k * (a . F^) = a . (k * F^). For a root (x, y) and a cell (column, row), to which the cell center is added,
  O_x = (x - column) / 32 and O_y = (y - row) / 32, so with

      A_x = k_x * (1 / 32),  A_y = k_y * (1 / 32),  A_0 = k_x * (-column / 32) + k_y * (-row / 32) + bias

  the mask is M = sigmoid([a; x; y; 1] . [k * F^; A_x; A_y; A_0]): D + 3 maps for all people, D + 3 numbers a person.

So there are the terms of an image, the terms of a person, and what both make of a cell. No cell depends on another one,
so any rows can be taken. In memory all maps are (h, W, channels), so that products read contiguous vectors of channels.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from ..gfd import GFD, OFFSET_SCALE, SpatialRecalibration, relative_coordinates, to_scores
from ..roots import Roots
from .branches import convolve_branches
from .products import bias_of, by_onednn, convolve_cells

# Maps of K keypoints that are there at once beside the fused features, of a person and cell.
TRAIN_MAPS = 9  # logits, target; the focal loss's share, sign, p, q, log q, their product, and the gradient
TEST_MAPS = 2  # scores, and the smoothed ones


class ImageTerms(NamedTuple):
    """What the people of an image have in common; of B images, or (h, W, ...) of some rows of one."""

    shared: Tensor  # (B, H, W, D), F^
    unmasked: Tensor | None  # (B, H, W, D), W_s F^; None where only channels are recalibrated
    mask_basis: Tensor | None  # (B, H, W, D + 3), k * F^, A_x, A_y and A_0; None as above


class PersonTerms(NamedTuple):
    """What a person makes of them; of N people, or n of one image."""

    channel_kernel: Tensor | None  # (N, D, D), W_c diag(c); None where only space is recalibrated
    mask_coefficients: Tensor | None  # (N, D + 3), a, x, y and 1; None where only channels are


class FactoredGFD:
    """The numbers of ``GFD``, from the same weights.

    Args:
        gfd: holds the weights.
    """

    def __init__(self, gfd: GFD) -> None:
        self.gfd = gfd
        self.num_keypoints = gfd.heatmap.out_channels

    def parameters_of_logits(self) -> list[Tensor]:
        """The parameters that ``logits`` uses by itself; the others have had their effect on the terms."""
        return [*self.gfd.heatmap.parameters(), bias_of(self.gfd.fuse)]

    def floats_to_train(self) -> int:
        """Numbers that ``logits`` and the loss hold for a person and cell, with their gradients."""
        return self.gfd.channels + TRAIN_MAPS * self.num_keypoints

    def floats_to_test(self) -> int:
        """Numbers that ``logits``, smoothing and peaks hold for a person and cell in testing."""
        return self.gfd.channels + TEST_MAPS * self.num_keypoints

    def image_terms(self, branches: Sequence[Tensor]) -> ImageTerms:
        """The terms of B images.

        Args:
            branches: (B, C_i, H_i, W_i) of F.
        """
        channels_first = convolve_branches(branches, self.gfd.conv_down)  # F^, (B, D, H, W)
        shared = channels_first.permute(0, 2, 3, 1).contiguous()
        if self.gfd.spatial is None:
            return ImageTerms(shared, unmasked=None, mask_basis=None)
        offsets = offset_maps(self.gfd.spatial, shared.shape[1:3])
        spatial_kernel = self.gfd.fuse.weight[:, -self.gfd.channels :, 0, 0]  # W_s
        return ImageTerms(
            shared,
            unmasked=F.linear(shared, spatial_kernel),
            mask_basis=basis_of_masks(self.gfd.spatial, channels_first, offsets),
        )

    def person_terms(self, vectors: Tensor, roots: Roots) -> PersonTerms:
        """The terms of N people.

        Args:
            vectors: f, (N, C).
            roots: of N people.
        """
        channel_kernel = mask_coefficients = None
        if self.gfd.channel is not None:
            weights = self.gfd.channel(vectors)  # c, (N, D)
            kernel = self.gfd.fuse.weight[:, : self.gfd.channels, 0, 0]  # W_c, (D, D)
            channel_kernel = kernel * weights[:, None]  # W_c diag(c), (N, D, D)
        if self.gfd.spatial is not None:
            mask_coefficients = coefficients_of_masks(self.gfd.spatial, vectors, roots.cell)
        return PersonTerms(channel_kernel, mask_coefficients)

    def logits(
        self, image_terms: ImageTerms, person_terms: PersonTerms, map_order: Sequence[int] | None = None
    ) -> Tensor:
        """The heatmaps of n people of one image (eq. 9-12 and 1).

        Args:
            image_terms: of some rows of it, (h, W, ...).
            person_terms: (n, ...).
            map_order: (K,), which map comes first, second, ...; None leaves them as they are.

        Returns:
            (n, K, h, W), in memory as (h, W, n, K).
        """
        weight = self.gfd.heatmap.weight[:, :, 0, 0]
        bias = bias_of(self.gfd.heatmap)
        if map_order is not None:
            weight = weight[list(map_order)]
            bias = bias[list(map_order)]

        instance = self.instance_features(image_terms, person_terms)  # F^(i), (h, W, n, D)
        logits = convolve_cells(instance.flatten(1, 2), weight, bias)  # eq. 1, (h, W * n, K)
        return logits.unflatten(1, instance.shape[1:3]).permute(2, 3, 0, 1)

    @torch.no_grad()
    def scores(
        self, image_terms: ImageTerms, person_terms: PersonTerms, map_order: Sequence[int] | None = None
    ) -> Tensor:
        """``logits`` as scores in [1e-4, 1 - 1e-4], for testing; arguments as there."""
        logits = self.logits(image_terms, person_terms, map_order)
        return to_scores(logits, in_place=True)

    def instance_features(self, image_terms: ImageTerms, person_terms: PersonTerms) -> Tensor:
        """F^(i) = relu(W_c F_c + W_s F_s + bias) of n people of one image (eq. 12), or one of both halves alone.

        Args:
            image_terms: of some rows of it, (h, W, ...).
            person_terms: (n, ...).

        Returns:
            (h, W, n, D).
        """
        shared, unmasked, mask_basis = image_terms
        channel_kernel, mask_coefficients = person_terms
        if unmasked is None or mask_basis is None or mask_coefficients is None:
            assert channel_kernel is not None
            return self.channel_half(shared, channel_kernel).relu_()

        masks = masks_of(mask_basis, mask_coefficients)  # eq. 10
        if channel_kernel is None:
            fused = self.spatial_half(masks, unmasked)
        elif by_onednn(shared, channel_kernel):  # which cannot add to what is there, so its half is the first
            fused = self.channel_half(shared, channel_kernel)
            fused = self.spatial_half(masks, unmasked, onto=fused)
        else:
            fused = self.spatial_half(masks, unmasked)
            fused = self.channel_half(shared, channel_kernel, onto=fused)
        return fused.relu_()  # eq. 12

    def spatial_half(self, masks: Tensor, unmasked: Tensor, onto: Tensor | None = None) -> Tensor:
        """W_s F_s = M (W_s F^), with F_s of eq. 9.

        Args:
            masks: M, (h, W, n).
            unmasked: W_s F^, (h, W, D).
            onto: (h, W, n, D), to which it is added in place: one pass less over them. None takes the bias of the
                fusing layer instead.

        Returns:
            (h, W, n, D).
        """
        masks = masks.to(unmasked.dtype)[..., None]
        unmasked = unmasked[:, :, None]
        if onto is None:
            bias = bias_of(self.gfd.fuse).to(unmasked.dtype)
            return torch.addcmul(bias, masks, unmasked)
        return onto.addcmul_(masks, unmasked)

    def channel_half(self, shared: Tensor, channel_kernel: Tensor, onto: Tensor | None = None) -> Tensor:
        """W_c F_c = (W_c diag(c)) F^, with F_c of eq. 11.

        Args:
            shared: F^, (h, W, D).
            channel_kernel: W_c diag(c), (n, D, D).
            onto: as in ``spatial_half``.

        Returns:
            (h, W, n, D).
        """
        kernels = channel_kernel.flatten(0, 1)  # (n * D, D)
        if onto is None:
            bias = bias_of(self.gfd.fuse).repeat(len(channel_kernel))
            halves = convolve_cells(shared, kernels, bias)  # (h, W, n * D)
            return halves.unflatten(2, channel_kernel.shape[:2])
        cells = shared.flatten(0, 1)  # (h * W, D)
        onto.view(len(cells), len(kernels)).addmm_(cells, kernels.to(shared.dtype).T)
        return onto


def basis_of_masks(spatial: SpatialRecalibration, shared: Tensor, offsets: Tensor) -> Tensor:
    """The maps that every person's mask is a sum of: k * F^, A_x, A_y and A_0.

    Args:
        spatial: holds the weights.
        shared: F^, (B, D, H, W).
        offsets: ``offset_maps``, (3, H, W).

    Returns:
        (B, H, W, D + 3).
    """
    channels = shared.shape[1]
    kernel = spatial.conv.weight[:, :1].expand(channels, -1, -1, -1)  # k of M_sim, the same for every channel
    similarity = F.conv2d(shared, kernel, padding=spatial.conv.padding, groups=channels)
    offsets_of_all = offsets.permute(1, 2, 0).expand(shared.shape[0], -1, -1, -1)
    return torch.cat([similarity.permute(0, 2, 3, 1), offsets_of_all], 3)


def offset_maps(spatial: SpatialRecalibration, size: Sequence[int]) -> Tensor:
    """A_x, A_y and A_0, which the root's x, y and 1 are multiplied with.

    Args:
        spatial: holds the weights.
        size: (H, W).

    Returns:
        (3, H, W).
    """
    weight = spatial.conv.weight
    origin = relative_coordinates(weight.new_zeros(1, 2), size, spatial.cell_center)  # O of the root (0, 0)
    unit = torch.full_like(origin[:, :1], 1 / OFFSET_SCALE)
    zero = torch.zeros_like(unit)
    step_in_x = torch.cat([unit, zero], 1)
    step_in_y = torch.cat([zero, unit], 1)
    inputs = torch.cat([step_in_x, step_in_y, origin])
    with torch.autocast(weight.device.type, enabled=False):
        a_x, a_y, a_0 = F.conv2d(inputs, weight[:, 1:], padding=spatial.conv.padding)[:, 0]
    return torch.stack([a_x, a_y, a_0 + spatial.conv.bias])


def coefficients_of_masks(spatial: SpatialRecalibration, vectors: Tensor, root: Tensor) -> Tensor:
    """What each person multiplies the maps of ``basis_of_masks`` with: a, x, y and 1.

    Args:
        spatial: holds the weights.
        vectors: f, (N, C).
        root: l as cells (x, y), (N, 2).

    Returns:
        (N, D + 3).
    """
    attention = spatial.attention(vectors).to(spatial.attention.weight.dtype)
    position = root.to(attention.dtype)
    one = torch.ones_like(position[:, :1])
    return torch.cat([attention, position, one], 1)


def masks_of(basis: Tensor, coefficients: Tensor) -> Tensor:
    """M of eq. 10, in float32 even where the rest is not: x A_x, y A_y and A_0 are large and cancel near the root.

    Args:
        basis: (h, W, D + 3).
        coefficients: (n, D + 3).

    Returns:
        (h, W, n) in (0, 1).
    """
    with torch.autocast(basis.device.type, enabled=False):
        return F.linear(basis.to(coefficients), coefficients).sigmoid()
