"""Poses: joint angles of one person, drawn from a small catalogue with jitter.

All angles are in radians once sampled, in degrees in the catalogue. Sides are ordered (left, right).
"""

from typing import NamedTuple

import numpy as np

ARM_JITTER, LEG_JITTER, TRUNK_JITTER = 11.0, 5.0, 4.0  # degrees, standard deviation around the catalogue's angles
FRONT, INWARD, UP = (0.2, 0.0, 1.0), (1.0, -0.3, 0.3), (0.4, 1.0, 0.2)  # where a bent forearm goes: inward, up, forward


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
NAMES = tuple(CATALOGUE)
WEIGHTS = np.cumsum([kind.weight for kind in CATALOGUE.values()])


def sample_pose(rng: np.random.Generator) -> Pose:
    """One person's pose, mirrored left to right half of the time.

    Args:
        rng: source of chance.
    """
    kind = CATALOGUE[NAMES[min(int(np.searchsorted(WEIGHTS, rng.random() * WEIGHTS[-1])), len(NAMES) - 1)]]
    jitter = rng.normal(size=(2, 2, 3))
    vigour = rng.uniform(0.5, 1.25)  # how far the limbs go: a stroll to a stride
    arms = np.array(kind.arms) * [vigour, 1, 1] + jitter[0] * ARM_JITTER
    legs = np.array(kind.legs) * ([1, 1, 1] if kind.seated else [vigour, 1, vigour]) + jitter[1] * LEG_JITTER
    limits = np.array([[-60, -5, 2], [180, 165, 140]])
    arms, legs = np.clip(arms, *limits), np.clip(legs, [-50, -2, 0], [115, 45, 130])
    order = slice(None, None, -1 if rng.random() < 0.5 else 1)
    trunk = np.array([kind.bend, 0, 0]) + rng.normal(size=3) * [TRUNK_JITTER, TRUNK_JITTER, 2 * TRUNK_JITTER]
    head = rng.normal(size=2) * [22, 8] + [0, 3]
    roll = np.clip(rng.normal() * (14 if rng.random() < 0.1 and not kind.seated else 2), -30, 30)
    return Pose(
        np.radians(arms[order]),
        np.array(kind.forearms)[order],
        np.radians(legs[order]),
        np.radians(trunk),
        np.radians(head),
        float(np.radians(roll)),
        kind.seated,
    )
