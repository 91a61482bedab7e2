"""What CID sees on its way to the keypoints: center map, spatial masks, keypoint maps (figures 2, 3 and 4)."""
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from cid_mmpose.models.fast.branches import sample_at
from cid_mmpose.models.head import to_scores
from cid_mmpose.models.roots import find_roots


class Explanation(NamedTuple):
    """The intermediate maps of one image with N people, (H, W) heatmap cells, scores in [0, 1]."""
    image: np.ndarray  # (h, w, 3) uint8 BGR, the network's input
    crowd: np.ndarray  # (K + 1, H, W), everyone's keypoints, the center map last (eq. 6)
    roots: np.ndarray  # (N, 2) x, y in cells, best first
    scores: np.ndarray  # (N,), heights of the center map at the roots
    masks: np.ndarray  # (N, H, W), spatial masks (eq. 10); (0, H, W) for a model without them
    keypoints: np.ndarray  # (N, K, H, W), each person's keypoint maps


@torch.no_grad()
def explain(model: nn.Module, image: Tensor) -> Explanation:
    """Runs a pose estimator with a ``CIDHead`` on one image, without flip test.

    Args:
        model: the estimator, on any device.
        image: (3, h, w) uint8 BGR, the network's input as the test pipeline packs it.
    """
    model.eval()
    head, options = model.head, model.head.test
    batch = model.data_preprocessor(dict(inputs=[image], data_samples=[]), training=False)
    features = model.extract_feat(batch['inputs'])
    crowd = to_scores(head.iia(features))
    roots = find_roots(crowd[:, -1], options.max_people, options.min_score, options.blur)
    params = sample_at(features, roots)
    shared = {name: maps[0] for name, maps in head.gfd.share(features).items()}
    masks = head.gfd.mask(shared, head.gfd.address(params, roots))
    maps = to_scores(head.gfd(features, params, roots))
    masks = maps[:0, 0] if masks is None else masks.permute(2, 0, 1)
    arrays = [t.cpu().numpy() for t in (crowd[0], roots.cell, roots.score, masks, maps)]
    return Explanation(image.permute(1, 2, 0).cpu().numpy(), *arrays)
