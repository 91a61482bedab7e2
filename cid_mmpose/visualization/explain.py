"""What CID sees on its way to the keypoints: center map, masks, channel weights, feature maps, keypoint heatmaps."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from cid_mmpose.models.gfd import to_scores
from cid_mmpose.models.roots import Roots


class Explanation(NamedTuple):
    """The intermediate maps of one image with N people, (H, W) heatmap cells, D channels of GFD, scores in [0, 1]."""

    image: np.ndarray  # (h, w, 3) uint8 BGR, the network's input
    crowd: np.ndarray  # (K + 1, H, W), everyone's keypoints, the center map last (eq. 6)
    roots: np.ndarray  # (N, 2) x, y in cells
    scores: np.ndarray  # (N,), heights of the center map at the roots
    similarity: np.ndarray  # (N, H, W), M_sim of eq. 10; (0, H, W) for a model without masks
    masks: np.ndarray  # (N, H, W) in (0, 1), M of eq. 10; (0, H, W) for a model without them
    channel_weights: np.ndarray  # (N, D), of the channels in eq. 11; (0, D) for a model without them
    features: np.ndarray  # (N, H, W), length of each cell's vector in the instance-aware feature maps (eq. 12)
    keypoints: np.ndarray  # (N, K, H, W), each person's keypoint heatmaps


@torch.no_grad()
def explain(model: nn.Module, image: Tensor, cells: np.ndarray | None = None) -> Explanation:
    """Runs a pose estimator with a ``CIDHead`` on one image, without flip test.

    Args:
        model: the estimator, on any device.
        image: (3, h, w) uint8 BGR, the network's input as the test pipeline packs it.
        cells: (N, 2) whole x, y, the roots of the people to explain; None takes those in the center map, best first.
    """
    model.eval()
    batch = model.data_preprocessor(dict(inputs=[image], data_samples=[]), training=False)
    branches = model.extract_feat(batch['inputs'])
    known_roots = None
    if cells is not None:
        known_roots = roots_at(cells, branches[0].device)
    seen = model.head(branches, known_roots)

    roots = seen.roots.cell
    crowd = to_scores(seen.crowd)[0]
    heatmaps = to_scores(seen.heatmaps)
    no_map = heatmaps[:0, 0]  # (0, H, W)
    no_weights = seen.instance_features[:0, :, 0, 0]  # (0, D)
    scores = seen.roots.score
    if scores is None:
        scores = crowd[-1, roots[:, 1], roots[:, 0]]

    return Explanation(
        image=_array(image.permute(1, 2, 0)),
        crowd=_array(crowd),
        roots=_array(roots),
        scores=_array(scores),
        similarity=_array_or(seen.similarity, no_map),
        masks=_array_or(seen.masks, no_map),
        channel_weights=_array_or(seen.channel_weights, no_weights),
        features=_array(seen.instance_features.norm(dim=1)),
        keypoints=_array(heatmaps),
    )


def roots_at(cells: np.ndarray, device: torch.device) -> Roots:
    """The roots of people whose cells are known.

    Args:
        cells: (N, 2) whole x, y.
        device: where they are needed.
    """
    cell = torch.as_tensor(cells, dtype=torch.int64, device=device).reshape(-1, 2)
    return Roots(cell, torch.zeros_like(cell[:, 0]))


def _array_or(tensor: Tensor | None, empty: Tensor) -> np.ndarray:
    return _array(empty if tensor is None else tensor)


def _array(tensor: Tensor) -> np.ndarray:
    return tensor.cpu().numpy()
