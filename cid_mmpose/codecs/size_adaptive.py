"""The codec of CID: annotated people -> compact targets, and heatmaps -> keypoints. Only here do pixels meet cells.

A cell c covers the input pixels [c * stride, (c + 1) * stride); decoding returns the middle of the cell, so that
decode undoes encode to half a cell.
"""
from typing import Optional

import numpy as np
import torch
from mmpose.codecs.base import BaseKeypointCodec
from torch import Tensor

from cid_mmpose.registry import KEYPOINT_CODECS

from .gaussian import person_radius
from .people import FIELDS, first_on_cell, jitter, on_map, root_of


def to_cell(xy: np.ndarray, stride: int) -> np.ndarray:
    """Input pixels (..., 2) -> heatmap cells, int16; values far off the map are clipped to what int16 holds.

    Cut towards zero as the reference's ``int()`` does: up to one cell left of or above the map still counts as on it.
    """
    return np.clip(np.trunc(xy / stride), -32768, 32767).astype(np.int16)


def to_pixel(cell: Tensor, stride: int) -> Tensor:
    """Heatmap cells (..., 2), fractions allowed -> input pixels at the middle of the cell."""
    return (cell + 0.5) * stride


@KEYPOINT_CODECS.register_module()
class SizeAdaptiveHeatmap(BaseKeypointCodec):
    """Size-adaptive Gaussian targets (eq. 13) and their decoding.

    Args:
        stride: input pixels per heatmap cell.
        min_overlap: IoU that sets the Gaussian's radius, in (0, 1); see ``person_radius``.
        small_person_area: a person whose box is smaller than this (input pixels squared, after augmentation) gets no
            root and no map of its own; 0 keeps everyone (CrowdPose).

    Source: the authors' code; what it does beyond the paper is listed with each function.
    """
    auxiliary_encode_keys = {'bbox', 'input_size'}
    label_mapping_table = {field: field for field in FIELDS}
    field_mapping_table = dict(heatmap_mask='heatmap_mask')

    def __init__(self, *, stride: int = 4, min_overlap: float = 0.7, small_person_area: float = 32.0**2) -> None:
        super().__init__()
        if stride < 1 or not 0 < min_overlap < 1 or small_person_area < 0:
            raise ValueError('SizeAdaptiveHeatmap needs stride >= 1, 0 < min_overlap < 1 and small_person_area >= 0')
        self.stride, self.min_overlap, self.small_person_area = stride, min_overlap, small_person_area

    def encode(self,
               keypoints: np.ndarray,
               keypoints_visible: np.ndarray,
               bbox: np.ndarray,
               input_size: tuple,
               rng: Optional[np.random.Generator] = None) -> dict:
        """Turns the people of one picture into compact targets.

        Args:
            keypoints: (N, K, 2) x, y in input pixels.
            keypoints_visible: (N, K), > 0 where the joint is labelled.
            bbox: (N, 4, 2) corners in input pixels, in the order left-top, left-bottom, right-top, right-bottom of
                the picture before augmentation.
            input_size: (w, h) of the network's input in pixels.
            rng: chance for the jitter of the seeds; by default drawn from the worker's global numpy state.

        Returns:
            The ``FIELDS`` of ``PersonTargets`` as arrays of N persons.
        """
        rng = rng or np.random.default_rng(np.random.randint(2**31))
        size = [side // self.stride for side in input_size]
        labelled = keypoints_visible > 0
        corners = np.asarray(bbox, np.float64).reshape(-1, 4, 2)
        area = _box_area(corners)
        joint_cell, root_cell = to_cell(keypoints, self.stride), to_cell(root_of(keypoints, labelled), self.stride)
        rooted = labelled.any(1) & (area >= self.small_person_area) & on_map(root_cell, size)
        seed_cell = jitter(root_cell, size, rng).astype(np.int16)
        return dict(
            joint_cell=joint_cell,
            joint_drawn=labelled & on_map(joint_cell, size),
            root_cell=root_cell,
            root_drawn=rooted,
            seed_cell=seed_cell,
            seeded=first_on_cell(seed_cell, rooted, area),
            radius=self._radius(corners / self.stride, size))

    def _radius(self, corners: np.ndarray, size: list) -> np.ndarray:
        """(N, 4, 2) corners in cells -> (N,) int16 from the upright box around them, clipped to the map.

        A box that has no extent on the map (a person pushed out by augmentation) gets the radius of a one-cell box, 0.
        """
        limit = np.asarray(size) - 1
        low, high = corners.min(1).clip(0, limit), corners.max(1).clip(0, limit)
        sides = np.maximum(high - low, 1e-6)
        return person_radius(sides[:, 0], sides[:, 1], self.min_overlap).astype(np.int16)

    def decode(self, heatmaps: Tensor, root_scores: Tensor) -> tuple:
        """Reads each person's keypoints from the peaks of that person's maps (eq. 2 with m = 1).

        Args:
            heatmaps: (N, K, H, W) in [0, 1], any device.
            root_scores: (N,) in [0, 1].

        Returns:
            keypoints (N, K, 2) in input pixels, and their scores (N, K): peak x root score. The peak's cell is moved
            by a quarter cell towards the higher neighbour in x and in y, not at the border of the map.
        """
        n, k, h, w = heatmaps.shape
        flat = heatmaps.flatten(2)
        peak, index = flat.max(-1)
        x, y = index % w, torch.div(index, w, rounding_mode='floor')

        def value(dx: int, dy: int) -> Tensor:
            at = (y + dy).clamp(0, h - 1) * w + (x + dx).clamp(0, w - 1)
            return flat.gather(2, at[..., None])[..., 0]

        shift_x = torch.sign(value(1, 0) - value(-1, 0)) * ((x > 0) & (x < w - 1))
        shift_y = torch.sign(value(0, 1) - value(0, -1)) * ((y > 0) & (y < h - 1))
        cell = torch.stack([x + shift_x / 4, y + shift_y / 4], -1)
        return to_pixel(cell, self.stride), peak * root_scores[:, None]


def _box_area(corners: np.ndarray) -> np.ndarray:
    """(N, 4, 2) corners of rotated boxes -> (N,) areas: the sides meet at the first corner at right angles."""
    left_top, left_bottom, right_top = corners[:, 0], corners[:, 1], corners[:, 2]
    return np.linalg.norm(right_top - left_top, axis=1) * np.linalg.norm(left_bottom - left_top, axis=1)
