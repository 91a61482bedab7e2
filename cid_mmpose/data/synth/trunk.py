"""The trunk as a stack of elliptic rings, so that its silhouette and its cloth turn with the body."""

import numpy as np

from .outfit import Outfit
from .parts import BAG, TRUNK, Part
from .shapes import CIRCLE, Shape, hull, ring
from .skeleton import TRUNK as LENGTH
from .skeleton import Build, Skeleton

# Rings: height along the trunk (0 hips, 1 shoulders), half-width, half-depth, in statures.
HEIGHTS = np.array([0.0, 0.35, 0.75, 0.98, 1.10])
WIDTHS = np.array([0.086, 0.080, 0.102, 0.108, 0.042])
DEPTHS = np.array([0.064, 0.058, 0.072, 0.052, 0.040])
FRONT = np.pi / 2  # angle of the foremost point of a ring
BACK = np.array([-0.4, -0.2, 1.2, 1.0]) * np.pi  # angles of four points of a ring's rear half


def trunk_part(bones: Skeleton, build: Build, outfit: Outfit) -> Part:
    """Pelvis, shirt, neck, and what is printed on the shirt.

    Args:
        bones: keypoint positions.
        build: body proportions.
        outfit: what to wear.
    """
    pelvis = Shape(_pelvis(bones, build), 'bottom', edge=False)
    neck = Shape(_neck(bones), 'skin', 0.88)
    shapes = [pelvis, neck]
    rings = [_ring(bones, build, height) for height in HEIGHTS]
    for low, high in zip(rings[:-1], rings[1:]):
        outline = hull(low, high)
        shapes.append(Shape(outline, 'top'))

    marks = []
    if outfit.pattern == 'stripes':
        marks += _stripes(bones, build)
    if bones.trunk_frame[2, 2] < -0.2:  # the chest faces the viewer
        marks += _chest(bones, build, outfit)
    return Part(TRUNK, 0.5 * bones.neck[2], shapes, marks)


def bag_part(bones: Skeleton, build: Build) -> Part:
    """A rucksack on the back."""
    low = _ring(bones, build, 0.3, BACK)
    high = _ring(bones, build, 0.95, BACK)
    away = -0.07 * bones.trunk_frame[:, 2]
    outline = hull(_narrowed(low) + away, _narrowed(high) + away, low, high)
    depth = 0.6 * bones.neck[2] + 2 * away[2]
    return Part(BAG, depth, [Shape(outline, 'bag')], [])


def _narrowed(points: np.ndarray) -> np.ndarray:
    """(n, 3) points, brought nearer to their mean."""
    middle = points.mean(0)
    return 0.8 * (points - middle) + middle


def _ring(bones: Skeleton, build: Build, height: float, angles: np.ndarray = CIRCLE) -> np.ndarray:
    """Points (n, 3) of the trunk's surface at one height; the hips' ring follows the pelvis, the others the trunk."""
    frame = bones.pelvis_frame if height == 0 else bones.trunk_frame
    width = np.interp(height, HEIGHTS, WIDTHS) * build.width
    depth = np.interp(height, HEIGHTS, DEPTHS) * build.width
    center = height * LENGTH * frame[:, 1]
    return ring(center, width * frame[:, 0], depth * frame[:, 2], angles)


def _pelvis(bones: Skeleton, build: Build) -> np.ndarray:
    """Outline (P, 2) from just above the hips to the crotch."""
    left, up, forward = bones.pelvis_frame.T * build.width
    waist = ring(0.03 * up, 0.084 * left, 0.062 * forward)
    hips = ring(-0.02 * up, 0.088 * left, 0.066 * forward)
    crotch = ring(-0.06 * up, 0.055 * left, 0.05 * forward)
    return hull(waist, hips, crotch)


def _neck(bones: Skeleton) -> np.ndarray:
    """Outline (P, 2) of the neck, from the shoulders into the head."""
    across = 0.030 * bones.trunk_frame[:, 0]
    deep = 0.032 * bones.trunk_frame[:, 2]
    low = ring(bones.neck, across, deep)
    high = ring(0.35 * bones.neck + 0.65 * bones.skull, across, deep)
    return hull(low, high)


def _stripes(bones: Skeleton, build: Build) -> list[Shape]:
    """Horizontal stripes all around."""
    left, _, forward = bones.trunk_frame.T
    nearest = np.arctan2(-forward[2], -left[2])  # the ring's angle that faces the viewer
    near_half = nearest + np.linspace(-np.pi / 2, np.pi / 2, 8)
    stripes = []
    for height in (0.10, 0.34, 0.58, 0.82):
        low = _ring(bones, build, height, near_half)
        high = _ring(bones, build, height + 0.1, near_half[::-1])
        outline = np.concatenate([low, high])[:, :2]
        stripes.append(Shape(outline, 'trim'))
    return stripes


def _chest(bones: Skeleton, build: Build, outfit: Outfit) -> list[Shape]:
    """What only the front of a shirt shows: neckline, and an open jacket or a print."""

    def front(height: float, half: float) -> np.ndarray:
        """(2, 2) points at one height, ``half`` radians to either side of the middle."""
        angles = FRONT + np.array([-half, half])
        return _ring(bones, build, height, angles)[:, :2]

    collar = front(1.09, 0.8)
    tip = front(0.93, 0.1)[::-1]
    neckline = Shape(np.concatenate([collar, tip]), 'skin')
    if outfit.pattern == 'open':
        sides = np.stack([front(height, 0.30) for height in (0.02, 0.35, 0.75, 0.95)])
        gap = np.concatenate([sides[:, 0], sides[::-1, 1]])
        return [Shape(gap, 'trim'), neckline]
    if outfit.pattern == 'print':
        outline = hull(front(0.55, 0.45), front(0.65, 0.6), front(0.75, 0.45))
        return [neckline, Shape(outline, 'trim')]
    return [neckline]
