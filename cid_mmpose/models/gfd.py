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

from .chunks import NOBODY, people_chunks
from .features import project
from .iia import init_heatmap, init_linear
from .roots import Roots

OFFSET_SCALE = 32.0  # heatmap cells; divides root-to-cell offsets. Source: the authors' SpatialAtten
TILE = 2 * 2**20  # bytes; about the second-level caches of two cores
RECALIBRATIONS = ('fused', 'spatial', 'channel')


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

    def forward(self, shared: Tensor, attention: Tensor, cell: Tensor) -> Tensor:
        """F^ of a picture (D, H, W), its people's attention (n, D) and roots (n, 2) -> M (n, H, W) in (0, 1)."""
        similarity = (attention @ shared.flatten(1)).view(-1, 1, *shared.shape[-2:])
        offsets = relative_coordinates(cell, similarity, self.cell_center)
        return self.conv(torch.cat([similarity, offsets], 1))[:, 0].sigmoid()


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


def tiles_of(rows: int, size: Sequence[int], device: torch.device) -> List[slice]:
    """Cuts the cells of a map into tiles for which ``rows`` maps take ``TILE`` bytes on a CPU; one tile elsewhere."""
    cells = size[0] * size[1]
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
        return size[0] * size[1] * (6 * self.heatmap.out_channels + 5)

    def share(self, features: Sequence[Tensor]) -> Dict[str, Tensor]:
        """What the people of a picture have in common: F^ and W_s F^, both (B, D, H, W)."""
        shared = project(features, self.conv_down.weight, self.conv_down.bias).contiguous()
        if self.spatial is None:
            return dict(features=shared)
        return dict(features=shared, spatial=F.conv2d(shared, self.fuse.weight[:, -self.channels:]))

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
        return None if self.spatial is None else self.spatial(shared['features'], people['attention'], cell)

    def read(self, shared: Dict[str, Tensor], people: Dict[str, Tensor], cell: Tensor) -> Tensor:
        """Eq. 9-12 and 1 for people of one picture.

        Args:
            shared: of that picture, as from ``share`` without the first axis. people: as from ``address`` for n of
                its people. cell: (n, 2), their roots.

        Returns:
            Logits of their keypoint maps (n, K, H, W).
        """
        size = shared['features'].shape[-2:]
        mask = self.mask(shared, people, cell)
        columns = {name: maps.flatten(1) for name, maps in shared.items()}
        mask = None if mask is None else mask.flatten(1)
        # Without a gradient to keep, in tiles of cells that stay in a CPU's cache; each cell is read by itself.
        tiles = [slice(None)] if torch.is_grad_enabled() else tiles_of(len(cell) * self.channels, size, cell.device)
        logits = [
            self._read_cells({name: maps[:, tile] for name, maps in columns.items()}, people.get('channel'),
                             None if mask is None else mask[:, tile]) for tile in tiles]
        return (torch.cat(logits, 2) if len(logits) > 1 else logits[0]).unflatten(2, size)

    def _read_cells(self, shared: Dict[str, Tensor], channel: Optional[Tensor], mask: Optional[Tensor]) -> Tensor:
        """Eq. 12 and 1 at P cells: maps (D, P), W_c diag(f) (n, D, D), M (n, P) -> logits (n, K, P)."""
        fused = self.fuse.bias[:, None]
        if channel is not None:
            fused = fused + (channel.flatten(0, 1) @ shared['features']).unflatten(0, channel.shape[:2])
        if mask is not None:
            fused = fused + mask[:, None] * shared['spatial']
        return self.heatmap.weight[:, :, 0, 0] @ F.relu(fused) + self.heatmap.bias[:, None]

    def forward(self, features: Sequence[Tensor], params: Tensor, roots: Roots) -> Tensor:
        """Everyone's maps at once: branches of F, f (N, C) and N roots -> logits (N, K, H, W)."""
        shared, people = self.share(features), self.address(params)
        chunks = people_chunks(roots.image, len(features[0]), max(1, len(params))) or [NOBODY]
        return torch.cat([
            self.read({name: maps[chunk.image] for name, maps in shared.items()},
                      {name: each[chunk.people] for name, each in people.items()}, roots.cell[chunk.people])
            for chunk in chunks])
