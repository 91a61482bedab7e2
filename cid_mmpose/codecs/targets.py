"""Who becomes a training target, and the compact form in which targets travel: cells, radii, visibilities, roots.

N persons of one image, P persons of a batch, K keypoints. Cells are integer (x, y) on the heatmap.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor


class PersonTargets(NamedTuple):
    """The people of a batch, about 100 bytes each; maps are drawn from them where the loss is."""

    keypoint_cell: Tensor  # (P, K, 2) int16, (x, y) in heatmap cells; off the map where not drawn
    keypoint_drawn: Tensor  # (P, K) bool, labelled and on the map, or touching it (the codec's off_map)
    root_cell: Tensor  # (P, 2) int16, center of the person
    root_drawn: Tensor  # (P,) bool, the person has a center there
    seed_cell: Tensor  # (P, 2) int16, where the person's feature is sampled: the root, moved by up to one cell
    seeded: Tensor  # (P,) bool, the person has a map of its own (GFD)
    radius: Tensor  # (P,) float32, in heatmap cells, beyond which the Gaussians are zero
    sigma: Tensor  # (P,) float32, of the Gaussians, in heatmap cells
    image: Tensor  # (P,) int64, image in the batch, ascending


FIELDS = PersonTargets._fields[:-1]  # what the codec hands over for one image


def gather_targets(labels: Sequence, device: torch.device) -> PersonTargets:
    """Joins the images of a batch.

    Args:
        labels: one an image, with an array or tensor (N_b, ...) for each of ``FIELDS``.
        device: of the result.
    """
    joined = {}
    for field in FIELDS:
        of_images = [torch.as_tensor(getattr(label, field)) for label in labels]
        joined[field] = torch.cat(of_images).to(device)
    counts = torch.tensor([len(label.radius) for label in labels])
    image = torch.arange(len(labels)).repeat_interleave(counts)
    return PersonTargets(**joined, image=image.to(device))


def root_of(xy: np.ndarray, labelled: np.ndarray) -> np.ndarray:
    """Center of each person: the mean of the labelled keypoints, 0 without any.

    Args:
        xy: (N, K, 2).
        labelled: (N, K) bool.

    Returns:
        (N, 2).
    """
    count = np.maximum(labelled.sum(1, keepdims=True), 1)
    return (xy * labelled[..., None]).sum(1) / count


def on_map(cell: np.ndarray, size: Sequence[int]) -> np.ndarray:
    """Which cells (..., 2) lie on a map of ``size`` (W, H)."""
    x = cell[..., 0]  # one axis after the other: twice as fast as all() over the last axis
    y = cell[..., 1]
    return (x >= 0) & (x < size[0]) & (y >= 0) & (y < size[1])


def jitter(position: np.ndarray, size: Sequence[int], clamp: bool, rng: np.random.RandomState) -> np.ndarray:
    """Moves each root by -1, 0 or 1 cell in x and y, so that features around a center also learn to stand for it.

    Args:
        position: (N, 2) cells or fractions of them.
        size: (W, H) of the map.
        clamp: a root that would leave the map goes to its border (MMPose); if False it is not moved (the authors).
        rng: chance.

    Returns:
        (N, 2), of the type of ``position``.
    """
    moved = position + rng.randint(-1, 2, position.shape)
    if clamp:
        return np.clip(moved, 0, np.asarray(size) - 1).astype(position.dtype)
    return np.where(on_map(moved, size)[:, None], moved, position)


def first_on_place(place: np.ndarray, candidate: np.ndarray, area: np.ndarray) -> np.ndarray:
    """Keeps one person per place, since two with one feature vector cannot be told apart; the smaller box stays.

    Args:
        place: (N, 2), cells or positions.
        candidate: (N,) bool.
        area: (N,) box areas, any unit.

    Returns:
        (N,) bool, True for the candidates that keep their place.
    """
    people = candidate.nonzero()[0]
    if len(people) < 2:
        return candidate.copy()
    place = place[people]
    order = np.lexsort((area[people], place[:, 1], place[:, 0]))  # by place, and on each by area, then by number
    is_first = np.ones(len(people), bool)
    ordered = place[order]
    is_first[1:] = (ordered[1:] != ordered[:-1]).any(1)
    kept = np.zeros_like(candidate)
    kept[people[order[is_first]]] = True
    return kept


def at_most(kept: np.ndarray, limit: int, rng: np.random.RandomState) -> np.ndarray:
    """Of (N,) bool at most ``limit`` chosen at random; 0 sets no limit."""
    if not limit or kept.sum() <= limit:
        return kept
    chosen = np.zeros_like(kept)
    shuffled = rng.permutation(kept.nonzero()[0])
    chosen[shuffled[:limit]] = True
    return chosen
