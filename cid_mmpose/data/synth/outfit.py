"""Clothes, hair and colours of one person: chance only, nothing here tells left from right."""

from typing import NamedTuple

import cv2
import numpy as np

SKIN = ((150, 186, 232), (124, 164, 222), (96, 136, 198), (66, 102, 160), (46, 74, 122), (32, 50, 86))  # BGR
HAIR = ((24, 26, 30), (30, 44, 66), (48, 78, 118), (104, 158, 198), (38, 62, 134), (160, 164, 168))  # BGR
FIXED = {'white': (236, 238, 240), 'pupil': (28, 26, 30), 'lips': (84, 74, 158)}  # BGR


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
    draw = rng.random(7)
    sleeves = ('none', 'short', 'long')[int(np.searchsorted([0.15, 0.6], draw[0]))]
    legs = ('trousers', 'shorts', 'skirt')[int(np.searchsorted([0.6, 0.82], draw[1]))]
    hair = ('short', 'long', 'tail', 'bald')[int(np.searchsorted([0.5, 0.75, 0.92], draw[2]))]
    pattern = ('plain', 'stripes', 'open', 'print')[int(np.searchsorted([0.35, 0.6, 0.85], draw[3]))]
    return Outfit(colours, sleeves, legs, hair, pattern, draw[4] < 0.15, draw[5] < 0.15, draw[6] < 0.15)


def cloth_colour(rng: np.random.Generator) -> tuple:
    """A BGR colour as cloth and furniture have them: any hue, mostly muted, from near black to near white.

    Args:
        rng: source of chance.
    """
    hue, saturation, value = rng.random(3) * [180, 1, 1]
    hsv = np.array([[[hue, 200 * saturation**1.5, 45 + 195 * value]]], np.uint8)
    return tuple(int(c) for c in cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR)[0, 0])


def _jittered(rng: np.random.Generator, palette: tuple, spread: float) -> tuple:
    """One of the palette's BGR colours, moved by up to ``spread`` levels."""
    colour = np.array(palette[rng.integers(len(palette))]) + rng.uniform(-spread, spread, 3)
    return tuple(int(c) for c in np.clip(colour, 0, 255))
