"""The head: an ellipsoid with hair, face and ears that turn with it, so that it shows which way a person looks.

Directions on the head are unit vectors in its own axes (left, up, forward).
"""

import numpy as np

from .outfit import Outfit
from .parts import HAIR, HEAD, Part
from .shapes import Ellipsoid, Shape, capsules, hull
from .skeleton import HEAD as SEMI
from .skeleton import Build, Skeleton


def _unit(*vector: float) -> np.ndarray:
    return np.array(vector) / np.linalg.norm(vector)


LEFT_EYE, RIGHT_EYE = _unit(0.40, 0.10, 0.88), _unit(-0.40, 0.10, 0.88)
NOSE = 1.16 * _unit(0, -0.22, 0.97)  # longer than 1: the tip sticks out
LEFT_EAR, RIGHT_EAR = 1.03 * _unit(1, -0.05, -0.08), 1.03 * _unit(-1, -0.05, -0.08)
FACE_POINTS = np.stack([NOSE, LEFT_EYE, RIGHT_EYE, LEFT_EAR, RIGHT_EAR])  # (5, 3) in COCO's order
BUMPS = np.stack([NOSE, LEFT_EAR, RIGHT_EAR])
# A feature is seen while its direction's cosine to the viewer exceeds this: the nose sticks out, ears stand off.
FACE_LIMITS = np.array([-0.35, 0.02, 0.02, -0.30, -0.30])
FACE_AXIS, FACE_ANGLE = _unit(0, -0.38, 0.92), 1.22  # the bare, hairless part: middle, angular radius in radians


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
    hair = 'skin' if outfit.hair == 'bald' else 'hair'
    shapes, marks = [Shape(skull.outline(), hair)], []
    face = skull.cap(FACE_AXIS, FACE_ANGLE)
    if face is not None:
        marks.append(Shape(face, 'skin'))
    for bump, point, visible in zip(_bumps(skull), BUMPS, face_seen(skull)[[0, 3, 4]]):
        # They stick out, so they own pixels; on the far side they only peep out from behind the head.
        if visible:
            shapes.insert(len(shapes) if skull.facing(point) > 0 else 0, Shape(bump, 'skin', 0.86))
    marks += _features(skull, outfit)
    hat = _hat(skull) if outfit.hat else []
    shapes, marks = shapes + hat, marks + hat  # own pixels, and once more over the face
    parts = [Part(HEAD, bones.skull[2] - 0.04, shapes, marks)]
    return parts + _fall(bones, skull, outfit)


def _bumps(skull: Ellipsoid) -> np.ndarray:
    """Outlines (3, P, 2) of nose, left and right ear."""
    size = skull.semi[1]
    tips = skull.point(BUMPS)[:, :2]
    tall = np.array([[0, 0], [0, 0.10 * size], [0, 0.10 * size]])
    bridge = skull.point(_unit(0, 0.16, 0.98))[:2]
    start = np.stack([bridge, *tips[1:]]) - tall
    return capsules(start, tips + tall, np.array([0.05, 0.17, 0.17]) * size, np.array([0.12, 0.14, 0.14]) * size)


def _features(skull: Ellipsoid, outfit: Outfit) -> list[Shape]:
    """Eyes, brows, mouth, nose and glasses, as far as they face the viewer."""
    marks, size = [], skull.semi[1]
    for eye in (LEFT_EYE, RIGHT_EYE):
        frame = [(eye, 0.30, 'pupil')] if outfit.glasses else []
        rows = frame + [(eye, 0.21, 'white'), (eye, 0.125, 'pupil')]
        marks += [Shape(cap, role) for axis, half, role in rows if (cap := skull.cap(axis, half)) is not None]
        brow = skull.point(np.stack([eye + [0.18, 0.3, 0], eye + [-0.18, 0.3, 0]]))[:, :2]
        if skull.facing(eye) > 0.2:
            marks.append(Shape(capsules(brow[:1], brow[1:], *np.full((2, 1), 0.06 * size))[0], 'hair'))
    mouth = skull.point(np.stack([_unit(side, -0.62, 0.85) for side in (-0.24, 0.24)]))[:, :2]
    if skull.facing(_unit(0, -0.62, 0.85)) > 0.1:
        marks.append(Shape(capsules(mouth[:1], mouth[1:], *np.full((2, 1), 0.07 * size))[0], 'lips'))
    if skull.facing(NOSE) > 0:
        marks.append(Shape(_bumps(skull)[0], 'skin', 0.82))  # once more, over the face
    return marks


def _hat(skull: Ellipsoid) -> list[Shape]:
    """A cap: the crown, wider than the head, and the peak, unless it is behind."""
    crown = Ellipsoid(skull.center, skull.frame, skull.semi * 1.1)
    cap = crown.cap(_unit(0, 1, -0.12), 1.18)
    shapes = [] if cap is None else [Shape(cap, 'hat')]
    if skull.facing(_unit(0, 0.4, 0.9)) < -0.1:
        return shapes
    front = crown.point(
        np.stack(
            [_unit(0.5, 0.5, 0.8), _unit(-0.5, 0.5, 0.8), 1.45 * _unit(0.3, 0.3, 0.9), 1.45 * _unit(-0.3, 0.3, 0.9)]
        )
    )
    return shapes + [Shape(hull(front), 'hat', 0.75)]


def _fall(bones: Skeleton, skull: Ellipsoid, outfit: Outfit) -> list[Part]:
    """Long hair down to the shoulders, or a tail: behind the head, so seen whole only from behind."""
    if outfit.hair not in ('long', 'tail'):
        return []
    back, up = -bones.head_frame[:, 2], bones.trunk_frame[:, 1]
    size = skull.semi[1]
    start = bones.skull + (0.15 if outfit.hair == 'long' else 0.75) * size * back
    end = bones.skull - (1.55 if outfit.hair == 'long' else 1.3) * size * up + 0.7 * size * back
    radii = np.array([[0.85, 0.75] if outfit.hair == 'long' else [0.28, 0.16]]) * size
    outline = capsules(start[None, :2], end[None, :2], radii[:, 0], radii[:, 1])[0]
    depth = bones.skull[2] + 2.5 * size * back[2]
    return [Part(HAIR, depth, [Shape(outline, 'hair', 0.93)], [])]
