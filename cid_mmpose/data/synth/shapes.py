"""Outlines of drawn shapes: 2-D polygons, and the outlines of 3-D rings and ellipsoids seen from far away.

Legend: P points of one outline, L capsules. Camera axes: x to the right, y down, z away from the viewer; 2-D outlines
are the (x, y) of those axes (a far camera: no perspective within one person). Units are whatever the caller uses.
"""

from typing import NamedTuple

import cv2
import numpy as np

ARC = np.linspace(-1, 1, 7)  # positions along a capsule's end, in half-arcs; odd, so that the tip is one of them
CIRCLE = np.linspace(0, 2 * np.pi, 16, endpoint=False)
ROUND = np.stack([np.cos(CIRCLE), np.sin(CIRCLE)])  # (2, 16) unit circle


class Shape(NamedTuple):
    """One filled outline and how to colour it."""

    outline: np.ndarray  # (P, 2) float, (x, y)
    role: str  # which colour of the outfit fills it
    shade: float = 1.0  # brightness factor of that colour
    edge: bool = True  # whether a darker contour sets it off from what lies behind


def capsules(start: np.ndarray, end: np.ndarray, radius_start: np.ndarray, radius_end: np.ndarray) -> np.ndarray:
    """Outlines of limbs: two discs and their common tangents, (L, 14, 2).

    Args:
        start: (L, 2) centers of the first discs.
        end: (L, 2) centers of the second discs; may equal ``start`` (a disc).
        radius_start: (L,) radii of the first discs.
        radius_end: (L,) radii of the second discs.
    """
    x, y = (end - start).T
    length = np.maximum(np.hypot(x, y), 1e-6)
    heading = np.arctan2(y, x)[:, None]
    cosine = np.clip((radius_start - radius_end) / length, -1, 1)
    tangent = np.arccos(cosine)[:, None]  # angle between the heading and where the tangents touch

    far = heading + tangent * ARC
    near = heading + np.pi + (np.pi - tangent) * ARC
    angles = np.concatenate([far, near], axis=1)
    directions = np.stack([np.cos(angles), np.sin(angles)], axis=-1)

    radii = np.stack([radius_end, radius_start], 1)
    radii = np.repeat(radii, len(ARC), axis=1)
    centers = np.stack([end, start], 1)
    centers = np.repeat(centers, len(ARC), axis=1)
    return centers + radii[..., None] * directions


def ring(center: np.ndarray, across: np.ndarray, deep: np.ndarray, angles: np.ndarray = CIRCLE) -> np.ndarray:
    """Points of an elliptic cross-section in 3-D, (len(angles), 3).

    Args:
        center: (3,) its middle.
        across: (3,) semi-axis met at angle 0.
        deep: (3,) semi-axis met at angle pi / 2.
        angles: where on the ellipse, in radians.
    """
    return center + np.cos(angles)[:, None] * across + np.sin(angles)[:, None] * deep


def hull(*points: np.ndarray) -> np.ndarray:
    """Convex outline, (P, 2), of any number of (n, 2) or (n, 3) point sets; a third coordinate (depth) is dropped."""
    flat = np.concatenate([part[:, :2] for part in points])
    corners = cv2.convexHull(flat.astype(np.float32))
    return corners[:, 0].astype(float)


class Ellipsoid:
    """An ellipsoid in camera axes whose surface is addressed by unit directions in its own axes.

    Args:
        center: (3,) in camera axes.
        frame: (3, 3), columns are its axes (left, up, forward) in camera axes, orthonormal.
        semi: (3,) half-lengths along those axes.
    """

    def __init__(self, center: np.ndarray, frame: np.ndarray, semi: np.ndarray):
        self.center = center
        self.frame = frame
        self.semi = semi
        self.matrix = frame * semi  # unit direction -> camera axes
        normal = -frame[2] / semi  # its dot product with a direction is > 0 where the surface is seen
        self.viewer = normal / np.linalg.norm(normal)
        self.rim = _circle_around(self.viewer, 0.0)

    def point(self, direction: np.ndarray) -> np.ndarray:
        """(..., 3) camera-axes points of (..., 3) directions (length 1 is the surface, more sticks out)."""
        return self.center + direction @ self.matrix.T

    def facing(self, direction: np.ndarray) -> float:
        """Cosine-like number: > 0 where the surface at this (3,) direction faces the viewer, at most its length."""
        return float(direction @ self.viewer)

    def outline(self) -> np.ndarray:
        """(16, 2) silhouette."""
        return self.point(self.rim)[:, :2]

    def cap(self, axis: np.ndarray, half_angle: float) -> np.ndarray | None:
        """Seen part, (P, 2), of the round patch within ``half_angle`` of ``axis``; None when nothing is seen.

        Args:
            axis: (3,) unit direction of the patch's middle.
            half_angle: its angular radius, in radians.
        """
        cosine = np.cos(half_angle)
        edge = _circle_around(axis, cosine)
        seen = edge[edge @ self.viewer > 0]
        if len(seen) < len(edge):
            rim = self.rim[self.rim @ axis > cosine]
            seen = np.concatenate([seen, rim])
        if len(seen) < 3:
            return None
        return hull(self.point(seen))


def _circle_around(axis: np.ndarray, height: float) -> np.ndarray:
    """(16, 3) unit directions whose cosine to the unit ``axis`` is ``height``."""
    x, y, z = axis.tolist()
    # Two directions at right angles to the axis without a branch: Duff et al., JCGT 6(1), 2017.
    sign = 1.0 if z >= 0 else -1.0
    a = -1 / (sign + z)
    first = [1 + sign * x * x * a, sign * x * y * a, -sign * x]
    second = [x * y * a, sign + y * y * a, -y]
    around = ROUND.T @ np.array([first, second])
    return height * axis + np.sqrt(1 - height**2) * around
