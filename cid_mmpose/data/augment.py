"""Random geometry of training (section 4.2), uniform as the paper and the authors' code draw it."""

from collections.abc import Sequence
from types import SimpleNamespace

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from mmpose.structures.bbox import bbox_xyxy2corner
from scipy.stats import truncnorm

from cid_mmpose.codecs import STRIDE
from cid_mmpose.recipes import DEFAULT, options_of
from cid_mmpose.registry import TRANSFORMS

SIDES = dict(short=min, long=max)
MIRRORED_CORNERS = [2, 3, 0, 1]  # of left-top, left-bottom, right-top, right-bottom: which becomes each of them


def worker_rng() -> np.random.Generator:
    """A generator seeded from numpy's global state, which mmengine seeds in each worker."""
    return np.random.default_rng(np.random.randint(2**31))


def affine_matrix(center: np.ndarray, scale: float, degrees: float, input_size: Sequence[int]) -> np.ndarray:
    """The matrix that turns around a point, scales, and moves the point to the middle of the input.

    Args:
        center: (2,) the point, in image pixels.
        scale: input pixels per image pixel.
        degrees: angle by which the image is turned.
        input_size: (w, h) of the input in pixels.

    Returns:
        (2, 3) float64, image to input.
    """
    matrix = cv2.getRotationMatrix2D((0.0, 0.0), degrees, scale)
    middle = np.asarray(input_size) / 2
    matrix[:, 2] = middle - matrix[:, :2] @ center
    return matrix


@TRANSFORMS.register_module()
class RandomAffine(BaseTransform):
    """Turns, scales and shifts the image into the input of the network; zeros fill what lies outside.

    A window whose side is one of the image's sides times a random ``scale`` fills the input's short side.
    Changes ``img``, ``keypoints`` (N, K, 2) and ``bbox`` (N, 4) -> corners (N, 4, 2) of ``bbox_xyxy2corner``; adds
    ``input_size`` and ``warp_mat`` (2, 3), image to input.

    Args:
        input_size: (w, h) of the input in pixels.
        rotation: largest angle in degrees, either way.
        scale: smallest and largest.
        shift: largest shift in x and in y, in window sides, either way.
        scale_type: 'short' or 'long', the side of the image that a scale of 1 brings to the input; 'long' with a
            scale of 1 and no shift shows the whole image, as MMPose's ``BottomupResize`` does in mode 'fit'.
        recipe: 'reference' or 'mmpose'; sets those of the following that are None (``recipes.py``).
        distribution: of angle, scale and shift between their bounds: 'uniform', or 'trunc_norm', a standard normal
            cut at one standard deviation.
        shift_of: what a shift is a share of: the 'window', or the image's own 'sides', width in x, height in y.

    Raises:
        ValueError: a value outside its range.
        BadInput: there is no such recipe or choice.

    Source: the paper and the authors' transforms ('reference'), MMPose's ``BottomupRandomAffine`` ('mmpose').
    """

    def __init__(
        self,
        *,
        input_size: Sequence[int],
        rotation: float = 30.0,
        scale: Sequence[float] = (0.75, 1.5),
        shift: float = 0.2,
        scale_type: str = 'short',
        recipe: str = DEFAULT,
        distribution: str | None = None,
        shift_of: str | None = None,
    ) -> None:
        if min(input_size) <= 0 or not 0 < scale[0] <= scale[1] or shift < 0:
            raise ValueError('RandomAffine needs input_size > 0, 0 < scale[0] <= scale[1] and shift >= 0')
        if scale_type not in SIDES:
            raise ValueError(f'RandomAffine: scale_type must be one of {tuple(SIDES)}, got {scale_type!r}')
        self.input_size = tuple(input_size)
        self.rotation = rotation
        self.scale = tuple(scale)
        self.shift = shift
        self.scale_type = scale_type
        rules = options_of('RandomAffine', recipe, distribution=distribution, shift_of=shift_of)
        self.rules = SimpleNamespace(**rules)

    def transform(self, results: dict) -> dict:
        """See the class."""
        image = results['img']
        matrix = self.draw_matrix(image.shape[:2], worker_rng())

        results['img'] = cv2.warpAffine(image, matrix, self.input_size, flags=cv2.INTER_LINEAR)
        results['keypoints'] = move_points(results['keypoints'], matrix)
        corners = bbox_xyxy2corner(results['bbox'])
        results['bbox'] = move_points(corners, matrix)
        results.update(warp_mat=matrix, input_size=self.input_size)
        return results

    def draw_matrix(self, shape: Sequence[int], rng: np.random.Generator) -> np.ndarray:
        """A random matrix (2, 3) for an image of ``shape`` (H, W)."""
        draws = self._draw(rng)
        smallest, largest = self.scale
        size = smallest + (largest - smallest) * (draws[1] + 1) / 2
        window = SIDES[self.scale_type](shape) * size

        sides = np.array(shape[::-1])
        unit = window if self.rules.shift_of == 'window' else sides
        center = sides / 2 + self.shift * draws[2:] * unit
        scale = min(self.input_size) / window
        degrees = draws[0] * self.rotation
        return affine_matrix(center, scale, degrees, self.input_size)

    def _draw(self, rng: np.random.Generator) -> np.ndarray:
        """(4,) numbers in [-1, 1]: of the angle, the scale, and the shift in x and y."""
        if self.rules.distribution == 'uniform':
            return rng.uniform(-1, 1, 4)
        return truncnorm.rvs(-1, 1, size=4, random_state=rng)


def move_points(xy: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """(..., 2) points through a (2, 3) matrix, in float64: targets are cut to whole cells from them."""
    turn = matrix[:, :2]
    return np.asarray(xy, np.float64) @ turn.T + matrix[:, 2]


@TRANSFORMS.register_module()
class RandomMirror(BaseTransform):
    """Mirrors the input left to right, and with it every person's left and right keypoints; for inputs of any shape.

    Changes ``img``, ``keypoints``, ``keypoints_visible`` and ``bbox`` (N, 4, 2), whose left and right corners change
    places as left and right keypoints do; adds ``flip`` (bool) and ``flip_direction``, for MMPose's later transforms.

    Args:
        prob: how often.
        recipe: 'reference' or 'mmpose'; sets ``mirror`` where that is None (``recipes.py``).
        mirror: where x turns round. 'map' at the last heatmap cell, x -> w - stride - x, as the authors do; 'input'
            at the last pixel, x -> w - 1 - x, where the image itself turns.
        stride: input pixels per heatmap cell; ``apply_recipe`` hands the codec's over.

    Raises:
        ValueError: ``prob`` is no probability.
        BadInput: there is no such recipe or choice.
    """

    def __init__(
        self, *, prob: float = 0.5, recipe: str = DEFAULT, mirror: str | None = None, stride: int = STRIDE
    ) -> None:
        if not 0 <= prob <= 1:
            raise ValueError(f'RandomMirror: prob must lie in [0, 1], got {prob}')
        self.prob = prob
        self.stride = stride
        self.mirror = options_of('RandomMirror', recipe, mirror=mirror)['mirror']

    def transform(self, results: dict) -> dict:
        """See the class."""
        draw = worker_rng().random()
        if draw >= self.prob:
            results.update(flip=False, flip_direction=None)
            return results

        width = results['img'].shape[1]
        last = width - self.stride if self.mirror == 'map' else width - 1
        order = list(results['flip_indices'])
        results['img'] = cv2.flip(results['img'], 1)
        results['keypoints'] = mirror_x(results['keypoints'][:, order], last)
        results['keypoints_visible'] = results['keypoints_visible'][:, order]
        results['bbox'] = mirror_x(results['bbox'][:, MIRRORED_CORNERS], last)
        results.update(flip=True, flip_direction='horizontal')
        return results


def mirror_x(xy: np.ndarray, last: float) -> np.ndarray:
    """(..., 2) points with x -> last - x."""
    x, y = xy[..., 0], xy[..., 1]
    return np.stack([last - x, y], -1)
