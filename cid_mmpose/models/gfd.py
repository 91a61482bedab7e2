"""Global Feature Decoupling (section 3.3): the shared feature map -> one set of keypoint maps a person.

B pictures, N people, C input channels, D = GFD channels, K joints, (H, W) heatmap cells. F^ is the shared map, f a
person's vector, l the root, M the spatial mask.

The paper stacks [F_c; F_s] for each person and convolves (eq. 12). A 1x1 convolution of a stack is a sum over its
halves, W [F_c; F_s] = W_c diag(f) F^ + M (W_s F^), so W_s F^ is the same for everyone and a person costs one small
matrix product; the 2 D x H x W stack of each person is never built.
"""
from typing import Optional, Union

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .iia import init_heatmap, init_linear
from .roots import Roots

OFFSET_SCALE = 32.0  # heatmap cells; divides root-to-cell offsets. Source: the authors' SpatialAtten
RECALIBRATIONS = ('fused', 'spatial', 'channel')


def per_person(weights: Tensor, maps: Tensor, image: Tensor) -> Tensor:
    """Applies each person's matrix to the map of that person's picture.

    Args:
        weights: (N, R, D). maps: (B, D, H, W). image: (N,) int64, ascending.

    Returns:
        (N, R, H, W). Pictures are taken one by one, so that no person's copy of a map is made.
    """
    counts = torch.bincount(image, minlength=len(maps)).tolist()
    rows = [mine.flatten(0, 1) @ picture.flatten(1) for mine, picture in zip(weights.split(counts), maps)]
    return torch.cat(rows).view(*weights.shape[:2], *maps.shape[-2:])


class ChannelRecalibration(nn.Module):
    """The weights that a person's vector gives the channels of F^ (eq. 11): (N, C) -> (N, D)."""

    def __init__(self, in_channels: int, channels: int) -> None:
        super().__init__()
        self.attention = nn.Linear(in_channels, channels)

    def forward(self, params: Tensor) -> Tensor:
        return self.attention(params)


class SpatialRecalibration(nn.Module):
    """A mask on each person's foreground (eq. 10).

    Args:
        cell_center: where in a cell its coordinates are taken, in cells; see ``relative_coordinates``. It belongs to
            the weights and is saved with them.
    """

    def __init__(self, in_channels: int, channels: int, cell_center: float = 0.0) -> None:
        super().__init__()
        self.register_buffer('cell_center', torch.tensor(float(cell_center)))
        self.attention = nn.Linear(in_channels, channels)
        self.conv = nn.Conv2d(3, 1, 5, padding=2)  # over [M_sim; O_x; O_y]

    def forward(self, shared: Tensor, params: Tensor, roots: Roots) -> Tensor:
        """F^ (B, D, H, W), f (N, C), N roots -> M (N, 1, H, W) in (0, 1)."""
        similarity = per_person(self.attention(params)[:, None], shared, roots.image)
        offsets = relative_coordinates(roots.cell, similarity, self.cell_center)
        return self.conv(torch.cat([similarity, offsets], 1)).sigmoid()


def relative_coordinates(cell: Tensor, like: Tensor, cell_center: Union[float, Tensor] = 0.0) -> Tensor:
    """O^(i): offset from each cell to the root, (root - (cell + cell_center)) / 32 in x and in y.

    Args:
        cell: (N, 2) roots. like: a tensor (..., H, W) whose size, type and device the result takes.
        cell_center: 0 as the authors have it (a cell stands at its left upper corner, like the root), 0.5 as MMPose.

    Returns:
        (N, 2, H, W).
    """
    h, w = like.shape[-2:]
    x, y = torch.arange(w, device=cell.device), torch.arange(h, device=cell.device)
    dx = (cell[:, 0, None, None] - x).expand(-1, h, -1)
    dy = (cell[:, 1, None, None] - y[:, None]).expand(-1, -1, w)
    return (torch.stack([dx, dy], 1) - cell_center).to(like.dtype) / OFFSET_SCALE


class GFD(nn.Module):
    """Decouples people (eq. 9-12) and reads each one's keypoint maps (eq. 1).

    Args:
        in_channels: C. channels: D, 32 in the paper (table 2). num_keypoints: K.
        recalibration: 'fused' (eq. 12), or 'spatial' or 'channel' alone (table 1).
        cell_center: see ``relative_coordinates``.
    """

    def __init__(self, in_channels: int, channels: int, num_keypoints: int, recalibration: str = 'fused',
                 cell_center: float = 0.0) -> None:
        super().__init__()
        if recalibration not in RECALIBRATIONS:
            raise ValueError(f'recalibration must be one of {RECALIBRATIONS}, got {recalibration!r}')
        has_channel, has_spatial = recalibration != 'spatial', recalibration != 'channel'
        self.conv_down = nn.Conv2d(in_channels, channels, 1)
        self.channel = ChannelRecalibration(in_channels, channels) if has_channel else None
        self.spatial = SpatialRecalibration(in_channels, channels, cell_center) if has_spatial else None
        self.fuse = nn.Conv2d(channels * (has_channel + has_spatial), channels, 1)
        self.heatmap = nn.Conv2d(channels, num_keypoints, 1)
        self.apply(init_linear)
        init_heatmap(self.heatmap)

    def forward(self, features: Tensor, params: Tensor, roots: Roots) -> Tensor:
        """(B, C, H, W), (N, C), N roots -> logits of the keypoint maps (N, K, H, W)."""
        shared = self.conv_down(features)
        return self.heatmap(F.relu(self.decouple(shared, params, roots, self.spatial_mask(shared, params, roots))))

    def spatial_mask(self, shared: Tensor, params: Tensor, roots: Roots) -> Optional[Tensor]:
        """M (N, 1, H, W) of eq. 10, or None where only channels are recalibrated."""
        return None if self.spatial is None else self.spatial(shared, params, roots)

    def decouple(self, shared: Tensor, params: Tensor, roots: Roots, mask: Optional[Tensor]) -> Tensor:
        """Eq. 9, 11 and the convolution of eq. 12: (N, D, H, W), before the ReLU."""
        weight = self.fuse.weight[:, :, 0, 0]
        w_channel, w_spatial = weight[:, :shared.shape[1]], weight[:, -shared.shape[1]:]
        fused = self.fuse.bias[:, None, None]
        if self.channel is not None:
            fused = fused + per_person(w_channel * self.channel(params)[:, None], shared, roots.image)
        if mask is not None:
            fused = fused + mask * F.conv2d(shared, w_spatial[:, :, None, None])[roots.image]
        return fused
