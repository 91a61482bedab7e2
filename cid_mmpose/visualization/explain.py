"""What CID sees on its way to the keypoints: center map, spatial masks, keypoint maps (figures 2, 3 and 4)."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from cid_mmpose.models.gfd import to_scores


class Explanation(NamedTuple):
    """The intermediate maps of one image with N people, (H, W) heatmap cells, scores in [0, 1]."""

    image: np.ndarray  # (h, w, 3) uint8 BGR, the network's input
    crowd: np.ndarray  # (K + 1, H, W), everyone's keypoints, the center map last (eq. 6)
    roots: np.ndarray  # (N, 2) x, y in cells, best first
    scores: np.ndarray  # (N,), heights of the center map at the roots
    masks: np.ndarray  # (N, H, W), spatial masks (eq. 10); (0, H, W) for a model without them
    features: np.ndarray  # (N, H, W), length of each cell's vector in the instance-aware feature maps (eq. 12)
    keypoints: np.ndarray  # (N, K, H, W), each person's keypoint maps


@torch.no_grad()
def explain(model: nn.Module, image: Tensor) -> Explanation:
    """Runs a pose estimator with a ``CIDHead`` on one image, without flip test.

    Args:
        model: the estimator, on any device.
        image: (3, h, w) uint8 BGR, the network's input as the test pipeline packs it.
    """
    model.eval()
    batch = model.data_preprocessor(dict(inputs=[image], data_samples=[]), training=False)
    branches = model.extract_feat(batch['inputs'])
    seen = model.head(branches)
    heatmaps = to_scores(seen.heatmaps)
    masks = seen.masks
    if masks is None:
        masks = heatmaps[:0, 0]  # (0, H, W)
    strength = seen.instance_features.norm(dim=1)
    crowd = to_scores(seen.crowd)[0]

    return Explanation(
        image=_array(image.permute(1, 2, 0)),
        crowd=_array(crowd),
        roots=_array(seen.roots.cell),
        scores=_array(seen.roots.score),
        masks=_array(masks),
        features=_array(strength),
        keypoints=_array(heatmaps),
    )


def _array(tensor: Tensor) -> np.ndarray:
    return tensor.cpu().numpy()
