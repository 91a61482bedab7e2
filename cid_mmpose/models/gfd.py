"""Global Feature Decoupling (section 3.3): the shared feature map -> one set of keypoint maps a person.

B images, N people of all images, n people of one image, C input channels, D = GFD channels, K keypoints, (H, W)
heatmap cells, h rows of them. F^ is the shared map, f a person's vector, l the root, M the spatial mask.

The paper stacks [F_c; F_s] for each person and convolves (eq. 12). Convolutions are linear, so that most of this work
is the same for everyone:

- W [F_c; F_s] = W_c diag(f) F^ + M (W_s F^): W_s F^ is one map for all, W_c diag(f) a small matrix a person;
- the mask convolves M_sim = a . F^ and the relative coordinates O. k * (a . F^) = a . (k * F^), and O is affine in the
  root (x, y), so M = sigmoid([a; x; y; 1] . [k * F^; A_x; A_y; A_0]), D + 3 maps for all and as many numbers a person.

So there are three steps: ``share`` once an image, ``address`` once a person, ``read`` a person and cell. In ``read``
each cell is by itself, so any rows can be taken. Its maps are kept cell by cell (h, W, channels), which makes it
three products of contiguous vectors.
"""
from functools import partial
from typing import Dict, List, Optional, Sequence, Union

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .cells import by_onednn, convolve
from .fast.branches import project
from .fast.chunks import NOBODY, part_of, people_chunks
from .iia import INIT_STD, init_heatmap, init_linear
from .roots import Roots

OFFSET_SCALE = 32.0  # heatmap cells; divides root-to-cell offsets. Source: the authors' SpatialAtten
SCORE_LIMIT = 1e-4  # maps lie in [limit, 1 - limit]; source: the authors' _sigmoid
RECALIBRATIONS = ('fused', 'spatial', 'channel')


def to_scores(logits: Tensor, in_place: bool = False) -> Tensor:
    """Logits -> float32 in [1e-4, 1 - 1e-4]; ``in_place`` where nobody asks for the logits or their gradient again."""
    if in_place:
        return logits.float().sigmoid_().clamp_(SCORE_LIMIT, 1 - SCORE_LIMIT)
    return logits.float().sigmoid().clamp(SCORE_LIMIT, 1 - SCORE_LIMIT)


class ChannelRecalibration(nn.Module):
    """The weights that a person's vector gives the channels of F^ (eq. 11): (N, C) -> (N, D)."""

    def __init__(self, in_channels: int, channels: int) -> None:
        super().__init__()
        self.attention = nn.Linear(in_channels, channels)

    def forward(self, params: Tensor) -> Tensor:
        return self.attention(params)


class SpatialRecalibration(nn.Module):
    """A mask on each person's foreground (eq. 10), as the module's head takes it apart.

    Args:
        cell_center: where in a cell its coordinates are taken, in cells; see ``relative_coordinates``. It belongs to
            the weights and is saved with them.
    """

    def __init__(self, in_channels: int, channels: int, cell_center: float = 0.0) -> None:
        super().__init__()
        self.register_buffer('cell_center', torch.tensor(float(cell_center)))
        self.attention = nn.Linear(in_channels, channels)
        self.conv = nn.Conv2d(3, 1, 5, padding=2)  # over [M_sim; O_x; O_y]

    def similarity_maps(self, shared: Tensor) -> Tensor:
        """k * F^ for F^ (B, D, H, W): the same kernel of M_sim over every channel."""
        channels = shared.shape[1]
        kernel = self.conv.weight[:, :1].expand(channels, -1, -1, -1)
        return F.conv2d(shared, kernel, padding=self.conv.padding, groups=channels)

    def offset_maps(self, size: Sequence[int]) -> Tensor:
        """A_x, A_y, and A_0 with the bias (3, H, W)."""
        weight = self.conv.weight
        origin = relative_coordinates(weight.new_zeros(1, 2), size, self.cell_center)
        unit, zero = torch.full_like(origin[:, :1], 1 / OFFSET_SCALE), torch.zeros_like(origin[:, :1])
        inputs = torch.cat([torch.cat([unit, zero], 1), torch.cat([zero, unit], 1), origin])
        with torch.autocast(weight.device.type, enabled=False):
            a_x, a_y, a_0 = F.conv2d(inputs, weight[:, 1:], padding=self.conv.padding)[:, 0]
        return torch.stack([a_x, a_y, a_0 + self.conv.bias])

    def share(self, shared: Tensor) -> Tensor:
        """What masks are made of: k * F^ of F^ (B, D, H, W), and A_x, A_y, A_0, cell by cell (B, H, W, D + 3)."""
        offsets = self.offset_maps(shared.shape[-2:]).permute(1, 2, 0).expand(len(shared), -1, -1, -1)
        return torch.cat([self.similarity_maps(shared).permute(0, 2, 3, 1), offsets], 3)

    def address(self, params: Tensor, cell: Tensor) -> Tensor:
        """How a person's mask is made of these: a, x, y and 1 of vectors (N, C) and roots (N, 2), (N, D + 3)."""
        attention, cell = (each.to(self.attention.weight.dtype) for each in (self.attention(params), cell))
        return torch.cat([attention, cell, torch.ones_like(cell[:, :1])], 1)

    def forward(self, shared: Tensor, people: Tensor) -> Tensor:
        """M (h, W, n) in (0, 1), from rows of ``share`` (h, W, D + 3) and ``address`` (n, D + 3).

        In float32 even where the rest is not: near the root large values cancel.
        """
        with torch.autocast(shared.device.type, enabled=False):
            return F.linear(shared.to(people), people).sigmoid()


def relative_coordinates(cell: Tensor, size: Sequence[int], cell_center: Union[float, Tensor] = 0.0) -> Tensor:
    """O^(i): offset from each cell to the root, (root - (cell + cell_center)) / 32 in x and in y.

    Args:
        cell: (N, 2) roots, whose device and float type the result takes.
        size: (H, W).
        cell_center: 0 as the authors have it (a cell stands at its left upper corner, like the root), 0.5 as MMPose.

    Returns:
        (N, 2, H, W).
    """
    h, w = size
    x, y = torch.arange(w, device=cell.device), torch.arange(h, device=cell.device)
    dx = (cell[:, 0, None, None] - x).expand(-1, h, -1)
    dy = (cell[:, 1, None, None] - y[:, None]).expand(-1, -1, w)
    return (torch.stack([dx, dy], 1) - cell_center) / OFFSET_SCALE


class GFD(nn.Module):
    """Decouples people (eq. 9-12) and reads each one's keypoint maps (eq. 1).

    Args:
        in_channels: C.
        channels: D, 32 in the paper (table 2).
        num_keypoints: K.
        recalibration: 'fused' (eq. 12), or 'spatial' or 'channel' alone (table 1).
        cell_center: see ``relative_coordinates``.
        init_std: standard deviation of the weights before training, see ``init_linear``; those of the last layer keep
            the authors'.
    """

    def __init__(self, in_channels: int, channels: int, num_keypoints: int, recalibration: str = 'fused',
                 cell_center: float = 0.0, init_std: Optional[float] = INIT_STD) -> None:
        super().__init__()
        if recalibration not in RECALIBRATIONS:
            raise ValueError(f'recalibration must be one of {RECALIBRATIONS}, got {recalibration!r}')
        has_channel, has_spatial = recalibration != 'spatial', recalibration != 'channel'
        self.channels = channels
        self.conv_down = nn.Conv2d(in_channels, channels, 1)
        self.channel = ChannelRecalibration(in_channels, channels) if has_channel else None
        self.spatial = SpatialRecalibration(in_channels, channels, cell_center) if has_spatial else None
        self.fuse = nn.Conv2d(channels * (has_channel + has_spatial), channels, 1)
        self.heatmap = nn.Conv2d(channels, num_keypoints, 1)
        self.apply(partial(init_linear, std=init_std))
        init_heatmap(self.heatmap)

    def weights_of_read(self) -> List[nn.Parameter]:
        """The parameters that ``read`` uses by itself; the others have had their effect on what it is given."""
        return [self.fuse.bias, *self.heatmap.parameters()]

    def floats_to_train(self) -> int:
        """Numbers that ``read`` and the loss hold for a person and cell, with their gradients."""
        return self.channels + 9 * self.heatmap.out_channels

    def floats_to_read(self) -> int:
        """Numbers that ``read_scores``, smoothing and peaks hold for a person and cell in testing."""
        return self.channels + 2 * self.heatmap.out_channels

    def share(self, features: Sequence[Tensor]) -> Dict[str, Tensor]:
        """What the people of an image have in common, cell by cell: F^ and W_s F^ (B, H, W, D), and what their masks
        are made of (B, H, W, D + 3)."""
        shared = project(features, self.conv_down.weight, self.conv_down.bias)
        cells = shared.permute(0, 2, 3, 1).contiguous()
        if self.spatial is None:
            return dict(features=cells)
        spatial = F.linear(cells, self.fuse.weight[:, -self.channels:, 0, 0])
        return dict(features=cells, spatial=spatial, mask=self.spatial.share(shared))

    def address(self, params: Tensor, roots: Roots) -> Dict[str, Tensor]:
        """What a person's vector f (N, C) and root make of it: W_c diag(f) (N, D, D) and the mask's (N, D + 3)."""
        people = {}
        if self.channel is not None:
            people['channel'] = self.fuse.weight[:, :self.channels, 0, 0] * self.channel(params)[:, None]
        if self.spatial is not None:
            people['mask'] = self.spatial.address(params, roots.cell)
        return people

    def mask(self, shared: Dict[str, Tensor], people: Dict[str, Tensor]) -> Optional[Tensor]:
        """M (h, W, n) of eq. 10, or None where only channels are recalibrated; arguments as ``read``."""
        return None if self.spatial is None else self.spatial(shared['mask'], people['mask'])

    def read(self, shared: Dict[str, Tensor], people: Dict[str, Tensor], keypoints: Optional[Sequence[int]] = None
             ) -> Tensor:
        """Eq. 9-12 and 1 for people of one image.

        Args:
            shared: rows of that image, as from ``share`` without the first axis.
            people: as from ``address`` for n of its people.
            keypoints: (K,), another order of the maps.

        Returns:
            Logits of their keypoint maps (n, K, h, W), in memory cell by cell as (h, W, n, K).
        """
        weight, bias = self.heatmap.weight[:, :, 0, 0], self.heatmap.bias
        if keypoints is not None:
            weight, bias = weight[list(keypoints)], bias[list(keypoints)]
        fused = self._fuse(shared, people).relu_()
        logits = convolve(fused.flatten(1, 2), weight, bias)
        return logits.unflatten(1, fused.shape[1:3]).permute(2, 3, 0, 1)

    def _fuse(self, shared: Dict[str, Tensor], people: Dict[str, Tensor]) -> Tensor:
        """W_c diag(f) F^ + M (W_s F^) and the bias (eq. 9-12): (h, W, n, D); arguments as ``read``."""
        features, bias = shared['features'], self.fuse.bias
        if self.spatial is None:
            return self._recalibrate_channels(features, people['channel'])
        mask = self.mask(shared, people).to(features.dtype)[..., None]
        spatial = shared['spatial'][:, :, None]
        if self.channel is None:
            return torch.addcmul(bias.to(features.dtype), mask, spatial)
        # the second of both parts is added to what is there, which saves two passes over these maps
        channel = people['channel']
        if by_onednn(features, channel):
            return self._recalibrate_channels(features, channel).addcmul_(mask, spatial)
        fused = torch.addcmul(bias.to(features.dtype), mask, spatial)
        features, channel = features.flatten(0, 1), channel.flatten(0, 1).to(features.dtype)
        fused.view(len(features), len(channel)).addmm_(features, channel.T)
        return fused

    def _recalibrate_channels(self, features: Tensor, channel: Tensor) -> Tensor:
        """W_c diag(f) F^ and the bias: (h, W, D) and (n, D, D) -> (h, W, n, D)."""
        fused = convolve(features, channel.flatten(0, 1), self.fuse.bias.repeat(len(channel)))
        return fused.unflatten(2, channel.shape[:2])

    @torch.no_grad()
    def read_scores(self, halves: Sequence[tuple]) -> Tensor:
        """``read`` for testing: the mean score of both halves of a flip test, or of one image's only half.

        Args:
            halves: (shared, people, keypoints) as ``read`` takes them.

        Returns:
            (n, K, h, W) in [1e-4, 1 - 1e-4], in memory cell by cell.
        """
        first, *second = (to_scores(self.read(*half), in_place=True) for half in halves)
        return first.lerp_(second[0], 0.5) if second else first

    def forward(self, features: Sequence[Tensor], params: Tensor, roots: Roots) -> Tensor:
        """Everyone's maps at once: branches of F, f (N, C) and N roots -> logits (N, K, H, W)."""
        shared, people = self.share(features), self.address(params, roots)
        chunks = people_chunks(roots.image, len(features[0]), max(1, len(params))) or [NOBODY]
        return torch.cat([self.read(*part_of(shared, people, chunk)) for chunk in chunks])
