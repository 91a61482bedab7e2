"""Global Feature Decoupling (section 3.3): from the feature map of an image to one feature map for each person.

B images, N people of all images, C input channels, D = GFD channels, K keypoints, (H, W) heatmap cells. F^ is F with D
channels, f a person's feature vector, l the person's location.

Here everything stands as the paper prints it, but for one thing. The paper multiplies with f itself (M_sim of eq. 10,
and eq. 11), where f has C values and F^ D channels. So, as in the authors' code, a linear layer makes D numbers of f:
one for the mask, another for the channels.

Training and testing use ``fast/gfd.py``, which comes to the same numbers with these weights and never has the maps of
all people at once. In code ``F`` is torch.nn.functional; in docstrings it is the paper's feature map.
"""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn

from .iia import INIT_STD, init_heatmap, init_linear
from .roots import Roots

OFFSET_SCALE = 32.0  # heatmap cells; divides root-to-cell offsets. Source: the authors' SpatialAtten
SCORE_LIMIT = 1e-4  # maps lie in [limit, 1 - limit]; source: the authors' _sigmoid
RECALIBRATIONS = ('fused', 'spatial', 'channel')


class Foreground(NamedTuple):
    """Where N people are (eq. 10)."""

    similarity: Tensor  # (N, H, W), M_sim
    masks: Tensor  # (N, H, W) in (0, 1), M


class Decoupled(NamedTuple):
    """What GFD makes of N people."""

    similarity: Tensor | None  # (N, H, W), M_sim of eq. 10; None where only channels are recalibrated
    masks: Tensor | None  # (N, H, W) in (0, 1), M of eq. 10; None where only channels are recalibrated
    channel_weights: Tensor | None  # (N, D), what eq. 11 multiplies F^ with; None where only cells are recalibrated
    instance_features: Tensor  # (N, D, H, W), F^(i): the instance-aware feature maps of eq. 12 (figure 4)
    heatmaps: Tensor  # (N, K, H, W), logits of eq. 1


def to_scores(logits: Tensor, in_place: bool = False) -> Tensor:
    """Logits -> scores.

    Args:
        logits: any shape and float type.
        in_place: overwrites float32 logits; where nobody asks for them or their gradient again.

    Returns:
        float32 in [1e-4, 1 - 1e-4].
    """
    if in_place:
        return logits.float().sigmoid_().clamp_(SCORE_LIMIT, 1 - SCORE_LIMIT)
    return logits.float().sigmoid().clamp(SCORE_LIMIT, 1 - SCORE_LIMIT)


def relative_coordinates(root: Tensor, size: Sequence[int], cell_center: float | Tensor = 0.0) -> Tensor:
    """O^(i): offset from each cell to the root, (root - (cell + cell_center)) / 32 in x and in y.

    Args:
        root: (N, 2) cells (x, y), whose device and float type the result takes.
        size: (H, W).
        cell_center: 0 as the authors have it: offsets between whole cells. 0.5 as MMPose: from the middle of each cell
            to the corner of the root's. Keypoints in pixels are always at the middle of a cell (``to_pixel``).

    Returns:
        (N, 2, H, W).
    """
    height, width = size
    x = torch.arange(width, device=root.device)
    y = torch.arange(height, device=root.device)
    root_x, root_y = root[:, :, None, None].unbind(1)
    dx = (root_x - x).expand(-1, height, -1)
    dy = (root_y - y[:, None]).expand(-1, -1, width)
    return (torch.stack([dx, dy], 1) - cell_center) / OFFSET_SCALE


class ChannelRecalibration(nn.Module):
    """What eq. 11 multiplies F^ with: a weight for each of its channels, by a linear layer from f.

    Args:
        in_channels: C.
        channels: D.
    """

    def __init__(self, in_channels: int, channels: int) -> None:
        super().__init__()
        self.attention = nn.Linear(in_channels, channels)

    def forward(self, vectors: Tensor) -> Tensor:
        """Vectors f (N, C) -> (N, D)."""
        return self.attention(vectors)


class SpatialRecalibration(nn.Module):
    """A mask on each person's foreground (eq. 10).

    Args:
        in_channels: C.
        channels: D.
        cell_center: where in a cell its coordinates are taken, in cells; see ``relative_coordinates``. It belongs to
            the weights and is saved with them.
    """

    def __init__(self, in_channels: int, channels: int, cell_center: float = 0.0) -> None:
        super().__init__()
        self.cell_center: Tensor
        self.register_buffer('cell_center', torch.tensor(float(cell_center)))
        self.attention = nn.Linear(in_channels, channels)
        self.conv = nn.Conv2d(3, 1, 5, padding=2)  # over [M_sim; O_x; O_y], the order of the authors' weights

    def forward(self, shared: Tensor, vectors: Tensor, root: Tensor) -> Foreground:
        """M of eq. 10, and M_sim on the way to it.

        Args:
            shared: F^ of each person's image, (N, D, H, W).
            vectors: f, (N, C).
            root: l, (N, 2) cells (x, y).
        """
        attention = self.attention(vectors)[:, :, None, None]
        similarity = (attention * shared).sum(1, keepdim=True)  # M_sim
        offsets = relative_coordinates(root.to(shared), shared.shape[-2:], self.cell_center)  # O
        masks = torch.sigmoid(self.conv(torch.cat([similarity, offsets], 1)))
        return Foreground(similarity[:, 0], masks[:, 0])


class GFD(nn.Module):
    """Decouples people (eq. 9-12) and reads each one's keypoint maps (eq. 1).

    Args:
        in_channels: C.
        channels: D, 32 in the paper (table 2).
        num_keypoints: K.
        recalibration: 'fused' (eq. 12), or 'spatial' or 'channel' alone (table 1).
        cell_center: see ``relative_coordinates``.
        init_std: standard deviation of the weights before training, see ``init_linear``. Two layers keep the authors':
            the last one, and the one that makes the mask's weights of f.

    Raises:
        ValueError: ``recalibration`` is none of these.
    """

    def __init__(
        self,
        in_channels: int,
        channels: int,
        num_keypoints: int,
        recalibration: str = 'fused',
        cell_center: float = 0.0,
        init_std: float | None = INIT_STD,
    ) -> None:
        super().__init__()
        if recalibration not in RECALIBRATIONS:
            raise ValueError(f'recalibration must be one of {RECALIBRATIONS}, got {recalibration!r}')
        self.channels = channels
        self.conv_down = nn.Conv2d(in_channels, channels, 1)
        self.channel: ChannelRecalibration | None = None
        self.spatial: SpatialRecalibration | None = None
        num_parts = 0  # of [F_c; F_s]
        if recalibration != 'spatial':
            self.channel = ChannelRecalibration(in_channels, channels)
            num_parts += 1
        if recalibration != 'channel':
            self.spatial = SpatialRecalibration(in_channels, channels, cell_center)
            num_parts += 1
        self.fuse = nn.Conv2d(num_parts * channels, channels, 1)
        self.heatmap = nn.Conv2d(channels, num_keypoints, 1)
        self.apply(partial(init_linear, std=init_std))
        if self.spatial is not None:
            # M_sim is a sum of D products: with larger weights it is so large that the sigmoid of eq. 10 has no slope
            init_linear(self.spatial.attention)
        init_heatmap(self.heatmap)

    def forward(self, features: Tensor, vectors: Tensor, roots: Roots) -> Decoupled:
        """Everyone's maps.

        Args:
            features: F, (B, C, H, W).
            vectors: f, (N, C).
            roots: of N people.
        """
        shared = self.conv_down(features)[roots.image]  # F^ of each person's image

        similarity = None
        masks = None
        channel_weights = None
        recalibrated = []
        if self.channel is not None:
            channel_weights = self.channel(vectors)
            recalibrated.append(shared * channel_weights[:, :, None, None])  # F_c, eq. 11
        if self.spatial is not None:
            similarity, masks = self.spatial(shared, vectors, roots.cell)  # M, eq. 10
            recalibrated.append(masks[:, None] * shared)  # F_s, eq. 9

        instance = torch.relu(self.fuse(torch.cat(recalibrated, 1)))  # F^(i), eq. 12
        heatmaps = self.heatmap(instance)  # eq. 1
        return Decoupled(similarity, masks, channel_weights, instance, heatmaps)
