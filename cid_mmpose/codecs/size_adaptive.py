"""The codec of CID: annotated people -> compact targets, and heatmaps -> keypoints. Only here do pixels meet cells.

A cell c covers the input pixels [c * stride, (c + 1) * stride); decoding returns the middle of the cell, so that
decode undoes encode to half a cell.
"""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import torch
from mmpose.codecs.base import BaseKeypointCodec
from torch import Tensor

from cid_mmpose.recipes import DEFAULT, options_of
from cid_mmpose.registry import KEYPOINT_CODECS

from .gaussian import Extent, fractional_gaussian, whole_gaussian, window_of
from .peaks import Peaks, find_peaks
from .targets import FIELDS, at_most, first_on_place, jitter, on_map, root_of

STRIDE = 4  # input pixels per heatmap cell where no config says otherwise: that of the paper's backbones
SMALLEST_SIDE = 1e-6  # heatmap cells, of a box that lies outside the map; rounded up to one cell


def to_cell(position: np.ndarray, rounding: str) -> np.ndarray:
    """Fractional cells (..., 2) -> int16; values far off the map are clipped to what int16 holds.

    'down' truncates towards zero as the reference's ``int()`` does: what is less than a cell left of or above the map
    still counts as on it. 'nearest' adds half a cell first.
    """
    position = position + 0.5 if rounding == 'nearest' else position
    # the conversion to integers truncates; minimum and maximum take half the time of clip
    return np.minimum(np.maximum(position, -32768), 32767).astype(np.int16)


def to_pixel(cell: Tensor, stride: int) -> Tensor:
    """Heatmap cells (..., 2), fractions allowed -> input pixels at the middle of the cell."""
    return (cell + 0.5) * stride


class Sides(NamedTuple):
    """Of N boxes, in the unit of their corners."""

    width: np.ndarray  # (N,)
    height: np.ndarray  # (N,)


class Seeds(NamedTuple):
    """Where the feature of a person is sampled, and who has one."""

    cell: np.ndarray  # (N, 2) int16
    seeded: np.ndarray  # (N,) bool


class Decoded(NamedTuple):
    """The keypoints of N people."""

    keypoints: Tensor  # (N, K, 2) in input pixels
    scores: Tensor  # (N, K) in [0, 1], peak x root score


@KEYPOINT_CODECS.register_module()
class SizeAdaptiveHeatmap(BaseKeypointCodec):
    """Size-adaptive Gaussian targets (eq. 13) and their decoding.

    Args:
        stride: input pixels per heatmap cell. It is set here alone: ``apply_recipe`` hands it to the steps that count
            in cells, and the network's first feature map must have it.
        recipe: 'reference' or 'mmpose'; sets those of the following that are None (``recipes.py``).
        gaussian: 'whole' radius from the sides that the turned box has on the map, or 'fractional', not rounded, from
            its full sides.
        rounding: of keypoints and roots to cells, 'down' or 'nearest'; seeds are always rounded down.
        small_person_area: a person whose box is smaller than this (input pixels squared, after augmentation) gets no
            root and no map of its own; 0 keeps everyone (CrowdPose).
        off_map: 'skip' keypoints and roots outside the map, or draw what is 'touching' it and move seeds to its border.
        shared_cell: of two people whose seeds share a 'cell', or only the exact 'position', one is dropped.
        max_people: seeds kept an image, chosen at random; 0 keeps all.
        border: peaks that the quarter shift moves: 'all' that have both neighbours, or 'inner' ones from cell 2 on.

    Raises:
        ValueError: a value outside its range. BadInput: there is no such recipe or choice.

    Source: the authors' code; what it does beyond the paper is listed with each function.
    """

    auxiliary_encode_keys = {'bbox', 'input_size'}
    label_mapping_table = {field: field for field in FIELDS}
    field_mapping_table = dict(heatmap_mask='heatmap_mask')

    def __init__(
        self,
        *,
        stride: int = STRIDE,
        recipe: str = DEFAULT,
        gaussian: str | None = None,
        rounding: str | None = None,
        small_person_area: float | None = None,
        off_map: str | None = None,
        shared_cell: str | None = None,
        max_people: int | None = None,
        border: str | None = None,
    ) -> None:
        super().__init__()
        rules = options_of(
            'SizeAdaptiveHeatmap',
            recipe,
            gaussian=gaussian,
            rounding=rounding,
            small_person_area=small_person_area,
            off_map=off_map,
            shared_cell=shared_cell,
            max_people=max_people,
            border=border,
        )
        self.rules = SimpleNamespace(**rules)
        if stride < 1 or min(self.rules.small_person_area, self.rules.max_people) < 0:
            raise ValueError('SizeAdaptiveHeatmap needs stride >= 1, small_person_area >= 0 and max_people >= 0')
        self.stride = stride

    def encode(
        self,
        keypoints: np.ndarray,
        keypoints_visible: np.ndarray,
        bbox: np.ndarray,
        input_size: tuple,
        rng: np.random.RandomState | None = None,
    ) -> dict:
        """Turns the people of one image into compact targets.

        Args:
            keypoints: (N, K, 2) x, y in input pixels; float64, since cells are cut from them.
            keypoints_visible: (N, K), > 0 where the keypoint is labelled.
            bbox: (N, 4, 2) float64 corners in input pixels, in the order left-top, left-bottom, right-top, right-bottom
                of the box before it was turned; a mirrored box has left and right changed over.
            input_size: (w, h) of the network's input in pixels.
            rng: chance for the seeds; by default numpy's global state, which mmengine seeds in each worker.

        Returns:
            The ``FIELDS`` of ``PersonTargets`` as arrays of N persons.
        """
        # numpy's global one: to make a generator for each image would take as long as encoding the keypoints
        chance: Any = np.random if rng is None else rng
        size = [side // self.stride for side in input_size]
        labelled = keypoints_visible > 0

        corners = np.asarray(bbox, np.float64).reshape(-1, 4, 2)
        sides = box_sides(corners)
        area = sides.width * sides.height
        extent = self._gaussian(corners / self.stride, size)

        keypoint_cell = to_cell(keypoints / self.stride, self.rules.rounding)
        keypoint_drawn = labelled & self._on_map(keypoint_cell, extent.radius[:, None], size)

        root = root_of(keypoints, labelled) / self.stride
        root_cell = to_cell(root, self.rules.rounding)
        is_large = area >= self.rules.small_person_area
        root_drawn = labelled.any(1) & is_large & self._on_map(root_cell, extent.radius, size)
        seeds = self._seeds(root, root_drawn, area, size, chance)
        return dict(
            keypoint_cell=keypoint_cell,
            keypoint_drawn=keypoint_drawn,
            root_cell=root_cell,
            root_drawn=root_drawn,
            seed_cell=seeds.cell,
            seeded=seeds.seeded,
            radius=extent.radius,
            sigma=extent.sigma,
        )

    def _gaussian(self, corners: np.ndarray, size: Sequence[int]) -> Extent:
        """The Gaussians of N people, from corners (N, 4, 2) in cells.

        A side without extent on the map (of a person pushed out by augmentation) counts as a cell long.
        """
        if self.rules.gaussian == 'fractional':
            full = box_sides(corners)
            return fractional_gaussian(full.width, full.height)
        clipped = sides_on_map(corners, size)
        width = np.maximum(clipped.width, SMALLEST_SIDE)
        height = np.maximum(clipped.height, SMALLEST_SIDE)
        return whole_gaussian(width, height)

    def _on_map(self, cell: np.ndarray, radius: np.ndarray, size: Sequence[int]) -> np.ndarray:
        """Which cells (..., 2) get a Gaussian of ``radius`` (...) on a map of ``size``: those on it, or touching it."""
        if self.rules.off_map == 'skip':
            return on_map(cell, size)
        window = window_of(cell.astype(np.int64), radius[..., None])
        touches = (window.low < np.asarray(size)) & (window.high >= 0)
        return touches.all(-1)

    def _seeds(
        self, root: np.ndarray, root_drawn: np.ndarray, area: np.ndarray, size: Sequence[int], rng: Any
    ) -> Seeds:
        """Where people are sampled: roots (N, 2) in fractional cells, who has one (N,), box areas (N,)."""
        if self.rules.shared_cell == 'position':
            place = root  # float64: two people share it only where their roots are equal
        else:
            place = to_cell(root, 'down')  # int16
        moved = jitter(place, size, self.rules.off_map == 'touching', rng)
        alone = first_on_place(moved, root_drawn, area)
        seeded = at_most(alone, self.rules.max_people, rng)
        return Seeds(to_cell(moved, 'down'), seeded)

    def decode(self, heatmaps: Tensor, root_scores: Tensor) -> Decoded:
        """Reads each person's keypoints from the peaks of that person's maps (eq. 2 with m = 1).

        Args:
            heatmaps: (N, K, H, W) in [0, 1], any device.
            root_scores: (N,) in [0, 1].

        Returns:
            Keypoints in pixels of the input: the middle of the peak's cell, moved by a quarter cell towards the higher
            neighbour in x and in y where ``border`` lets it. A score is the peak's height times the root's score.
        """
        height, width = heatmaps.shape[-2:]
        return self.decode_peaks(find_peaks(heatmaps), (width, height), root_scores)

    def decode_peaks(self, peaks: Peaks, size: Sequence[int], root_scores: Tensor) -> Decoded:
        """``decode`` from peaks.

        Args:
            peaks: of N people.
            size: (W, H) of their maps in cells.
            root_scores: (N,) in [0, 1].
        """
        map_size = torch.tensor(size, device=peaks.cell.device)
        first_movable = 2 if self.rules.border == 'inner' else 1
        is_movable = (peaks.cell >= first_movable) & (peaks.cell < map_size - 1)
        if self.rules.border == 'inner':  # MMPose also asks that the peak is not in the other axis' first cell
            is_movable &= (peaks.cell > 0).flip(-1)
        cell = peaks.cell + torch.sign(peaks.rise) * is_movable / 4
        return Decoded(to_pixel(cell, self.stride), peaks.value * root_scores[:, None])


def sides_on_map(corners: np.ndarray, size: Sequence[int]) -> Sides:
    """The sides that turned boxes have on a map, in cells.

    Each corner is first moved onto the map: a turned box that leaves it changes its shape there, and what counts are
    the sides that meet at its left-top corner.

    Args:
        corners: (N, 4, 2) float64 in cells, as ``SizeAdaptiveHeatmap.encode`` takes them in pixels.
        size: (W, H) of the map in cells.

    Source: the authors' data set and target generator.
    """
    last_cell = np.asarray(size) - 1
    on_the_map = np.minimum(np.maximum(corners, 0), last_cell)
    return box_sides(on_the_map)


def box_sides(corners: np.ndarray) -> Sides:
    """The sides of turned boxes that meet at the left-top corner.

    Args:
        corners: (N, 4, 2), as ``SizeAdaptiveHeatmap.encode`` takes them.
    """
    left_top, left_bottom, right_top = corners[:, 0], corners[:, 1], corners[:, 2]
    return Sides(width=_length(right_top - left_top), height=_length(left_bottom - left_top))


def _length(vectors: np.ndarray) -> np.ndarray:
    """(N, 2) -> (N,)."""
    return np.sqrt((vectors * vectors).sum(-1))
