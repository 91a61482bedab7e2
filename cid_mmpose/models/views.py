"""Views of an image: the image itself, and its mirror image in a flip test (section 4.2, "testing").

What the views say is averaged, first their center maps and then each person's heatmaps. So every view has feature maps
that are already mirrored back.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor


class Views(NamedTuple):
    """V views of B images, one view after another: view v of image b is v * B + b of the batch."""

    branches: Sequence[Tensor]  # (V * B, C_i, H_i, W_i) of F, already mirrored back
    map_orders: Sequence[Sequence[int] | None]  # V, which map stands for each keypoint; None for its own

    @property
    def num_views(self) -> int:
        """V."""
        return len(self.map_orders)

    @property
    def num_images(self) -> int:
        """B."""
        return len(self.branches[0]) // self.num_views


def plain_view(branches: Sequence[Tensor]) -> Views:
    """The images themselves.

    Args:
        branches: (B, C_i, H_i, W_i) of F.
    """
    return Views(branches, [None])


def mirrored_view(branches: Sequence[Tensor], flip_indices: Sequence[int]) -> Views:
    """The mirror images.

    Args:
        branches: (B, C_i, H_i, W_i) of F of the mirror images.
        flip_indices: (K,), swaps left and right keypoints.
    """
    mirrored_back = [branch.flip(-1) for branch in branches]
    return Views(mirrored_back, [flip_indices])


def stack_views(views: Sequence[Views]) -> Views:
    """Views of the same images as one batch, so that what the network does to all of them is done once.

    Args:
        views: V together.
    """
    if len(views) == 1:
        return views[0]
    of_each_branch = zip(*(each.branches for each in views))
    branches = [torch.cat(of_views) for of_views in of_each_branch]
    return Views(branches, [order for each in views for order in each.map_orders])


def views_of(features: Sequence, flip_indices: Sequence[int] | None) -> Views:
    """The views in what MMPose's own estimators hand to a head; ``CID`` makes its views itself.

    Args:
        features: branches of F; with a flip test a pair of them, of the images and of their mirror images.
        flip_indices: (K,) with a flip test, None without.
    """
    if flip_indices is None:
        return plain_view(features)
    images, mirror_images = features
    return stack_views([plain_view(images), mirrored_view(mirror_images, flip_indices)])


def mean_of(maps: Sequence[Tensor]) -> Tensor:
    """The mean of what the views say.

    Args:
        maps: of one shape, float32; the first is changed in place.
    """
    if len(maps) == 1:
        return maps[0]
    total = maps[0]
    for each in maps[1:]:
        total += each
    return total.div_(len(maps))
