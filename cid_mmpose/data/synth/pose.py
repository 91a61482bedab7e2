"""Poses: joint angles of one person, drawn from a small catalogue with jitter.

All angles are in radians once sampled, in degrees in the catalogue. Sides are ordered (left, right).
"""

from typing import NamedTuple

import numpy as np

# Standard deviations around the catalogue's angles, in degrees.
ARM_JITTER = 11.0
LEG_JITTER = 5.0
TRUNK_JITTER = np.array([4.0, 4.0, 8.0])  # bend, lean, turn
HEAD_JITTER = np.array([22.0, 8.0])  # turn, nod
ROLL_JITTER = 2.0
TIPPED_JITTER = 14.0  # of the roll of the few who stand tipped

TIPPED_SHARE = 0.1  # of the people who do not sit
HEAD_MEAN = np.array([0.0, 3.0])  # degrees: turn, nod; people look a little down

# Lowest and highest angles of joints, in degrees.
ARM_LIMITS = np.array([-60, -5, 2]), np.array([180, 165, 140])
LEG_LIMITS = np.array([-50, -2, 0]), np.array([115, 45, 130])
ROLL_LIMITS = -30, 30

# Where a bent forearm goes: inward, up, forward.
FRONT = 0.2, 0.0, 1.0
INWARD = 1.0, -0.3, 0.3
UP = 0.4, 1.0, 0.2


class Pose(NamedTuple):
    """Joint angles of one person; zero everywhere is standing to attention.

    A limb's angles are (swing forward, lift sideways, bend of elbow or knee).
    """

    arms: np.ndarray  # (2, 3)
    forearms: np.ndarray  # (2, 3) direction a bent forearm tends to: inward, up, forward
    legs: np.ndarray  # (2, 3)
    trunk: np.ndarray  # (3,) bend forward, lean to the left, turn to the left, all against the pelvis
    head: np.ndarray  # (2,) turn to the left, nod down, against the trunk
    roll: float  # whole body tipped to the left
    seated: bool  # wants something to sit on


class Kind(NamedTuple):
    """One row of the catalogue: mean angles in degrees, and how often it is drawn."""

    weight: float
    arms: tuple
    forearms: tuple
    legs: tuple
    bend: float = 2.0
    seated: bool = False


CATALOGUE = {
    'stand': Kind(0.24, ((3, 10, 15), (3, 10, 15)), (FRONT, FRONT), ((2, 5, 3), (2, 5, 3))),
    'walk': Kind(0.22, ((30, 6, 30), (-28, 6, 20)), (FRONT, FRONT), ((-18, 3, 22), (26, 3, 8)), 5),
    'run': Kind(0.08, ((45, 10, 85), (-45, 12, 80)), (FRONT, FRONT), ((-30, 3, 70), (55, 3, 60)), 12),
    'wave': Kind(0.10, ((10, 130, 45), (3, 12, 20)), (UP, FRONT), ((2, 6, 4), (2, 6, 4))),
    'cheer': Kind(0.07, ((10, 145, 25), (10, 145, 25)), (UP, UP), ((2, 12, 5), (2, 12, 5))),
    'akimbo': Kind(0.07, ((-12, 42, 88), (-12, 42, 88)), (INWARD, INWARD), ((2, 10, 3), (2, 10, 3))),
    'spread': Kind(0.05, ((5, 80, 15), (5, 80, 15)), (UP, FRONT), ((2, 15, 5), (2, 15, 5))),
    'reach': Kind(0.05, ((85, 8, 15), (15, 12, 40)), (UP, FRONT), ((15, 4, 10), (-10, 4, 8)), 12),
    'sit': Kind(0.07, ((25, 8, 55), (25, 8, 55)), (FRONT, FRONT), ((85, 9, 85), (85, 9, 85)), 4, True),
    'stoop': Kind(0.05, ((25, 8, 20), (35, 8, 25)), (FRONT, FRONT), ((25, 6, 30), (30, 6, 35)), 55),
}
KINDS = tuple(CATALOGUE.values())
WEIGHTS = np.cumsum([kind.weight for kind in KINDS])


def sample_pose(rng: np.random.Generator) -> Pose:
    """One person's pose, mirrored left to right half of the time.

    Args:
        rng: source of chance.
    """
    kind = _sample_kind(rng)
    arm_jitter, leg_jitter = rng.normal(size=(2, 2, 3))
    vigour = rng.uniform(0.5, 1.25)  # how far the limbs go: a stroll to a stride

    arms = np.array(kind.arms) * [vigour, 1, 1] + arm_jitter * ARM_JITTER
    arms = np.clip(arms, *ARM_LIMITS)
    legs = np.array(kind.legs, float)
    if not kind.seated:
        legs *= [vigour, 1, vigour]
    legs = np.clip(legs + leg_jitter * LEG_JITTER, *LEG_LIMITS)

    forearms = np.array(kind.forearms)
    if rng.random() < 0.5:  # left and right change places
        arms, forearms, legs = arms[::-1], forearms[::-1], legs[::-1]

    trunk = rng.normal(size=3) * TRUNK_JITTER
    trunk[0] += kind.bend
    head = rng.normal(size=2) * HEAD_JITTER + HEAD_MEAN
    roll = _sample_roll(rng, kind.seated)
    return Pose(
        np.radians(arms),
        forearms,
        np.radians(legs),
        np.radians(trunk),
        np.radians(head),
        np.radians(roll),
        kind.seated,
    )


def _sample_kind(rng: np.random.Generator) -> Kind:
    """One row of the catalogue."""
    draw = rng.random() * WEIGHTS[-1]
    row = np.searchsorted(WEIGHTS, draw)
    return KINDS[int(row)]


def _sample_roll(rng: np.random.Generator, seated: bool) -> float:
    """By how many degrees the whole body is tipped to the left."""
    deviation = rng.normal()
    tipped = rng.random() < TIPPED_SHARE and not seated
    roll = deviation * (TIPPED_JITTER if tipped else ROLL_JITTER)
    return float(np.clip(roll, *ROLL_LIMITS))
