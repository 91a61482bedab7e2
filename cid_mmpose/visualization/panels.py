"""The stages of CID as panels: the center map, and for a person what GFD makes of F (figures 3 and 4 of the paper)."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from cid_mmpose.inference.keypoints import KeypointSet

from .crops import Crop, mark
from .crowd import draw_crowd
from .explain import Explanation
from .maps import SCORES, SIGNED, Grid, Scale, overlay
from .pages import Chart, Panel

USUAL = 99.5  # percent of the values lie within a scale; a few cells would leave the others without colour
SMALL = 3  # px, radius of the rings around roots that became nobody
LARGE = 10  # px, of those around keypoints, whose peaks are seen inside


class Limits(NamedTuple):
    """Where the scales of values end that have no natural end, the same for all people of an image."""

    similarity: float  # of |M_sim|
    weights: float  # of the channels
    features: float  # of the length of a vector of F^(i)


def limits_of(maps: Explanation, grid: Grid, size: tuple[int, int]) -> Limits:
    """The limits of everyone in an image.

    Args:
        maps: of the image.
        grid: where the cells lie in it; those of the padding around it do not count.
        size: (width, height) of the image.
    """
    low = np.ceil(grid.cells(np.zeros(2))).clip(0).astype(int)
    high = np.floor(grid.cells(np.array(size) - 1.0)).astype(int) + 1
    inside = np.s_[:, low[1] : high[1], low[0] : high[0]]
    return Limits(
        similarity=_most(maps.similarity[inside], USUAL),
        weights=_most(maps.channel_weights, 100),
        features=_most(maps.features[inside], USUAL),
    )


def _most(values: np.ndarray, percent: float) -> float:
    """What so many of the values do not exceed, whatever their sign; 1 where there are none."""
    return float(np.percentile(np.abs(values), percent)) if values.size else 1.0


def center_panel(maps: Explanation, nobodies: np.ndarray, crop: Crop) -> Panel:
    """The center map with the people's roots, numbered as they are, and smaller rings for other roots (figure 3).

    Args:
        maps: of the image.
        nobodies: (M, 2) cells, roots that no person has.
        crop: of the whole image.
    """
    over = overlay(crop.grey(), maps.crowd[-1], SCORES, crop.grid)
    numbers = [str(number) for number in range(len(maps.roots))]
    mark(over, crop.grid.middles(nobodies), radius=SMALL)
    mark(over, crop.grid.middles(maps.roots), numbers)
    return Panel(r'center map $\mathcal{C}$ (eq. 6) and roots', over, SCORES)


def similarity_panel(maps: Explanation, person: int, crop: Crop, limits: Limits) -> Panel | None:
    """M_sim; None for a model without masks.

    Args:
        maps: of the image.
        person: in [0, N).
        crop: where it is drawn.
        limits: of the colours.
    """
    if not len(maps.similarity):
        return None
    scale = Scale(-limits.similarity, limits.similarity, SIGNED)
    over = overlay(crop.grey(), maps.similarity[person], scale, crop.grid)
    return Panel(r'similarity $\mathcal{M}_{sim}$ (eq. 10)', over, scale)


def mask_panel(maps: Explanation, person: int, crop: Crop) -> Panel | None:
    """M; None for a model without masks.

    Args:
        maps: of the image.
        person: in [0, N).
        crop: where it is drawn.
    """
    if not len(maps.masks):
        return None
    over = overlay(crop.grey(), maps.masks[person], SCORES, crop.grid)
    return Panel(r'spatial mask $\mathcal{M}$ (eq. 10)', over, SCORES)


def weights_panel(maps: Explanation, person: int, size: tuple[int, int], limits: Limits) -> Chart | None:
    """The channel weights; None for a model without them.

    Args:
        maps: of the image.
        person: in [0, N).
        size: (width, height) of the chart, px.
        limits: of the axis.
    """
    if not len(maps.channel_weights):
        return None
    channels = maps.channel_weights.shape[1]
    label = f'{channels} channels of GFD'
    return Chart('channel weights (eq. 11)', maps.channel_weights[person], limits.weights, size, label)


def features_panel(maps: Explanation, person: int, crop: Crop, limits: Limits) -> Panel:
    """The length of each cell's vector in the instance-aware feature map.

    Args:
        maps: of the image.
        person: in [0, N).
        crop: where it is drawn.
        limits: of the colours.
    """
    scale = Scale(0, limits.features)
    over = overlay(crop.grey(), maps.features[person], scale, crop.grid)
    return Panel(r'feature map, $|\mathcal{F}^{(i)}|$ (eq. 12)', over, scale)


def all_heatmaps_panel(maps: Explanation, person: int, crop: Crop) -> Panel:
    """The larger value of all keypoints' heatmaps.

    Args:
        maps: of the image.
        person: in [0, N).
        crop: where it is drawn.
    """
    over = overlay(crop.grey(), maps.keypoints[person].max(axis=0), SCORES, crop.grid)
    return Panel(r'heatmaps $\mathcal{H}^{(i)}$ (eq. 1)', over, SCORES)


def heatmap_panels(
    maps: Explanation, person: int, crop: Crop, keypoints: np.ndarray, names: Sequence[str]
) -> list[Panel]:
    """A panel for each keypoint: its heatmap, the height of the peak, and a ring where the keypoint was read.

    Args:
        maps: of the image.
        person: in [0, N).
        crop: where they are drawn.
        keypoints: (K, 2) px of the image, the person's.
        names: K.
    """
    panels = []
    for name, place, heatmap in zip(names, crop.places(keypoints), maps.keypoints[person]):
        over = overlay(crop.grey(), heatmap, SCORES, crop.grid)
        mark(over, place[None], radius=LARGE)
        panels.append(Panel(f'{name} {heatmap.max():.2f}', over))
    return panels


def people_picture(
    crop: Crop, keypoints: np.ndarray, scores: np.ndarray, keypoint_set: KeypointSet, min_keypoint_score: float
) -> np.ndarray:
    """People on a crop, a colour each (figure 6).

    Args:
        crop: where they are drawn.
        keypoints: (N, K, 2) px of the image.
        scores: (N, K), of the keypoints.
        keypoint_set: what they are.
        min_keypoint_score: keypoints with a lower score are left out, in [0, 1].
    """
    options = dict(
        labels='number' if len(keypoints) > 1 else 'none', legend=False, min_keypoint_score=min_keypoint_score
    )
    return draw_crowd(crop.image, crop.places(keypoints), scores, keypoint_set, **options)
