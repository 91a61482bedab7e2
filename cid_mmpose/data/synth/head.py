"""The head: an ellipsoid with hair, face and ears that turn with it, so that it shows which way a person looks.

Directions on the head are unit vectors in its own axes (left, up, forward).
"""

from typing import NamedTuple

import numpy as np

from .outfit import Outfit
from .parts import HAIR, HEAD, Part
from .shapes import Ellipsoid, Shape, capsules, hull
from .skeleton import HEAD as SEMI
from .skeleton import Build, Skeleton


def _unit(*vector: float) -> np.ndarray:
    """(3,) the direction of a vector."""
    return np.array(vector) / np.linalg.norm(vector)


LEFT_EYE = _unit(0.40, 0.10, 0.88)
RIGHT_EYE = _unit(-0.40, 0.10, 0.88)
NOSE = 1.16 * _unit(0, -0.22, 0.97)  # longer than 1: the tip sticks out
LEFT_EAR = 1.03 * _unit(1, -0.05, -0.08)
RIGHT_EAR = 1.03 * _unit(-1, -0.05, -0.08)
BRIDGE = _unit(0, 0.16, 0.98)  # where the nose begins
MOUTH = _unit(0, -0.62, 0.85)
MOUTH_CORNERS = np.stack([_unit(-0.24, -0.62, 0.85), _unit(0.24, -0.62, 0.85)])
BROW = np.array([[0.18, 0.3, 0], [-0.18, 0.3, 0]])  # its ends, seen from the eye
CROWN, CROWN_ANGLE = _unit(0, 1, -0.12), 1.18  # what a cap covers: middle, angular radius in radians
PEAK = np.stack(
    [_unit(0.5, 0.5, 0.8), _unit(-0.5, 0.5, 0.8), 1.45 * _unit(0.3, 0.3, 0.9), 1.45 * _unit(-0.3, 0.3, 0.9)]
)  # corners of the peak of a cap
PEAK_AXIS = _unit(0, 0.4, 0.9)
FACE_POINTS = np.stack([NOSE, LEFT_EYE, RIGHT_EYE, LEFT_EAR, RIGHT_EAR])  # (5, 3) in COCO's order
BUMPS = np.stack([NOSE, LEFT_EAR, RIGHT_EAR])
# A feature is seen while its direction's cosine to the viewer exceeds this: the nose sticks out, ears stand off.
FACE_LIMITS = np.array([-0.35, 0.02, 0.02, -0.30, -0.30])
FACE_AXIS, FACE_ANGLE = _unit(0, -0.38, 0.92), 1.22  # the bare, hairless part: middle, angular radius in radians


class Fall(NamedTuple):
    """Hair that hangs down behind the head, in half-heights of the head."""

    start: float  # how far behind its center the hair begins
    length: float  # how far below its center the hair ends
    radii: tuple[float, float]  # at the start and at the end


FALLS = dict(
    long=Fall(0.15, 1.55, (0.85, 0.75)),
    tail=Fall(0.75, 1.3, (0.28, 0.16)),
)


def skull_of(bones: Skeleton, build: Build) -> Ellipsoid:
    """The head's ellipsoid in camera axes, in statures.

    Args:
        bones: keypoint positions.
        build: body proportions.
    """
    return Ellipsoid(bones.skull, bones.head_frame, SEMI * build.head)


def face_points(skull: Ellipsoid) -> np.ndarray:
    """Nose, eyes and ears, (5, 3), in camera axes.

    Args:
        skull: the head.
    """
    return skull.point(FACE_POINTS)


def face_seen(skull: Ellipsoid) -> np.ndarray:
    """Which of nose, eyes and ears are on the head's near side, (5,) bool.

    Args:
        skull: the head.
    """
    return FACE_POINTS @ skull.viewer > FACE_LIMITS


def head_parts(bones: Skeleton, skull: Ellipsoid, outfit: Outfit) -> list[Part]:
    """The head with its face, and hair that falls behind it.

    Args:
        bones: keypoint positions.
        skull: the head.
        outfit: hair, hat, glasses and colours.
    """
    role = 'skin' if outfit.hair == 'bald' else 'hair'
    shapes = [Shape(skull.outline(), role)]
    _add_bumps(shapes, skull)

    marks = []
    face = skull.cap(FACE_AXIS, FACE_ANGLE)
    if face is not None:
        marks.append(Shape(face, 'skin'))
    marks += _features(skull, outfit)

    if outfit.hat:  # owns pixels, and is painted once more over the face
        hat = _hat(skull)
        shapes += hat
        marks += hat

    parts = [Part(HEAD, bones.skull[2] - 0.04, shapes, marks)]
    if outfit.hair in FALLS:
        parts.append(_falling_hair(bones, skull, FALLS[outfit.hair]))
    return parts


def _add_bumps(shapes: list[Shape], skull: Ellipsoid) -> None:
    """Puts nose and ears among the shapes of the head: they stick out, so they own pixels."""
    seen = face_seen(skull)[[0, 3, 4]]
    for outline, point, is_seen in zip(_bumps(skull), BUMPS, seen):
        if not is_seen:
            continue
        bump = Shape(outline, 'skin', 0.86)
        if skull.facing(point) > 0:
            shapes.append(bump)
        else:  # on the far side they only peep out from behind the head
            shapes.insert(0, bump)


def _bumps(skull: Ellipsoid) -> np.ndarray:
    """Outlines (3, P, 2) of nose, left and right ear."""
    size = skull.semi[1]
    tips = skull.point(BUMPS)[:, :2]
    half_heights = np.array([[0, 0], [0, 0.10 * size], [0, 0.10 * size]])
    start = tips.copy()
    start[0] = skull.point(BRIDGE)[:2]
    start_radii = np.array([0.05, 0.17, 0.17]) * size
    end_radii = np.array([0.12, 0.14, 0.14]) * size
    return capsules(start - half_heights, tips + half_heights, start_radii, end_radii)


def _features(skull: Ellipsoid, outfit: Outfit) -> list[Shape]:
    """Eyes, brows, mouth, nose and glasses, as far as they face the viewer."""
    size = skull.semi[1]
    marks = []
    for eye in (LEFT_EYE, RIGHT_EYE):
        marks += _eye(skull, eye, outfit.glasses)
        if skull.facing(eye) > 0.2:
            brow = _line(skull, eye + BROW, 0.06 * size)
            marks.append(Shape(brow, 'hair'))

    if skull.facing(MOUTH) > 0.1:
        mouth = _line(skull, MOUTH_CORNERS, 0.07 * size)
        marks.append(Shape(mouth, 'lips'))

    if skull.facing(NOSE) > 0:  # once more, over the face
        nose = _bumps(skull)[0]
        marks.append(Shape(nose, 'skin', 0.82))
    return marks


def _eye(skull: Ellipsoid, eye: np.ndarray, glasses: bool) -> list[Shape]:
    """Frame of the glasses, white and pupil of the eye in direction ``eye`` (3,), as far as they are seen."""
    rows = [(0.21, 'white'), (0.125, 'pupil')]  # angular radius in radians, role
    if glasses:
        rows.insert(0, (0.30, 'pupil'))
    shapes = []
    for half_angle, role in rows:
        outline = skull.cap(eye, half_angle)
        if outline is not None:
            shapes.append(Shape(outline, role))
    return shapes


def _line(skull: Ellipsoid, ends: np.ndarray, radius: float) -> np.ndarray:
    """Outline (P, 2) of a line on the head between two directions, ``ends`` (2, 3)."""
    start, end = skull.point(ends)[:, None, :2]
    radii = np.array([radius])
    return capsules(start, end, radii, radii)[0]


def _hat(skull: Ellipsoid) -> list[Shape]:
    """A cap: the crown, wider than the head, and the peak, unless it is behind."""
    wider = Ellipsoid(skull.center, skull.frame, skull.semi * 1.1)
    shapes = []
    crown = wider.cap(CROWN, CROWN_ANGLE)
    if crown is not None:
        shapes.append(Shape(crown, 'hat'))
    if skull.facing(PEAK_AXIS) >= -0.1:
        peak = hull(wider.point(PEAK))
        shapes.append(Shape(peak, 'hat', 0.75))
    return shapes


def _falling_hair(bones: Skeleton, skull: Ellipsoid, fall: Fall) -> Part:
    """Long hair down to the shoulders, or a tail: behind the head, so seen whole only from behind."""
    size = skull.semi[1]
    back = -bones.head_frame[:, 2]
    up = bones.trunk_frame[:, 1]
    start = bones.skull + fall.start * size * back
    end = bones.skull - fall.length * size * up + 0.7 * size * back
    radii = np.array([fall.radii]) * size

    outline = capsules(start[None, :2], end[None, :2], radii[:, 0], radii[:, 1])[0]
    depth = bones.skull[2] + 2.5 * size * back[2]
    return Part(HAIR, depth, [Shape(outline, 'hair', 0.93)], [])
