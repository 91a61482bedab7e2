"""Clothes, hair and colours of one person: chance only, nothing here tells left from right."""

from typing import NamedTuple

import cv2
import numpy as np

SKIN = ((150, 186, 232), (124, 164, 222), (96, 136, 198), (66, 102, 160), (46, 74, 122), (32, 50, 86))  # BGR
HAIR = ((24, 26, 30), (30, 44, 66), (48, 78, 118), (104, 158, 198), (38, 62, 134), (160, 164, 168))  # BGR
FIXED = {'white': (236, 238, 240), 'pupil': (28, 26, 30), 'lips': (84, 74, 158)}  # BGR

# Upper bounds of a draw from [0, 1) at which each is worn, in order.
SLEEVES = {'none': 0.15, 'short': 0.6, 'long': 1.0}
LEGS = {'trousers': 0.6, 'shorts': 0.82, 'skirt': 1.0}
HAIR_STYLES = {'short': 0.5, 'long': 0.75, 'tail': 0.92, 'bald': 1.0}
PATTERNS = {'plain': 0.35, 'stripes': 0.6, 'open': 0.85, 'print': 1.0}
EXTRA_SHARE = 0.15  # of the people, for hat, bag and glasses each


class Outfit(NamedTuple):
    """What one person wears."""

    colours: dict[str, tuple]  # role -> BGR, 0..255
    sleeves: str  # 'none', 'short', 'long'
    legs: str  # 'trousers', 'shorts', 'skirt'
    hair: str  # 'short', 'long', 'tail', 'bald'
    pattern: str  # 'plain', 'stripes', 'open', 'print'
    hat: bool
    bag: bool
    glasses: bool


def sample_outfit(rng: np.random.Generator) -> Outfit:
    """One person's clothes.

    Args:
        rng: source of chance.
    """
    colours = dict(FIXED)
    colours['skin'] = _jittered(rng, SKIN, 12)
    colours['hair'] = _jittered(rng, HAIR, 10)
    for role in ('top', 'bottom', 'shoe', 'trim', 'hat', 'bag'):
        colours[role] = cloth_colour(rng)

    draws = rng.random(7)
    return Outfit(
        colours,
        sleeves=_choice(SLEEVES, draws[0]),
        legs=_choice(LEGS, draws[1]),
        hair=_choice(HAIR_STYLES, draws[2]),
        pattern=_choice(PATTERNS, draws[3]),
        hat=draws[4] < EXTRA_SHARE,
        bag=draws[5] < EXTRA_SHARE,
        glasses=draws[6] < EXTRA_SHARE,
    )


def _choice(bounds: dict[str, float], draw: float) -> str:
    """The first name whose upper bound is not below a ``draw`` from [0, 1)."""
    return next(name for name, bound in bounds.items() if draw <= bound)


def cloth_colour(rng: np.random.Generator) -> tuple:
    """A BGR colour as cloth and furniture have them: any hue, mostly muted, from near black to near white.

    Args:
        rng: source of chance.
    """
    hue, saturation, value = rng.random(3) * [180, 1, 1]
    hsv = np.array([[[hue, 200 * saturation**1.5, 45 + 195 * value]]], np.uint8)
    bgr = cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR)
    return tuple(bgr[0, 0].tolist())


def _jittered(rng: np.random.Generator, palette: tuple, spread: float) -> tuple:
    """One of the palette's BGR colours, moved by up to ``spread`` levels."""
    chosen = palette[rng.integers(len(palette))]
    colour = np.array(chosen) + rng.uniform(-spread, spread, 3)
    levels = np.clip(colour, 0, 255).astype(int)
    return tuple(levels.tolist())
