"""CID as a graph: images in, rows of people out, and nothing in between depends on what the images show.

B images, P rows of each, K keypoints. The modules of the paper and of ``models/fast`` are taken as they are. Two steps
differ from ``CIDHead.find_people``: there is a fixed number of rows, and a few of them have their whole maps at a time.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from cid_mmpose.codecs import to_pixel
from cid_mmpose.models import CID
from cid_mmpose.models.fast.branches import convolve_branches
from cid_mmpose.models.fast.folded import folded_copy
from cid_mmpose.models.gfd import to_scores
from cid_mmpose.models.views import mean_of

from .heatmaps import row_peaks, terms_of
from .roots import root_rows
from .views import BothViews


class Rows(NamedTuple):
    """What the graph says of B images; the names are those of its outputs."""

    keypoints: Tensor  # (B, P, K, 2) in pixels of the network's input
    keypoint_scores: Tensor  # (B, P, K) in [0, 1]; 0 in rows without a person
    scores: Tensor  # (B, P) in [0, 1], mean of the keypoints'; 0 in rows without a person
    centers: Tensor  # (B, P, 2) in pixels of the network's input


class ExportedCID(nn.Module):
    """A CID in evaluation, without data samples and options: what was chosen is fixed.

    Args:
        network: whose weights are taken, on the CPU.
        max_people: P.
        min_score: a row is a person if its root's score lies above it.
        blur: side in cells, odd, of the box blur.
        flip_indices: (K,), swaps left and right keypoints where mirror images are looked at too; None without.
        free_size: whether height and width are not fixed.
        dtype: of the backbone; the head stays in float32.
    """

    def __init__(
        self,
        network: CID,
        *,
        max_people: int,
        min_score: float,
        blur: int,
        flip_indices: Sequence[int] | None,
        free_size: bool,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        self.backbone = folded_copy(network.backbone, dtype)
        self.neck = network.neck if network.with_neck else None
        self.iia = network.head.iia
        self.gfd = network.head.gfd
        self.decoder = network.head.decoder
        self.dtype = dtype
        self.max_people = max_people
        self.min_score = min_score
        self.blur = blur
        self.flip_indices = flip_indices
        self.free_size = free_size

        preprocessor = network.data_preprocessor
        self.swaps_colours = preprocessor._channel_conversion
        self.mean: Tensor
        self.std: Tensor
        self.register_buffer('mean', preprocessor.mean.clone())
        self.register_buffer('std', preprocessor.std.clone())

    def forward(self, images: Tensor) -> Rows:
        """The people of images (B, h, w, 3) uint8 BGR."""
        views = self._views(self._normalised(images))

        # the center map of each view, and their mean; its peaks are the roots
        logits = convolve_branches(views.branches, self.iia.conv, slice(-1, None))
        centers = [to_scores(map_of_view[:, 0]) for map_of_view in views.apart(logits)]
        height, width = centers[0].shape[-2:]
        roots, is_found = root_rows(mean_of(centers), self.max_people, self.min_score, self.blur, self.free_size)
        assert roots.score is not None

        # the heatmaps of each view, and their mean; their peaks are the keypoints
        terms = terms_of(self.gfd, views, roots, self.max_people)
        peaks = row_peaks(self.gfd, terms, (height, width), self.max_people, self.blur)
        decoded = self.decoder.decode_peaks(peaks, (width, height), roots.score)

        # a row is a person or empty
        rows = (-1, self.max_people)
        keypoint_scores = decoded.scores.unflatten(0, rows)
        keypoint_scores = torch.where(is_found[:, :, None], keypoint_scores, 0)
        return Rows(
            keypoints=decoded.keypoints.unflatten(0, rows),
            keypoint_scores=keypoint_scores,
            scores=keypoint_scores.mean(2),
            centers=to_pixel(roots.cell, self.decoder.stride).unflatten(0, rows),
        )

    def _normalised(self, images: Tensor) -> Tensor:
        """(B, 3, h, w), as the network's preprocessor makes them."""
        inputs = images.float().permute(0, 3, 1, 2)  # float first: TensorRT does nothing else with uint8
        if self.swaps_colours:
            inputs = inputs.flip(1)
        return (inputs - self.mean) / self.std

    def _views(self, inputs: Tensor) -> BothViews:
        num_images = inputs.shape[0]
        if self.flip_indices is not None:
            inputs = torch.cat([inputs, inputs.flip(-1)])
        return BothViews(self._branches(inputs), num_images, self.flip_indices)

    def _branches(self, inputs: Tensor) -> list[Tensor]:
        """The branches of F in float32."""
        features = self.backbone(inputs.to(self.dtype))
        branches = [branch.float() for branch in features]
        return branches if self.neck is None else list(self.neck(branches))
