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

# the one operation that draws many people into maps without a loop over them; the tests pin what it does
warnings.filterwarnings('ignore', message=r'index_reduce\(\) is in beta')
MIN_OVERLAP = 0.7  # IoU that sets a target's radius; source: CornerNet and the authors' target generator
FLOATS_AT_ONCE = 2**20  # 4 MiB of float32: what render_max draws before it goes into the maps


def corner_radius(width: np.ndarray, height: np.ndarray, min_overlap: float = MIN_OVERLAP) -> np.ndarray:
    """How far, in heatmap cells, a box's corners may move so that its IoU stays about ``min_overlap``.

    The least of CornerNet's three cases (``corner_cases``). The reference divides a solution by 2 instead of by 2a, and
    its published weights were trained that way, so it is kept. This is not yet the radius of a target:
    ``whole_gaussian`` and ``fractional_gaussian`` make that of it.

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
    sides = width + height
    area = width * height
    if not (np.isfinite(area) & (width > 0) & (height > 0)).all():
        raise ValueError('box sides must be finite and > 0 heatmap cells')
    cases = corner_cases(min_overlap)
    b = cases.b_of_sides * sides
    c = area * cases.c_numerator / cases.c_denominator
    solutions = (b + np.sqrt(b * b - cases.four_a * c)) / 2
    return solutions.min(0)


class CornerCases(NamedTuple):
    """Three quadratics a x^2 - b x + c = 0, for all boxes at once; each field is (3, 1)."""

    four_a: np.ndarray  # 4 a
    b_of_sides: np.ndarray  # b / (width + height)
    c_numerator: np.ndarray  # c = area * c_numerator / c_denominator, in this order, as the reference rounds it
    c_denominator: np.ndarray


@lru_cache
def corner_cases(overlap: float) -> CornerCases:
    """CornerNet's three cases of a box w x h whose corners have moved by x: shifted, inside and outside the first one.

    Args:
        overlap: m in (0, 1), the IoU of the moved box with the first one.
    """
    m = overlap
    shifted = (4, 1, 1 - m, 1 + m)  # (1 + m) (w - x) (h - x) = 2 m w h
    inside = (4 * 4, 2, 1 - m, 1)  # (w - 2x) (h - 2x) = m w h
    outside = (4 * 4 * m, -2 * m, m - 1, 1)  # w h = m (w + 2x) (h + 2x)
    table = np.array([shifted, inside, outside])
    return CornerCases(*table.T[..., None])


class Extent(NamedTuple):
    """How large the Gaussians of P persons are, in heatmap cells."""

    radius: np.ndarray  # (P,) float32, beyond which they are zero
    sigma: np.ndarray  # (P,) float32


def whole_gaussian(width: np.ndarray, height: np.ndarray, min_overlap: float = MIN_OVERLAP) -> Extent:
    """The radius of targets, whole: ``corner_radius`` of whole sides, rounded down; and sigma = (2 r + 1) / 6.

    Source: the authors' code.

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


def fractional_gaussian(width: np.ndarray, height: np.ndarray, min_overlap: float = MIN_OVERLAP) -> Extent:
    """A radius that is not rounded, and sigma = r / 3. Source: MMPose 1.3.2's ``DecoupledHeatmap``.

    Args:
        width: (P,) of boxes in heatmap cells, > 0.
        height: (P,) of boxes in heatmap cells, > 0.
        min_overlap: as for ``corner_radius``, which also says what is raised.
    """
    radius = corner_radius(np.asarray(width, float), np.asarray(height, float), min_overlap)
    sigma = (radius / 3).astype(np.float32)
    return Extent(sigma * 3, sigma)  # the radius from the rounded sigma, as MMPose


class Window(NamedTuple):
    """Where Gaussians lie; integer arrays or tensors, (...) of one axis or (..., 2) of both."""

    low: Any  # first cell
    peak: Any  # the cell where the Gaussian is 1
    high: Any  # first cell behind the last


def window_of(cell: Any, radius: Any) -> Window:
    """The cells that a Gaussian touches.

    With a whole radius the peak is the keypoint's cell. A fractional one is truncated twice, as in MMPose, and the peak
    lands up to one cell beside the keypoint's.

    Args:
        cell: (...) integers of one axis or (..., 2) of both, an array or a tensor.
        radius: of the same kind, broadcasts over it, >= 0.
    """
    low = truncate(cell - radius)
    peak = low + truncate(radius + 0.5)
    high = truncate(cell + radius + 1)
    return Window(low, peak, high)


def truncate(values: Any) -> Any:
    """Rounds an array or a tensor towards zero, to integers."""
    if isinstance(values, Tensor):
        return values.long()
    return values.astype(np.int64)


class Axes(NamedTuple):
    """The two factors of Gaussians; a map is their outer product."""

    x: Tensor  # (..., W) in [0, 1]
    y: Tensor  # (..., H) in [0, 1]


def gaussian_axes(cell: Tensor, radius: Tensor, sigma: Tensor, drawn: Tensor, size: Sequence[int]) -> Axes:
    """The two factors of separable Gaussians: exp(-(dx^2 + dy^2) / 2 sigma^2) = gx * gy, zero beyond the radius.

    The reference also sets values below the float eps to zero; there are none, within the radius all are above exp(-9).

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
    position = torch.arange(length, device=cell.device)
    values = (position.float() - window.peak[..., None]).square_()  # in place: largest of what grows with a crowd
    values.div_(2 * sigma[..., None] ** 2).neg_().exp_()
    is_inside = (position >= window.low[..., None]) & (position < window.high[..., None])
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

    Draws ``FLOATS_AT_ONCE`` numbers at a time, or one person, without a synchronisation with the device. No gradients.

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
