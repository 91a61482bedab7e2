"""GFD in factors: what all people of an image share is computed once, so that a person costs a few products.

B images, N people of all images, n people of one image, C input channels, D = GFD channels, K keypoints, (H, W) heatmap
cells, h rows of them. F^, f, l, M, M_sim and O as in ``models/gfd.py``; a is f in D channels, for the mask.

What it saves: the paper stacks [F_c; F_s] for each person and convolves. Why it is equal: convolutions are linear, so

- W [F_c; F_s] = W_c diag(f) F^ + M (W_s F^): W_s F^ is one map for all people, W_c diag(f) a small matrix a person;
- the mask convolves M_sim = a . F^ and O with a kernel k; k * (a . F^) = a . (k * F^), and O is affine in the root
  (x, y), so M = sigmoid([a; x; y; 1] . [k * F^; A_x; A_y; A_0]): D + 3 maps for all people, as many numbers a person.

So there are the terms of an image, the terms of a person, and what both make of a cell. Each cell is by itself, so any
rows can be taken. All maps are kept cell by cell (h, W, channels), which makes products of contiguous vectors of them.
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


class ImageTerms(NamedTuple):
    """What the people of an image have in common; of B images, or (h, W, ...) of some rows of one."""

    features: Tensor  # (B, H, W, D), F^
    spatial: Tensor | None  # (B, H, W, D), W_s F^; None where only channels are recalibrated
    masks: Tensor | None  # (B, H, W, D + 3), k * F^, A_x, A_y and A_0


class PersonTerms(NamedTuple):
    """What a person makes of them; of N people, or n of one image."""

    channel: Tensor | None  # (N, D, D), W_c diag(f); None where only space is recalibrated
    mask: Tensor | None  # (N, D + 3), a, x, y and 1


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
        return self.gfd.channels + 9 * self.num_keypoints

    def floats_to_test(self) -> int:
        """Numbers that ``logits``, smoothing and peaks hold for a person and cell in testing."""
        return self.gfd.channels + 2 * self.num_keypoints

    def image_terms(self, branches: Sequence[Tensor]) -> ImageTerms:
        """The terms of B images.

        Args:
            branches: (B, C_i, H_i, W_i) of F.
        """
        shared = convolve_branches(branches, self.gfd.conv_down)
        features = shared.permute(0, 2, 3, 1).contiguous()
        if self.gfd.spatial is None:
            return ImageTerms(features, None, None)
        spatial_kernel = self.gfd.fuse.weight[:, -self.gfd.channels :, 0, 0]  # W_s
        return ImageTerms(
            features, spatial=F.linear(features, spatial_kernel), masks=maps_of_masks(self.gfd.spatial, shared)
        )

    def person_terms(self, vectors: Tensor, roots: Roots) -> PersonTerms:
        """The terms of N people.

        Args:
            vectors: f, (N, C).
            roots: of N people.
        """
        channel = mask = None
        if self.gfd.channel is not None:
            channel_kernel = self.gfd.fuse.weight[:, : self.gfd.channels, 0, 0]  # W_c
            channel = channel_kernel * self.gfd.channel(vectors)[:, None]
        if self.gfd.spatial is not None:
            mask = numbers_of_masks(self.gfd.spatial, vectors, roots.cell)
        return PersonTerms(channel, mask)

    def logits(self, image: ImageTerms, people: PersonTerms, keypoints: Sequence[int] | None = None) -> Tensor:
        """The heatmaps of n people of one image (eq. 9-12 and 1).

        Args:
            image: some rows of it, (h, W, ...).
            people: (n, ...).
            keypoints: (K,), another order of the maps.

        Returns:
            (n, K, h, W), in memory cell by cell as (h, W, n, K).
        """
        weight = self.gfd.heatmap.weight[:, :, 0, 0]
        bias = bias_of(self.gfd.heatmap)
        if keypoints is not None:
            weight = weight[list(keypoints)]
            bias = bias[list(keypoints)]
        instance = self._fuse(image, people).relu_()
        logits = convolve_cells(instance.flatten(1, 2), weight, bias)
        return logits.unflatten(1, instance.shape[1:3]).permute(2, 3, 0, 1)

    @torch.no_grad()
    def scores(self, image: ImageTerms, people: PersonTerms, keypoints: Sequence[int] | None = None) -> Tensor:
        """``logits`` as scores in [1e-4, 1 - 1e-4], for testing; arguments as there."""
        return to_scores(self.logits(image, people, keypoints), in_place=True)

    def _fuse(self, image: ImageTerms, people: PersonTerms) -> Tensor:
        """W_c diag(f) F^ + M (W_s F^) and the bias (eq. 9-12): (h, W, n, D); arguments as ``logits``."""
        features = image.features
        if image.spatial is None or image.masks is None or people.mask is None:
            assert people.channel is not None  # of 'channel' alone
            return self._recalibrate_channels(features, people.channel)

        bias = bias_of(self.gfd.fuse).to(features.dtype)
        mask = masks_of(image.masks, people.mask).to(features.dtype)[..., None]
        spatial = image.spatial[:, :, None]
        if people.channel is None:
            return torch.addcmul(bias, mask, spatial)

        # the second of both parts is added to what is there, which saves two passes over these maps
        if by_onednn(features, people.channel):
            return self._recalibrate_channels(features, people.channel).addcmul_(mask, spatial)
        fused = torch.addcmul(bias, mask, spatial)
        cells = features.flatten(0, 1)
        kernels = people.channel.flatten(0, 1).to(features.dtype)
        fused.view(len(cells), len(kernels)).addmm_(cells, kernels.T)
        return fused

    def _recalibrate_channels(self, features: Tensor, channel: Tensor) -> Tensor:
        """W_c diag(f) F^ and the bias: (h, W, D) and (n, D, D) -> (h, W, n, D)."""
        bias = bias_of(self.gfd.fuse).repeat(len(channel))
        fused = convolve_cells(features, channel.flatten(0, 1), bias)
        return fused.unflatten(2, channel.shape[:2])


def maps_of_masks(spatial: SpatialRecalibration, shared: Tensor) -> Tensor:
    """What the masks of all people are made of: k * F^, A_x, A_y and A_0.

    Args:
        spatial: holds the weights.
        shared: F^, (B, D, H, W).

    Returns:
        (B, H, W, D + 3).
    """
    channels = shared.shape[1]
    kernel = spatial.conv.weight[:, :1].expand(channels, -1, -1, -1)  # k of M_sim, the same for every channel
    similarity = F.conv2d(shared, kernel, padding=spatial.conv.padding, groups=channels)
    offsets = offset_maps(spatial, shared.shape[-2:])
    offsets = offsets.permute(1, 2, 0).expand(len(shared), -1, -1, -1)
    return torch.cat([similarity.permute(0, 2, 3, 1), offsets], 3)


def offset_maps(spatial: SpatialRecalibration, size: Sequence[int]) -> Tensor:
    """A_x, A_y, and A_0 with the bias, by which the root's x, y and 1 are multiplied.

    Args:
        spatial: holds the weights.
        size: (H, W).

    Returns:
        (3, H, W).
    """
    weight = spatial.conv.weight
    origin = relative_coordinates(weight.new_zeros(1, 2), size, spatial.cell_center)
    unit = torch.full_like(origin[:, :1], 1 / OFFSET_SCALE)
    zero = torch.zeros_like(unit)
    step_in_x = torch.cat([unit, zero], 1)
    step_in_y = torch.cat([zero, unit], 1)
    inputs = torch.cat([step_in_x, step_in_y, origin])
    with torch.autocast(weight.device.type, enabled=False):
        a_x, a_y, a_0 = F.conv2d(inputs, weight[:, 1:], padding=spatial.conv.padding)[:, 0]
    return torch.stack([a_x, a_y, a_0 + spatial.conv.bias])


def numbers_of_masks(spatial: SpatialRecalibration, vectors: Tensor, cell: Tensor) -> Tensor:
    """How each person's mask is made of the maps: a, x, y and 1.

    Args:
        spatial: holds the weights.
        vectors: f, (N, C).
        cell: l, (N, 2).

    Returns:
        (N, D + 3).
    """
    attention = spatial.attention(vectors).to(spatial.attention.weight.dtype)
    position = cell.to(attention.dtype)
    one = torch.ones_like(position[:, :1])
    return torch.cat([attention, position, one], 1)


def masks_of(maps: Tensor, numbers: Tensor) -> Tensor:
    """M of eq. 10, in float32 even where the rest is not: near the root large values cancel.

    Args:
        maps: (h, W, D + 3).
        numbers: (n, D + 3).

    Returns:
        (h, W, n) in (0, 1).
    """
    with torch.autocast(maps.device.type, enabled=False):
        return F.linear(maps.to(numbers), numbers).sigmoid()
