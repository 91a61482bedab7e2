"""Views of an image: the image itself, and its mirror image in a flip test (section 4.2, "testing").

What the views say is averaged, first their center maps and then each person's heatmaps. So every view has feature maps
that are already mirrored back.
"""

from collections.abc import Sequence
from typing import NamedTuple

from torch import Tensor


class View(NamedTuple):
    """One view of B images."""

    branches: Sequence[Tensor]  # (B, C_i, H_i, W_i) of F, already mirrored back
    map_order: Sequence[int] | None = None  # (K,), which map of the view stands for each keypoint; None for its own


def plain_view(branches: Sequence[Tensor]) -> View:
    """The images themselves.

    Args:
        branches: (B, C_i, H_i, W_i) of F.
    """
    return View(branches)


def mirrored_view(branches: Sequence[Tensor], flip_indices: Sequence[int]) -> View:
    """The mirror images.

    Args:
        branches: (B, C_i, H_i, W_i) of F of the mirror images.
        flip_indices: (K,), swaps left and right keypoints.
    """
    mirrored_back = [branch.flip(-1) for branch in branches]
    return View(mirrored_back, flip_indices)


def views_of(features: Sequence, flip_indices: Sequence[int] | None) -> list[View]:
    """The views in what MMPose's own estimators hand to a head; ``CID`` makes its views itself.

    Args:
        features: branches of F; with a flip test a pair of them, of the images and of their mirror images.
        flip_indices: (K,) with a flip test, None without.
    """
    if flip_indices is None:
        return [plain_view(features)]
    images, mirror_images = features
    return [plain_view(images), mirrored_view(mirror_images, flip_indices)]


def mean_of(maps: list[Tensor]) -> Tensor:
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
