"""Global Feature Decoupling (section 3.3): the shared feature map -> one set of keypoint maps a person.

B pictures, N people of all pictures, n people of one picture, C input channels, D = GFD channels, K joints, (H, W)
heatmap cells. F^ is the shared map, f a person's vector, l the root, M the spatial mask.

The paper stacks [F_c; F_s] for each person and convolves (eq. 12). A 1x1 convolution of a stack is a sum over its
halves, W [F_c; F_s] = W_c diag(f) F^ + M (W_s F^). W_s F^ is the same for everyone, W_c diag(f) is a small matrix a
person, and the 2 D x H x W stack of each person is never built. So the work falls into three parts: ``share`` once a
picture, ``address`` once a person, ``read`` a person and cell.
"""
from typing import Dict, List, Optional, Sequence, Union

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .chunks import NOBODY, part_of, people_chunks
from .features import project
from .iia import init_heatmap, init_linear
from .roots import Roots

OFFSET_SCALE = 32.0  # heatmap cells; divides root-to-cell offsets. Source: the authors' SpatialAtten
SCORE_LIMIT = 1e-4  # maps lie in [limit, 1 - limit]; source: the authors' _sigmoid
TILE = 2 * 2**20  # bytes; about the second-level caches of two cores
RECALIBRATIONS = ('fused', 'spatial', 'channel')


def to_scores(logits: Tensor) -> Tensor:
    """Logits -> float32 in [1e-4, 1 - 1e-4]."""
    return logits.float().sigmoid().clamp(SCORE_LIMIT, 1 - SCORE_LIMIT)


class ChannelRecalibration(nn.Module):
    """The weights that a person's vector gives the channels of F^ (eq. 11): (N, C) -> (N, D)."""

    def __init__(self, in_channels: int, channels: int) -> None:
        super().__init__()
        self.attention = nn.Linear(in_channels, channels)

    def forward(self, params: Tensor) -> Tensor:
        return self.attention(params)


class SpatialRecalibration(nn.Module):
    """A mask on each person's foreground (eq. 10).

    The convolution of [M_sim; O_x; O_y] is a sum over its three inputs, and O is affine in the root, so its share of
    the sum is x A_x + y A_y + A_0 for everyone's root (x, y), with three maps A a map size.

    Args:
        cell_center: where in a cell its coordinates are taken, in cells; see ``relative_coordinates``. It belongs to
            the weights and is saved with them.
    """

    def __init__(self, in_channels: int, channels: int, cell_center: float = 0.0) -> None:
        super().__init__()
        self.register_buffer('cell_center', torch.tensor(float(cell_center)))
        self.attention = nn.Linear(in_channels, channels)
        self.conv = nn.Conv2d(3, 1, 5, padding=2)  # over [M_sim; O_x; O_y]

    def offset_maps(self, size: Sequence[int]) -> Tensor:
        """A_x, A_y, A_0 (3, H, W), in float32 even where the rest is not: near the root large values cancel."""
        weight = self.conv.weight
        origin = relative_coordinates(weight.new_zeros(1, 2), size, self.cell_center)
        unit, zero = torch.full_like(origin[:, :1], 1 / OFFSET_SCALE), torch.zeros_like(origin[:, :1])
        inputs = torch.cat([torch.cat([unit, zero], 1), torch.cat([zero, unit], 1), origin])
        with torch.autocast(weight.device.type, enabled=False):
            return F.conv2d(inputs, weight[:, 1:], padding=self.conv.padding)[:, 0]

    def forward(self, shared: Dict[str, Tensor], attention: Tensor, cell: Tensor) -> Tensor:
        """M (n, H, W) in (0, 1) of a picture's people.

        Args:
            shared: ``features`` (D, H, W), F^, and ``offsets`` (3, H, W). attention: (n, D). cell: (n, 2), roots.
        """
        size, count = shared['features'].shape[-2:], len(cell)
        similarity = (attention @ shared['features'].flatten(1)).view(1, count, *size)
        if not count:
            return similarity[0]  # a convolution in groups needs one
        kernel = self.conv.weight[:, :1].expand(count, -1, -1, -1)
        seen = F.conv2d(similarity, kernel, self.conv.bias.expand(count), padding=self.conv.padding, groups=count)[0]
        a_x, a_y, a_0 = shared['offsets']
        x, y = cell.to(a_0.dtype)[..., None, None].unbind(1)
        return (seen + (x * a_x + (y * a_y + a_0))).sigmoid().to(similarity.dtype)


def relative_coordinates(cell: Tensor, size: Sequence[int], cell_center: Union[float, Tensor] = 0.0) -> Tensor:
    """O^(i): offset from each cell to the root, (root - (cell + cell_center)) / 32 in x and in y.

    Args:
        cell: (N, 2) roots, whose device and float type the result takes. size: (H, W).
        cell_center: 0 as the authors have it (a cell stands at its left upper corner, like the root), 0.5 as MMPose.

    Returns:
        (N, 2, H, W).
    """
    h, w = size
    x, y = torch.arange(w, device=cell.device), torch.arange(h, device=cell.device)
    dx = (cell[:, 0, None, None] - x).expand(-1, h, -1)
    dy = (cell[:, 1, None, None] - y[:, None]).expand(-1, -1, w)
    return (torch.stack([dx, dy], 1) - cell_center) / OFFSET_SCALE


def tiles_of(rows: int, cells: int, device: torch.device) -> List[slice]:
    """Cuts the cells of a map into tiles for which ``rows`` maps take ``TILE`` bytes on a CPU; one tile elsewhere."""
    step = max(1, TILE // (4 * max(rows, 1))) if device.type == 'cpu' else cells
    return [slice(start, start + step) for start in range(0, cells, step)]


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
        self.channels = channels
        self.conv_down = nn.Conv2d(in_channels, channels, 1)
        self.channel = ChannelRecalibration(in_channels, channels) if has_channel else None
        self.spatial = SpatialRecalibration(in_channels, channels, cell_center) if has_spatial else None
        self.fuse = nn.Conv2d(channels * (has_channel + has_spatial), channels, 1)
        self.heatmap = nn.Conv2d(channels, num_keypoints, 1)
        self.apply(init_linear)
        init_heatmap(self.heatmap)

    def weights_of_read(self) -> List[nn.Parameter]:
        """The parameters that ``read`` uses by itself; the others have had their effect on what it is given."""
        parts = [self.heatmap] if self.spatial is None else [self.heatmap, self.spatial.conv]
        return [self.fuse.bias, *(parameter for part in parts for parameter in part.parameters())]

    def floats_to_train(self, size: Sequence[int]) -> int:
        """Numbers that ``read`` and the loss of one person's maps of ``size`` (H, W) hold with their gradients."""
        return size[0] * size[1] * (6 * self.channels + 9 * self.heatmap.out_channels)

    def floats_to_read(self, size: Sequence[int]) -> int:
        """Numbers that ``read`` of one person's maps of ``size`` (H, W) and their decoding hold in testing."""
        return size[0] * size[1] * (4 * self.heatmap.out_channels + 5)

    def share(self, features: Sequence[Tensor]) -> Dict[str, Tensor]:
        """What the people of a picture have in common: F^ and W_s F^ (B, D, H, W), ``offset_maps`` (B, 3, H, W)."""
        shared = project(features, self.conv_down.weight, self.conv_down.bias).contiguous()
        if self.spatial is None:
            return dict(features=shared)
        offsets = self.spatial.offset_maps(shared.shape[-2:]).expand(len(shared), -1, -1, -1)
        return dict(features=shared, spatial=F.conv2d(shared, self.fuse.weight[:, -self.channels:]), offsets=offsets)

    def address(self, params: Tensor) -> Dict[str, Tensor]:
        """What a person's vector f (N, C) makes of it: W_c diag(f) (N, D, D) and the attention of eq. 10 (N, D)."""
        people = {}
        if self.channel is not None:
            people['channel'] = self.fuse.weight[:, :self.channels, 0, 0] * self.channel(params)[:, None]
        if self.spatial is not None:
            people['attention'] = self.spatial.attention(params)
        return people

    def mask(self, shared: Dict[str, Tensor], people: Dict[str, Tensor], cell: Tensor) -> Optional[Tensor]:
        """M (n, H, W) of eq. 10, or None where only channels are recalibrated; arguments as ``read``."""
        return None if self.spatial is None else self.spatial(shared, people['attention'], cell)

    def read(self, shared: Dict[str, Tensor], people: Dict[str, Tensor], cell: Tensor) -> Tensor:
        """Eq. 9-12 and 1 for people of one picture.

        Args:
            shared: of that picture, as from ``share`` without the first axis. people: as from ``address`` for n of
                its people. cell: (n, 2), their roots.

        Returns:
            Logits of their keypoint maps (n, K, H, W).
        """
        columns = self._columns(shared, people, cell)
        logits = self._read_cells(columns, people.get('channel'), self._joint_kernels())
        return logits.unflatten(2, shared['features'].shape[-2:])

    @torch.no_grad()
    def read_scores(self, halves: Sequence[tuple], cell: Tensor) -> Tensor:
        """``read`` for testing: the mean score of both halves of a flip test, or of one picture's only half.

        Nothing is kept for a gradient, so a tile of cells at a time is taken, which stays in a CPU's cache.

        Args:
            halves: (shared, people, joints) as ``read`` takes them; ``joints`` (K,) is another order of the maps.

        Returns:
            (n, K, H, W) in [1e-4, 1 - 1e-4].
        """
        size = halves[0][0]['features'].shape[-2:]
        inputs = [(self._columns(shared, people, cell), people.get('channel'), self._joint_kernels(joints))
                  for shared, people, joints in halves]
        scores = halves[0][0]['features'].new_empty(len(cell), self.heatmap.out_channels, size[0] * size[1])
        for tile in tiles_of(len(cell) * self.channels, scores.shape[2], cell.device):
            first, *second = (
                to_scores(self._read_cells({name: maps[:, tile] for name, maps in columns.items()}, *weights))
                for columns, *weights in inputs)
            scores[:, :, tile] = first.add_(second[0]).div_(2) if second else first
        return scores.unflatten(2, size)

    def _columns(self, shared: Dict[str, Tensor], people: Dict[str, Tensor], cell: Tensor) -> Dict[str, Tensor]:
        """The maps that ``read`` combines cell by cell, their cells in one axis: (D, H W) and the mask (n, H W)."""
        maps = {name: shared[name] for name in ('features', 'spatial') if name in shared}
        if self.spatial is not None:
            maps['mask'] = self.mask(shared, people, cell)
        return {name: each.flatten(1) for name, each in maps.items()}

    def _joint_kernels(self, joints: Optional[Sequence[int]] = None) -> tuple:
        """Weight (K, D) and bias (K, 1) of the maps, in their order or that of ``joints`` (K,)."""
        weight, bias = self.heatmap.weight[:, :, 0, 0], self.heatmap.bias[:, None]
        return (weight, bias) if joints is None else (weight[list(joints)], bias[list(joints)])

    def _read_cells(self, maps: Dict[str, Tensor], channel: Optional[Tensor], kernels: tuple) -> Tensor:
        """Eq. 12 and 1 at P cells: F^ and W_s F^ (D, P), M (n, P), and W_c diag(f) (n, D, D) -> logits (n, K, P)."""
        if channel is None:
            fused = maps['mask'][:, None] * maps['spatial']
        else:
            fused = (channel.flatten(0, 1) @ maps['features']).unflatten(0, channel.shape[:2])
            if 'mask' in maps:
                add = Tensor.addcmul if torch.is_grad_enabled() else Tensor.addcmul_  # in place costs autograd copies
                fused = add(fused, maps['mask'][:, None], maps['spatial'])
        fused = fused.add_(self.fuse.bias[:, None]).relu_()
        weight, bias = kernels
        return torch.baddbmm(bias, weight.expand(len(fused), -1, -1), fused)

    def forward(self, features: Sequence[Tensor], params: Tensor, roots: Roots) -> Tensor:
        """Everyone's maps at once: branches of F, f (N, C) and N roots -> logits (N, K, H, W)."""
        shared, people = self.share(features), self.address(params)
        chunks = people_chunks(roots.image, len(features[0]), max(1, len(params))) or [NOBODY]
        return torch.cat([self.read(*part_of(shared, people, chunk), roots.cell[chunk.people]) for chunk in chunks])
