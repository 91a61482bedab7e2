"""A 3-D skeleton: body proportions and joint angles in, joint positions in camera axes out.

Camera axes: x right, y down, z away from the viewer. Lengths are in statures (1 = the person's standing height). Body
axes are (left, up, forward), so at yaw 0 the person looks at the viewer and their left is the image's right; at yaw
+90 degrees they look to the image's right and their left side is the far one.
"""

from typing import NamedTuple

import numpy as np

from .pose import Pose

# Segment lengths in statures, after the anthropometric table of Drillis and Contini (1966) as textbooks print it.
THIGH, SHANK, TRUNK, UPPER_ARM, FOREARM = 0.245, 0.246, 0.285, 0.180, 0.150
HAND, FOOT, NECK = 0.055, 0.10, 0.055
SHOULDER, HIP = 0.108, 0.055  # half-widths between the centers of the joints
HEAD = np.array([0.048, 0.068, 0.056])  # half-lengths of the head: left, up, forward
SIDES = (1.0, -1.0)  # sign of 'left' for (left, right)


class Build(NamedTuple):
    """How one person differs from the average, as factors."""

    width: float = 1.0  # girth of trunk and limbs
    head: float = 1.0  # head size; a child's is larger
    limbs: float = 1.0  # arm and leg length


class Limbs(NamedTuple):
    """Joints of both arms or both legs, from the trunk outwards."""

    middles: np.ndarray  # (2, 3) elbows or knees
    ends: np.ndarray  # (2, 3) wrists or ankles
    tips: np.ndarray  # (2, 3) fingers or toes


class Skeleton(NamedTuple):
    """Joint positions in camera axes, in statures, with the pelvis at the origin. Sides are (left, right)."""

    shoulders: np.ndarray  # (2, 3)
    elbows: np.ndarray  # (2, 3)
    wrists: np.ndarray  # (2, 3)
    fingers: np.ndarray  # (2, 3) ends of the hands
    hips: np.ndarray  # (2, 3)
    knees: np.ndarray  # (2, 3)
    ankles: np.ndarray  # (2, 3)
    toes: np.ndarray  # (2, 3)
    neck: np.ndarray  # (3,) between the shoulders
    skull: np.ndarray  # (3,) center of the head
    pelvis_frame: np.ndarray  # (3, 3) columns left, up, forward in camera axes
    trunk_frame: np.ndarray  # (3, 3)
    head_frame: np.ndarray  # (3, 3)


def pitch(angle: float) -> np.ndarray:
    """Body-axes rotation that tips 'up' towards 'forward' by ``angle`` radians, (3, 3)."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[1, 0, 0], [0, c, -s], [0, s, c]])


def lean(angle: float) -> np.ndarray:
    """Body-axes rotation that tips 'up' towards 'left' by ``angle`` radians, (3, 3)."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]])


def turn(angle: float) -> np.ndarray:
    """Body-axes rotation that turns 'forward' towards 'left' by ``angle`` radians, (3, 3)."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])


def facing(yaw: float, tilt: float) -> np.ndarray:
    """Camera-axes frame (columns left, up, forward) of an upright person.

    Args:
        yaw: 0 looks at the viewer, +pi / 2 to the image's right, in radians.
        tilt: how far the camera looks down, in radians.
    """
    c, s = np.cos(yaw), np.sin(yaw)
    frame = np.array([[c, 0, s], [0, -1, 0], [s, 0, -c]])
    c, s = np.cos(tilt), np.sin(tilt)
    camera = np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
    return camera @ frame


def assemble(pose: Pose, build: Build, yaw: float, tilt: float) -> Skeleton:
    """Place every joint.

    Args:
        pose: joint angles.
        build: body proportions.
        yaw: which way the pelvis faces, in radians (see ``facing``).
        tilt: how far the camera looks down, in radians.
    """
    pelvis = facing(yaw, tilt) @ lean(pose.roll)
    trunk = pelvis @ pitch(pose.trunk[0]) @ lean(pose.trunk[1]) @ turn(pose.trunk[2])
    # The neck gives back half of the trunk's bend: people look where they go.
    head = trunk @ pitch(pose.head[1] - 0.5 * pose.trunk[0]) @ turn(pose.head[0])

    neck = TRUNK * trunk[:, 1]
    skull = neck + NECK * trunk[:, 1] + 0.85 * HEAD[1] * build.head * head[:, 1]
    girth = np.sqrt(build.width)
    hips = np.outer(SIDES, HIP * girth * pelvis[:, 0])
    shoulders = neck + np.outer(SIDES, SHOULDER * girth * trunk[:, 0])
    arms = _arms(pose, build, shoulders, trunk)
    legs = _legs(pose, build, hips, pelvis)
    return Skeleton(
        shoulders=shoulders,
        elbows=arms.middles,
        wrists=arms.ends,
        fingers=arms.tips,
        hips=hips,
        knees=legs.middles,
        ankles=legs.ends,
        toes=legs.tips,
        neck=neck,
        skull=skull,
        pelvis_frame=pelvis,
        trunk_frame=trunk,
        head_frame=head,
    )


def _arms(pose: Pose, build: Build, shoulders: np.ndarray, trunk: np.ndarray) -> Limbs:
    """The arms, from the shoulders (2, 3) and the trunk's frame."""
    swing, lift, bend = pose.arms.T
    swing = swing + pose.trunk[0] * np.cos(lift)  # a hanging arm hangs, however far the trunk is bent
    upper = _swung(swing, lift)

    # Where a bent forearm goes, at right angles to the upper arm.
    aim = pose.forearms * np.stack([[-1.0, 1.0], [1, 1], [1, 1]], axis=1)  # 'inward' is right for the left arm
    aim = aim - (aim * upper).sum(1, keepdims=True) * upper
    length = np.linalg.norm(aim, axis=1, keepdims=True)
    aim /= np.maximum(length, 1e-6)
    lower = np.cos(bend)[:, None] * upper + np.sin(bend)[:, None] * aim

    elbows = shoulders + UPPER_ARM * build.limbs * upper @ trunk.T
    wrists = elbows + FOREARM * build.limbs * lower @ trunk.T
    fingers = wrists + HAND * lower @ trunk.T
    return Limbs(elbows, wrists, fingers)


def _legs(pose: Pose, build: Build, hips: np.ndarray, pelvis: np.ndarray) -> Limbs:
    """The legs, from the hips (2, 3) and the pelvis' frame."""
    swing, lift, bend = pose.legs.T
    knees = hips + THIGH * build.limbs * _swung(swing, lift) @ pelvis.T
    ankles = knees + SHANK * build.limbs * _swung(swing - bend, lift) @ pelvis.T
    # Feet stay near the ground's plane, turned a little outwards.
    sole = np.clip(swing - bend, -1.0, 0.3) + np.radians(78)
    toes = ankles + FOOT * _swung(sole, lift + 0.15) @ pelvis.T
    return Limbs(knees, ankles, toes)


def _swung(swing: np.ndarray, lift: np.ndarray) -> np.ndarray:
    """(2, 3) body-axes directions of two hanging limbs swung forward and lifted sideways, angles (2,) in radians."""
    left = np.array(SIDES) * np.sin(lift)
    up = -np.cos(lift) * np.cos(swing)
    forward = np.cos(lift) * np.sin(swing)
    return np.stack([left, up, forward], axis=1)
