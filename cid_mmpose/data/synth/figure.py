"""A dressed person as drawable parts: outlines in image axes, nearest part last, and the 17 COCO keypoints.

Legend: P points of an outline. Lengths are in statures (1 = the person's standing height), the pelvis is the origin;
x goes right, y down, z away from the viewer.
"""

from operator import attrgetter
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
UPPER_ARM_RADII = 0.031, 0.026
FOREARM_RADII = 0.026, 0.018
HAND_RADII = 0.019, 0.016
THIGH_RADII = 0.050, 0.036
SHANK_RADII = 0.036, 0.023
FOOT_RADII = 0.024, 0.018
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


class Capsule(NamedTuple):
    """A piece of a limb before its width follows the build: two discs and what lies between them."""

    kind: int  # index into PARTS
    depth: float  # statures
    start: np.ndarray  # (3,)
    end: np.ndarray  # (3,)
    radii: tuple[float, float]  # at the start and at the end
    role: str  # which colour of the outfit fills it


def sample_figure(rng: np.random.Generator, yaw: float, tilt: float) -> Figure:
    """A person of chance build, pose and clothes.

    Args:
        rng: source of chance.
        yaw: which way the person faces, in radians: 0 the viewer, +pi / 2 the image's right.
        tilt: how far the camera looks down, in radians.
    """
    pose = sample_pose(rng)
    outfit = sample_outfit(rng)
    build = _sample_build(rng)
    bones = assemble(pose, build, yaw, tilt)
    return dress(bones, build, outfit, pose.seated)


def _sample_build(rng: np.random.Generator) -> Build:
    """Proportions of a grown person, or of a child for one in eight."""
    child = rng.random() < 0.12
    width = rng.uniform(0.85, 1.25)
    if child:
        return Build(width, head=rng.uniform(1.2, 1.45), limbs=0.93)
    return Build(width, head=rng.uniform(0.98, 1.12), limbs=rng.uniform(0.96, 1.05))


def dress(bones: Skeleton, build: Build, outfit: Outfit, seat: bool = False) -> Figure:
    """Put flesh and clothes on a skeleton.

    Args:
        bones: keypoint positions.
        build: body proportions.
        outfit: what to wear.
        seat: whether the person sits.
    """
    skull = skull_of(bones, build)
    parts = [trunk_part(bones, build, outfit)]
    parts += _limbs(bones, build, outfit)
    parts += head_parts(bones, skull, outfit)
    if outfit.legs == 'skirt':
        parts.append(_skirt(bones, build))
    if outfit.bag:
        parts.append(bag_part(bones, build))
    parts.sort(key=attrgetter('depth'), reverse=True)

    face = face_points(skull)
    keypoints = np.concatenate(
        [face, bones.shoulders, bones.elbows, bones.wrists, bones.hips, bones.knees, bones.ankles]
    )
    witness = _witness(bones, skull)

    outlines = []
    for part in parts:
        outlines += [shape.outline for shape in part.shapes]
    points = np.concatenate(outlines)
    extent = np.concatenate([points.min(0), points.max(0)])
    return Figure(parts, keypoints[:, :2], witness, outfit, extent, seat)


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
    pieces = []
    for side in range(2):
        pieces += _arm_capsules(bones, outfit, side)
        pieces += _leg_capsules(bones, outfit, side)

    start = np.array([piece.start for piece in pieces])[:, :2]
    end = np.array([piece.end for piece in pieces])[:, :2]
    radii = np.array([piece.radii for piece in pieces]) * np.sqrt(build.width)
    solid = capsules(start, end, radii[:, 0], radii[:, 1])

    inner = np.array([-0.22, -0.1]) * radii.mean(1, keepdims=True)  # a lighter core, as if lit from the upper left
    core = capsules(start + inner, end + inner, 0.6 * radii[:, 0], 0.6 * radii[:, 1])

    parts = {}
    for piece, outline, glow in zip(pieces, solid, core):
        shade = np.clip(1 - piece.depth * (1 - FAR_SHADE) * 5, 0.75, 1.05)
        if piece.kind not in parts:
            parts[piece.kind] = Part(piece.kind, piece.depth, [], [])
        part = parts[piece.kind]
        part.shapes.append(Shape(outline, piece.role, shade))
        part.marks.append(Shape(glow, piece.role, shade * 1.07))
    return list(parts.values())


def _arm_capsules(bones: Skeleton, outfit: Outfit, side: int) -> list[Capsule]:
    """One arm, drawn in this order: upper arm, hand, forearm, sleeve."""
    shoulder, elbow = bones.shoulders[side], bones.elbows[side]
    wrist, fingers = bones.wrists[side], bones.fingers[side]
    upper, lower = UPPER_ARM[side], FOREARM[side]
    # ties: arms before the trunk
    upper_depth = _depth(shoulder, elbow) - 0.03
    lower_depth = _depth(elbow, wrist) - 0.035

    role = 'top' if outfit.sleeves == 'long' else 'skin'
    pieces = [
        Capsule(upper, upper_depth, shoulder, elbow, UPPER_ARM_RADII, role),
        Capsule(lower, lower_depth, wrist, fingers, HAND_RADII, 'skin'),
        Capsule(lower, lower_depth, elbow, wrist, FOREARM_RADII, role),
    ]
    if outfit.sleeves == 'short':
        middle = shoulder + 0.55 * (elbow - shoulder)
        radii = UPPER_ARM_RADII[0] + CLOTH, UPPER_ARM_RADII[1] + CLOTH
        sleeve = Capsule(upper, upper_depth, shoulder, middle, radii, 'top')
        pieces.append(sleeve)
    return pieces


def _leg_capsules(bones: Skeleton, outfit: Outfit, side: int) -> list[Capsule]:
    """One leg, drawn in this order: foot, shank, thigh, cloth."""
    hip, knee = bones.hips[side], bones.knees[side]
    ankle, toe = bones.ankles[side], bones.toes[side]
    heel = ankle + 0.12 * (ankle - knee)
    upper, lower = THIGH[side], SHANK[side]
    # ties: legs behind the trunk
    upper_depth = _depth(hip, knee) + 0.02
    lower_depth = _depth(knee, ankle) + 0.01

    role = 'bottom' if outfit.legs == 'trousers' else 'skin'
    pieces = [
        Capsule(lower, lower_depth, heel, toe, FOOT_RADII, 'shoe'),
        Capsule(lower, lower_depth, knee, ankle, SHANK_RADII, role),
        Capsule(upper, upper_depth, hip, knee, THIGH_RADII, role),
    ]
    if outfit.legs == 'shorts':
        middle = hip + 0.7 * (knee - hip)
        radii = THIGH_RADII[0] + CLOTH, THIGH_RADII[1] + 2 * CLOTH
        cloth = Capsule(upper, upper_depth, hip, middle, radii, 'bottom')
        pieces.append(cloth)
    return pieces


def _skirt(bones: Skeleton, build: Build) -> Part:
    """A skirt from the waist to above the knees, around both thighs."""
    flare = np.outer(SIDES, 0.02 * bones.pelvis_frame[:, 0])
    hem = bones.hips + 0.75 * (bones.knees - bones.hips) + flare
    centers = np.concatenate([bones.hips, hem])[:, :2]
    radii = np.array([0.055, 0.055, 0.06, 0.06]) * np.sqrt(build.width)
    discs = capsules(centers, centers, radii, radii)

    left = _depth(bones.hips[0], bones.knees[0])
    right = _depth(bones.hips[1], bones.knees[1])
    depth = min(left, right) + 0.005
    outline = hull(*discs)
    return Part(SKIRT, depth, [Shape(outline, 'bottom')], [])


def _depth(start: np.ndarray, end: np.ndarray) -> float:
    """Depth of a limb's middle, in statures."""
    return 0.5 * (start[2] + end[2])
