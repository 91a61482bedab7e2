"""The trunk as a stack of elliptic rings, so that its silhouette and its cloth turn with the body."""

import numpy as np

from .outfit import Outfit
from .parts import BAG, TRUNK, Part
from .shapes import Shape, hull, ring
from .skeleton import TRUNK as LENGTH
from .skeleton import Build, Skeleton

# Rings: height along the trunk (0 hips, 1 shoulders), half-width, half-depth, in statures.
HEIGHTS = np.array([0.0, 0.35, 0.75, 0.98, 1.10])
WIDTHS = np.array([0.086, 0.080, 0.102, 0.108, 0.042])
DEPTHS = np.array([0.064, 0.058, 0.072, 0.052, 0.040])
FRONT = np.pi / 2  # angle of the foremost point of a ring


def trunk_part(bones: Skeleton, build: Build, outfit: Outfit) -> Part:
    """Pelvis, shirt, neck, and what is printed on the shirt.

    Args:
        bones: keypoint positions.
        build: body proportions.
        outfit: what to wear.
    """
    rings = [_ring(bones, build, height) for height in HEIGHTS]
    shapes = [Shape(_pelvis(bones, build), 'bottom', edge=False), Shape(_neck(bones), 'skin', 0.88)]
    shapes += [Shape(hull(low, high), 'top') for low, high in zip(rings[:-1], rings[1:])]
    marks = _stripes(bones, build) if outfit.pattern == 'stripes' else []
    if bones.trunk_frame[2, 2] < -0.2:  # the chest faces the viewer
        marks += _chest(bones, build, outfit)
    return Part(TRUNK, 0.5 * bones.neck[2], shapes, marks)


def bag_part(bones: Skeleton, build: Build) -> Part:
    """A rucksack on the back."""
    low, high = (_ring(bones, build, height, np.array([-0.4, -0.2, 1.2, 1.0]) * np.pi, 1.0) for height in (0.3, 0.95))
    away = -0.07 * bones.trunk_frame[:, 2]
    outline = hull(
        0.8 * (low - low.mean(0)) + low.mean(0) + away, 0.8 * (high - high.mean(0)) + high.mean(0) + away, low, high
    )
    depth = 0.6 * bones.neck[2] + 2 * away[2]
    return Part(BAG, depth, [Shape(outline, 'bag')], [])


def _ring(bones: Skeleton, build: Build, height: float, angles: np.ndarray = None, grow: float = 1.0) -> np.ndarray:
    """Points (n, 3) of the trunk's surface at one height; the hips' ring follows the pelvis, the others the trunk."""
    frame = bones.pelvis_frame if height == 0 else bones.trunk_frame
    width, depth = (np.interp(height, HEIGHTS, sizes) * build.width * grow for sizes in (WIDTHS, DEPTHS))
    center = height * LENGTH * frame[:, 1]
    axes = width * frame[:, 0], depth * frame[:, 2]
    return ring(center, *axes) if angles is None else ring(center, *axes, angles)


def _pelvis(bones: Skeleton, build: Build) -> np.ndarray:
    """Outline (P, 2) from just above the hips to the crotch."""
    left, up, forward = bones.pelvis_frame.T * build.width
    top = ring(0.03 * up, 0.084 * left, 0.062 * forward)
    return hull(top, ring(-0.02 * up, 0.088 * left, 0.066 * forward), ring(-0.06 * up, 0.055 * left, 0.05 * forward))


def _neck(bones: Skeleton) -> np.ndarray:
    """Outline (P, 2) of the neck, from the shoulders into the head."""
    axes = 0.030 * bones.trunk_frame[:, 0], 0.032 * bones.trunk_frame[:, 2]
    return hull(ring(bones.neck, *axes), ring(0.35 * bones.neck + 0.65 * bones.skull, *axes))


def _stripes(bones: Skeleton, build: Build) -> list[Shape]:
    """Horizontal stripes all around."""
    left, _, forward = bones.trunk_frame.T
    nearest = np.arctan2(-forward[2], -left[2])  # the ring's angle that faces the viewer
    near_half = nearest + np.linspace(-np.pi / 2, np.pi / 2, 8)
    return [
        Shape(
            np.concatenate(
                [_ring(bones, build, height, near_half), _ring(bones, build, height + 0.1, near_half[::-1])]
            )[:, :2],
            'trim',
        )
        for height in (0.10, 0.34, 0.58, 0.82)
    ]


def _chest(bones: Skeleton, build: Build, outfit: Outfit) -> list[Shape]:
    """What only the front of a shirt shows: neckline, and an open jacket or a print."""

    def front(height: float, half: float) -> np.ndarray:
        return _ring(bones, build, height, FRONT + np.array([-half, half]), 1.0)[:, :2]

    marks = [Shape(np.concatenate([front(1.09, 0.8), front(0.93, 0.1)[::-1]]), 'skin')]
    if outfit.pattern == 'open':
        steps = (0.02, 0.35, 0.75, 0.95)
        sides = np.stack([front(height, 0.30) for height in steps])
        marks.insert(0, Shape(np.concatenate([sides[:, 0], sides[::-1, 1]]), 'trim'))
    if outfit.pattern == 'print':
        marks.append(Shape(hull(front(0.55, 0.45), front(0.65, 0.6), front(0.75, 0.45)), 'trim'))
    return marks
