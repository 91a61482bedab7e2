"""A dressed person as drawable parts: outlines in image axes, nearest part last, and the 17 COCO keypoints.

Legend: P points of an outline. Lengths are in statures (1 = the person's standing height), the pelvis is the origin;
x goes right, y down, z away from the viewer.
"""

from typing import NamedTuple

import numpy as np

from .head import face_points, face_seen, head_parts, skull_of
from .outfit import Outfit, sample_outfit
from .parts import FOREARM, HEAD, PARTS, SHANK, SKIRT, THIGH, TRUNK, UPPER_ARM, Part
from .pose import sample_pose
from .shapes import Ellipsoid, Shape, capsules, hull
from .skeleton import SIDES, Build, Skeleton, assemble
from .trunk import bag_part, trunk_part

# Radii in statures at the two ends of each limb, before the width of the build; cloth adds its own thickness.
UPPER_ARM_RADII, FOREARM_RADII, HAND_RADII = (0.031, 0.026), (0.026, 0.018), (0.019, 0.016)
THIGH_RADII, SHANK_RADII, FOOT_RADII = (0.050, 0.036), (0.036, 0.023), (0.024, 0.018)
CLOTH = 0.007  # statures that a sleeve or trouser leg stands off
FAR_SIDE = 0.075  # statures behind the trunk's middle from which the trunk hides a shoulder or hip
FAR_SHADE = 0.9  # darkening per stature / 5 of depth, so that the far arm reads as the far one


class Figure(NamedTuple):
    """One person, ready to be placed."""

    parts: list[Part]  # farthest first
    keypoints: np.ndarray  # (17, 2) COCO keypoints
    witness: np.ndarray  # (17, len(PARTS)) bool: seeing this part at the keypoint's pixel means the keypoint is seen
    outfit: Outfit
    extent: np.ndarray  # (4,) x1, y1, x2, y2 of everything drawn
    seat: bool


def sample_figure(rng: np.random.Generator, yaw: float, tilt: float) -> Figure:
    """A person of chance build, pose and clothes.

    Args:
        rng: source of chance.
        yaw: which way the person faces, in radians: 0 the viewer, +pi / 2 the image's right.
        tilt: how far the camera looks down, in radians.
    """
    pose, outfit = sample_pose(rng), sample_outfit(rng)
    child = rng.random() < 0.12
    build = Build(
        rng.uniform(0.85, 1.25),
        rng.uniform(1.2, 1.45) if child else rng.uniform(0.98, 1.12),
        0.93 if child else rng.uniform(0.96, 1.05),
    )
    return dress(assemble(pose, build, yaw, tilt), build, outfit, pose.seated)


def dress(bones: Skeleton, build: Build, outfit: Outfit, seat: bool = False) -> Figure:
    """Put flesh and clothes on a skeleton.

    Args:
        bones: keypoint positions.
        build: body proportions.
        outfit: what to wear.
        seat: whether the person sits.
    """
    skull = skull_of(bones, build)
    parts = [trunk_part(bones, build, outfit), *_limbs(bones, build, outfit), *head_parts(bones, skull, outfit)]
    if outfit.legs == 'skirt':
        parts.append(_skirt(bones, build))
    if outfit.bag:
        parts.append(bag_part(bones, build))
    parts.sort(key=lambda part: -part.depth)
    face = face_points(skull)
    limbs = [bones.shoulders, bones.elbows, bones.wrists, bones.hips, bones.knees, bones.ankles]
    keypoints = np.concatenate([face, *limbs])
    points = np.concatenate([shape.outline for part in parts for shape in part.shapes])
    extent = np.concatenate([points.min(0), points.max(0)])
    return Figure(parts, keypoints[:, :2], _witness(bones, skull), outfit, extent, seat)


def _witness(bones: Skeleton, skull: Ellipsoid) -> np.ndarray:
    """(17, len(PARTS)) bool, see ``Figure``."""
    witness = np.zeros((17, len(PARTS)), bool)
    witness[:5, HEAD] = face_seen(skull)
    for side in range(2):
        shoulder, elbow, wrist, hip, knee, ankle = range(5 + side, 17, 2)
        witness[shoulder, UPPER_ARM[side]] = True
        witness[shoulder, TRUNK] = bones.shoulders[side, 2] - bones.neck[2] < FAR_SIDE
        witness[elbow, [UPPER_ARM[side], FOREARM[side]]] = True
        witness[wrist, FOREARM[side]] = True
        witness[hip, THIGH[side]] = True
        witness[hip, [TRUNK, SKIRT]] = bones.hips[side, 2] < 0.5 * FAR_SIDE
        witness[knee, [THIGH[side], SHANK[side]]] = True
        witness[ankle, SHANK[side]] = True
    return witness


def _limbs(bones: Skeleton, build: Build, outfit: Outfit) -> list[Part]:
    """Arms and legs, eight parts."""
    rows = []  # (part, depth, start, end, radii, role)
    for side in range(2):
        rows += _arm_rows(bones, outfit, side) + _leg_rows(bones, outfit, side)
    start, end = (np.array([row[i][:2] for row in rows]) for i in (2, 3))
    radii = np.array([row[4] for row in rows]) * np.sqrt(build.width)
    solid = capsules(start, end, radii[:, 0], radii[:, 1])
    inner = np.array([-0.22, -0.1]) * radii.mean(1, keepdims=True)  # a lighter core, as if lit from the upper left
    core = capsules(start + inner, end + inner, 0.6 * radii[:, 0], 0.6 * radii[:, 1])
    parts = {}
    for (kind, depth, *_, role), outline, glow in zip(rows, solid, core):
        shade = np.clip(1 - depth * (1 - FAR_SHADE) * 5, 0.75, 1.05)
        part = parts.setdefault(kind, Part(kind, depth, [], []))
        part.shapes.append(Shape(outline, role, shade))
        part.marks.append(Shape(glow, role, shade * 1.07))
    return list(parts.values())


def _arm_rows(bones: Skeleton, outfit: Outfit, side: int) -> list:
    """Capsules of one arm, drawn in this order: hand, bare arm, sleeve."""
    shoulder, elbow, wrist, hand = (bones[i][side] for i in range(4))
    upper, lower = UPPER_ARM[side], FOREARM[side]
    high, low = _depth(shoulder, elbow) - 0.03, _depth(elbow, wrist) - 0.035  # ties: arms before the trunk
    role = 'top' if outfit.sleeves == 'long' else 'skin'
    rows = [
        (upper, high, shoulder, elbow, UPPER_ARM_RADII, role),
        (lower, low, wrist, hand, HAND_RADII, 'skin'),
        (lower, low, elbow, wrist, FOREARM_RADII, role),
    ]
    if outfit.sleeves == 'short':
        middle = shoulder + 0.55 * (elbow - shoulder)
        rows.append((upper, high, shoulder, middle, (UPPER_ARM_RADII[0] + CLOTH, UPPER_ARM_RADII[1] + CLOTH), 'top'))
    return rows


def _leg_rows(bones: Skeleton, outfit: Outfit, side: int) -> list:
    """Capsules of one leg, drawn in this order: foot, bare leg, cloth."""
    hip, knee, ankle, toe = (bones[i][side] for i in range(4, 8))
    upper, lower = THIGH[side], SHANK[side]
    high, low = _depth(hip, knee) + 0.02, _depth(knee, ankle) + 0.01  # ties: legs behind the trunk
    role = 'bottom' if outfit.legs == 'trousers' else 'skin'
    heel = ankle + 0.12 * (ankle - knee) * [1, 1, 1]
    rows = [
        (lower, low, heel, toe, FOOT_RADII, 'shoe'),
        (lower, low, knee, ankle, SHANK_RADII, role),
        (upper, high, hip, knee, THIGH_RADII, role),
    ]
    if outfit.legs == 'shorts':
        middle = hip + 0.7 * (knee - hip)
        rows.append((upper, high, hip, middle, (THIGH_RADII[0] + CLOTH, THIGH_RADII[1] + 2 * CLOTH), 'bottom'))
    return rows


def _skirt(bones: Skeleton, build: Build) -> Part:
    """A skirt from the waist to above the knees, around both thighs."""
    hem = bones.hips + 0.75 * (bones.knees - bones.hips) + np.outer(SIDES, 0.02 * bones.pelvis_frame[:, 0])
    ends = np.concatenate([bones.hips, hem])[:, :2]
    radii = np.array([0.055, 0.055, 0.06, 0.06]) * np.sqrt(build.width)
    outline = hull(*capsules(ends, ends, radii, radii))
    depth = min(_depth(hip, knee) for hip, knee in zip(bones.hips, bones.knees)) + 0.005
    return Part(SKIRT, depth, [Shape(outline, 'bottom')], [])


def _depth(start: np.ndarray, end: np.ndarray) -> float:
    """Depth of a limb's middle, in statures."""
    return 0.5 * (start[2] + end[2])
