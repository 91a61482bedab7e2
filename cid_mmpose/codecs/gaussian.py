"""Size-adaptive Gaussians (eq. 13): box -> radius and sigma -> map.

P persons, K keypoints, (H, W) heatmap cells. Cells are integer (x, y); a cell is ``stride`` input pixels wide.
"""

import warnings
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

# torch's note on the one operation that lays many people into maps without a loop over them; the tests pin what it does
warnings.filterwarnings('ignore', message=r'index_reduce\(\) is in beta')
FLOATS_AT_ONCE = 2**20  # 4 MiB of float32: what render_max draws before it is laid into the maps


def corner_radius(width: np.ndarray, height: np.ndarray, min_overlap: float = 0.7) -> np.ndarray:
    """How far, in heatmap cells, a box's corners may move so that its IoU stays about ``min_overlap``.

    Each of CornerNet's three cases (box outside, inside, shifted) is a quadratic; the reference divides its root by 2
    instead of by 2a, and its published weights were trained that way, so it is kept.

    Args:
        width: (P,) of boxes in heatmap cells, > 0.
        height: (P,) of boxes in heatmap cells, > 0.
        min_overlap: IoU kept by the moved box, in (0, 1).

    Returns:
        (P,) float64.

    Raises:
        ValueError: a side is not positive or finite, or ``min_overlap`` is outside (0, 1).

    Source: eq. 13 with the radius of CornerNet (ECCV 2018), as in the authors' target generator.
    """
    if not 0 < min_overlap < 1:
        raise ValueError(f'min_overlap must lie in (0, 1), got {min_overlap}')
    total = width + height
    area = width * height
    if not (np.isfinite(area) & (width > 0) & (height > 0)).all():
        raise ValueError('box sides must be finite and > 0 heatmap cells')
    four_a, b_share, over, under = corner_cases(min_overlap)
    b = b_share * total
    c = area * over / under
    roots = (b + np.sqrt(b * b - four_a * c)) / 2
    return roots.min(0)


@lru_cache
def corner_cases(overlap: float) -> np.ndarray:
    """CornerNet's three cases a x^2 - b x + c = 0.

    Args:
        overlap: m in (0, 1).

    Returns:
        (4, 3, 1): 4 a, b as a share of width + height, and c as a share of the area, as numerator and denominator.
    """
    m = overlap
    rows = [[4, 16, 16 * m], [1, 2, -2 * m], [1 - m, 1 - m, m - 1], [1 + m, 1, 1]]
    return np.array(rows)[..., None]


class Extent(NamedTuple):
    """How large the Gaussians of P persons are, in heatmap cells."""

    radius: np.ndarray  # (P,) float32, where they are cut
    sigma: np.ndarray  # (P,) float32


def whole_gaussian(width: np.ndarray, height: np.ndarray, min_overlap: float = 0.7) -> Extent:
    """A whole radius, and sigma = (2 r + 1) / 6. Source: the authors' code.

    Args:
        width: (P,) of boxes in heatmap cells, > 0; rounded up to whole cells first.
        height: (P,) of boxes, as ``width``.
        min_overlap: as for ``corner_radius``, which also says what is raised.
    """
    whole_width = np.ceil(np.asarray(width, float))
    whole_height = np.ceil(np.asarray(height, float))
    radius = np.floor(corner_radius(whole_width, whole_height, min_overlap))
    radius = np.maximum(radius, 0)
    sigma = (2 * radius + 1) / 6
    return Extent(radius.astype(np.float32), sigma.astype(np.float32))


def fractional_gaussian(width: np.ndarray, height: np.ndarray, min_overlap: float = 0.7) -> Extent:
    """A radius that is not rounded, and sigma = r / 3. Source: MMPose 1.3.2's ``DecoupledHeatmap``.

    Args:
        width: (P,) of boxes in heatmap cells, > 0.
        height: (P,) of boxes in heatmap cells, > 0.
        min_overlap: as for ``corner_radius``, which also says what is raised.
    """
    radius = corner_radius(np.asarray(width, float), np.asarray(height, float), min_overlap)
    sigma = (radius / 3).astype(np.float32)
    return Extent(sigma * 3, sigma)


class Window(NamedTuple):
    """Where a Gaussian lies along one axis, or along both; arrays or tensors."""

    low: Any  # first cell
    peak: Any
    high: Any  # first cell beyond


def window_of(cell: Any, radius: Any) -> Window:
    """The cells that a Gaussian touches.

    With a whole radius the peak is the keypoint's cell. A fractional one is cut off twice, as MMPose does, and the peak
    lands up to one cell beside the keypoint's.

    Args:
        cell: (...) integer, an array or a tensor.
        radius: of the same kind, broadcasts over it, >= 0.
    """
    low = cut(cell - radius)
    peak = low + cut(radius + 0.5)
    high = cut(cell + radius + 1)
    return Window(low, peak, high)


def cut(values: Any) -> Any:
    """Towards zero to integers: an array or a tensor."""
    if isinstance(values, Tensor):
        return values.long()
    return values.astype(np.int64)


class Axes(NamedTuple):
    """The two factors of Gaussians; a map is their outer product."""

    x: Tensor  # (..., W) in [0, 1]
    y: Tensor  # (..., H) in [0, 1]


def gaussian_axes(cell: Tensor, radius: Tensor, sigma: Tensor, drawn: Tensor, size: Sequence[int]) -> Axes:
    """The two factors of separable Gaussians: exp(-(dx^2 + dy^2) / 2 sigma^2) = gx * gy, cut at the radius.

    At the cut the product is above exp(-9), so the reference's removal of values below the float eps never acts.

    Args:
        cell: (..., 2) integer (x, y) in heatmap cells, the keypoints; any value where ``drawn`` is False.
        radius: (...) float, heatmap cells, >= 0.
        sigma: (...) float, heatmap cells, > 0.
        drawn: (...) bool; a Gaussian that is not drawn is zero everywhere.
        size: (W, H) of the map in cells.

    Returns:
        float32, exactly 1 at the peak of a drawn Gaussian.
    """
    width, height = size
    gx = _axis(cell[..., 0], radius, sigma, width)
    gy = _axis(cell[..., 1], radius, sigma, height)
    return Axes(gx, gy * drawn[..., None])


def _axis(cell: Tensor, radius: Tensor, sigma: Tensor, length: int) -> Tensor:
    """One factor (..., length) of Gaussians whose peaks are at cells (...) of the axis."""
    window = window_of(cell.long(), radius)
    at = torch.arange(length, device=cell.device)
    values = (at.float() - window.peak[..., None]).square_()  # in place: the largest tensors that grow with a crowd
    values.div_(2 * sigma[..., None] ** 2).neg_().exp_()
    is_inside = (at >= window.low[..., None]) & (at < window.high[..., None])
    return values.mul_(is_inside)


def render_people(gx: Tensor, gy: Tensor) -> Tensor:
    """One map for each person and keypoint, H^(i)* of eq. 16.

    Args:
        gx: (P, K, W).
        gy: (P, K, H).

    Returns:
        (P, K, H, W) in [0, 1].
    """
    return gy[..., :, None] * gx[..., None, :]


def render_max(gx: Tensor, gy: Tensor, image: Tensor, num_images: int) -> Tensor:
    """Everyone in one map, [H*; C*] of eq. 14: where Gaussians meet, the larger value counts.

    Draws ``FLOATS_AT_ONCE`` numbers at a time, or one person; the device is never waited for. No gradients.

    Args:
        gx: (P, K, W).
        gy: (P, K, H).
        image: (P,) int64, the image of each person, in [0, num_images).
        num_images: B.

    Returns:
        (B, K, H, W) float32 in [0, 1].
    """
    keypoints, width = gx.shape[1:]
    height = gy.shape[-1]
    maps = gx.new_zeros(num_images, keypoints, height, width)
    floats_of_person = max(keypoints * height * width, 1)
    at_once = max(FLOATS_AT_ONCE // floats_of_person, 1)
    for some_x, some_y, some_image in zip(gx.split(at_once), gy.split(at_once), image.split(at_once)):
        maps.index_reduce_(0, some_image, render_people(some_x, some_y), 'amax')
    return maps
