"""Size-adaptive Gaussians (eq. 13): box -> radius and sigma -> map.

P persons, K keypoints, (H, W) heatmap cells. Cells are integer (x, y); a cell is ``stride`` input pixels wide.
"""

import warnings
from functools import lru_cache

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
        width, height: (P,) box sides in heatmap cells, > 0.
        min_overlap: IoU kept by the moved box, in (0, 1).

    Returns:
        (P,) float64.

    Raises:
        ValueError: a side is not positive or finite, or ``min_overlap`` is outside (0, 1).

    Source: eq. 13 with the radius of CornerNet (ECCV 2018), as in the authors' target generator.
    """
    if not 0 < min_overlap < 1:
        raise ValueError(f'min_overlap must lie in (0, 1), got {min_overlap}')
    total, area = width + height, width * height
    if not (np.isfinite(area) & (width > 0) & (height > 0)).all():
        raise ValueError('box sides must be finite and > 0 heatmap cells')
    a, b, over, under = corner_cases(min_overlap)
    b, c = b * total, area * over / under
    return ((b + np.sqrt(b * b - a * c)) / 2).min(0)


@lru_cache
def corner_cases(m: float) -> np.ndarray:
    """CornerNet's three cases a x^2 - b x + c = 0 for an overlap m: 4 a, b / total, and c / area as a fraction, each
    (3, 1)."""
    return np.array([[4, 16, 16 * m], [1, 2, -2 * m], [1 - m, 1 - m, m - 1], [1 + m, 1, 1]])[..., None]


def whole_gaussian(width: np.ndarray, height: np.ndarray, min_overlap: float = 0.7) -> tuple:
    """Radius and sigma (P,) float32 of each person's Gaussian in heatmap cells: radius whole, sigma (2 r + 1) / 6.

    Args and errors as ``corner_radius``; the sides are rounded up to whole cells first. Source: the authors' code.
    """
    radius = corner_radius(np.ceil(np.asarray(width, float)), np.ceil(np.asarray(height, float)), min_overlap)
    radius = np.maximum(np.floor(radius), 0)
    return radius.astype(np.float32), ((2 * radius + 1) / 6).astype(np.float32)


def fractional_gaussian(width: np.ndarray, height: np.ndarray, min_overlap: float = 0.7) -> tuple:
    """As ``whole_gaussian`` with sigma = r / 3 and no rounding. Source: MMPose 1.3.2's ``DecoupledHeatmap``."""
    sigma = (corner_radius(np.asarray(width, float), np.asarray(height, float), min_overlap) / 3).astype(np.float32)
    return sigma * 3, sigma


def window_of(cell: np.ndarray, radius: np.ndarray) -> tuple:
    """First cell, peak, and first cell beyond the Gaussian, along one axis or both.

    With a whole radius the peak is the keypoint's cell. A fractional one is cut off twice, as MMPose does, and the peak
    lands up to one cell beside the keypoint's.

    Args:
        cell: (...) integer. radius: broadcasts over it, >= 0. Both arrays or both tensors.
    """
    low = cut(cell - radius)
    return low, low + cut(radius + 0.5), cut(cell + radius + 1)


def cut(values):
    """Towards zero to integers: an array or a tensor."""
    return values.long() if isinstance(values, Tensor) else values.astype(np.int64)


def gaussian_axes(cell: Tensor, radius: Tensor, sigma: Tensor, drawn: Tensor, size: tuple) -> tuple:
    """The two factors of separable Gaussians: exp(-(dx^2 + dy^2) / 2 sigma^2) = gx * gy, cut at the radius.

    At the cut the product is above exp(-9), so the reference's removal of values below the float eps never acts.

    Args:
        cell: (..., 2) integer (x, y) in heatmap cells, the keypoints; any value where ``drawn`` is False.
        radius, sigma: (...) float, heatmap cells, >= 0 and > 0.
        drawn: (...) bool; a Gaussian that is not drawn is zero everywhere.
        size: (W, H) of the map in cells.

    Returns:
        gx (..., W) and gy (..., H), float32 in [0, 1]; exactly 1 at the peak of a drawn Gaussian.
    """

    def axis(keypoint: Tensor, length: int) -> Tensor:
        low, peak, high = (edge[..., None] for edge in window_of(keypoint.long(), radius))
        at = torch.arange(length, device=cell.device)
        values = (at.float() - peak).square_()  # in place: a crowd's axes are the largest tensors that grow with it
        values.div_(2 * sigma[..., None] ** 2).neg_().exp_()
        return values.mul_((at >= low) & (at < high))

    gx, gy = axis(cell[..., 0], size[0]), axis(cell[..., 1], size[1])
    return gx, gy * drawn[..., None]


def render_people(gx: Tensor, gy: Tensor) -> Tensor:
    """One map per person and keypoint, H^(i)* of eq. 16: gx (P, K, W), gy (P, K, H) -> (P, K, H, W) in [0, 1]."""
    return gy[..., :, None] * gx[..., None, :]


def render_max(gx: Tensor, gy: Tensor, image: Tensor, num_images: int) -> Tensor:
    """Everyone in one map, [H*; C*] of eq. 14: where Gaussians meet, the larger value counts.

    Draws ``FLOATS_AT_ONCE`` numbers at a time, or one person; the device is never waited for. No gradients.

    Args:
        gx: (P, K, W). gy: (P, K, H). image: (P,) int64, the image of each person, in [0, num_images).
        num_images: B.

    Returns:
        (B, K, H, W) float32 in [0, 1].
    """
    maps = gx.new_zeros(num_images, gx.shape[1], gy.shape[-1], gx.shape[-1])
    at_once = max(FLOATS_AT_ONCE // max(maps[0].numel(), 1), 1) if num_images else 1
    for people in zip(gx.split(at_once), gy.split(at_once), image.split(at_once)):
        maps.index_reduce_(0, people[2], render_people(*people[:2]), 'amax')
    return maps
