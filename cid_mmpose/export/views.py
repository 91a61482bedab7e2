"""The views of images in a graph: both go through the network, and through the convolutions of the head, as one batch.

Mirroring commutes with 1x1 convolutions and with bilinear upsampling, so that only the results are mirrored back: D
channels in place of all those of F, which ``models/views.py`` mirrors.

B images, V views of each, K keypoints, (H, W) heatmap cells.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from cid_mmpose.models.roots import Roots

from .sizes import as_tensor


@dataclass(frozen=True)
class BothViews:
    """The images, and behind them their mirror images where these are looked at too.

    Args:
        branches: (V * B, C_i, H_i, W_i) of F, the mirror images as they are.
        num_images: B.
        flip_indices: (K,), swaps left and right keypoints; None where V is 1.
    """

    branches: list[Tensor]
    num_images: int
    flip_indices: Sequence[int] | None

    @property
    def map_orders(self) -> list[Sequence[int] | None]:
        """Of each view, which map of it stands for each keypoint; None for its own."""
        return [None] if self.flip_indices is None else [None, self.flip_indices]

    def apart(self, maps: Tensor) -> list[Tensor]:
        """The maps of each view, mirrored back.

        Args:
            maps: (V * B, C, H, W).

        Returns:
            V of (B, C, H, W).
        """
        if self.flip_indices is None:
            return [maps]
        halves = maps.unflatten(0, (2, self.num_images))  # chunk would fix B
        return [halves[0], halves[1].flip(-1)]

    def roots(self, roots: Roots, view: int, width: int) -> Roots:
        """Where the roots of the images are in the branches of a view.

        Args:
            roots: of B images.
            view: 0, or 1 for the mirror images.
            width: W.
        """
        if view == 0:
            return roots
        x, y = roots.cell.unbind(1)
        mirrored = as_tensor(width, x.device) - 1 - x
        behind_images = roots.image + as_tensor(self.num_images, x.device)
        return roots._replace(cell=torch.stack([mirrored, y], 1), image=behind_images)
