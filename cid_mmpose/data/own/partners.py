"""Which keypoints change places in a mirrored image, by the words left and right in their names."""

import re
from collections.abc import Sequence
from typing import NamedTuple

WORD = re.compile(r'[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\da-zA-Z_]+')
LEFT = 'left'
RIGHT = 'right'
OTHER = {LEFT: RIGHT, RIGHT: LEFT}
# word -> its side, and what is left of the word: 'LF' in 'LF_paw' is the left of what is 'f'
SIDES = {
    'left': (LEFT, ''),
    'right': (RIGHT, ''),
    'l': (LEFT, ''),
    'r': (RIGHT, ''),
    'lt': (LEFT, ''),
    'rt': (RIGHT, ''),
    'links': (LEFT, ''),
    'rechts': (RIGHT, ''),
    'gauche': (LEFT, ''),
    'droite': (RIGHT, ''),
    'izquierda': (LEFT, ''),
    'derecha': (RIGHT, ''),
    'izquierdo': (LEFT, ''),
    'derecho': (RIGHT, ''),
}
# front, hind and back legs of animals, in both orders
QUARTERS = {}
for part in 'fhb':
    for word in (f'l{part}', f'{part}l'):
        QUARTERS[word] = (LEFT, part)
    for word in (f'r{part}', f'{part}r'):
        QUARTERS[word] = (RIGHT, part)
INSIDE = (('left', 'right'), ('左', '右'))  # sides that are not set apart: 'leftear'


class Partners(NamedTuple):
    """What the names of K keypoints say of the mirrored image."""

    indices: tuple[int, ...]  # (K,) each keypoint's partner; itself in the middle
    unclear: tuple[str, ...]  # one sentence for each name that has a side and no one partner


class Sided(NamedTuple):
    """A name taken apart."""

    side: str | None  # LEFT, RIGHT, or None
    rest: tuple[str, ...]  # its other words, lower case
    sure: bool  # a word that means nothing else says the side


def partners_of(names: Sequence[str]) -> Partners:
    """Pairs left keypoints with right ones: 'left_ear' with 'right_ear', 'LEar' with 'REar', 'ear.l' with 'ear.r'.

    Args:
        names: (K,) keypoints.
    """
    sided = [_take_apart(name) for name in names]
    indices = list(range(len(names)))
    unclear = []
    for place, one in enumerate(sided):
        if one.side is None:
            continue
        wanted = (OTHER[one.side], one.rest)
        found = [other for other, two in enumerate(sided) if (two.side, two.rest) == wanted]
        rivals = [other for other, two in enumerate(sided) if (two.side, two.rest) == (one.side, one.rest)]
        if len(found) == 1 and len(rivals) == 1:
            indices[place] = found[0]
        elif len(found) > 1 or (found and len(rivals) > 1):
            unclear.append(f'{names[place]!r} could be the partner of more than one keypoint')
        elif one.sure:
            unclear.append(f'{names[place]!r} has no partner on the {OTHER[one.side]}')

    without_side = {name.lower(): place for place, name in enumerate(names) if sided[place].side is None}
    _pair_inside(without_side, indices)
    return Partners(tuple(indices), tuple(unclear))


def _take_apart(name: str) -> Sided:
    """The side and the other words of a name; no side where it has several."""
    sides = []
    rest = []
    sure = True
    for word in WORD.findall(name):
        lower = word.lower()
        side, left_over = SIDES.get(lower) or QUARTERS.get(lower) or (None, lower)
        if side is not None:
            sides.append(side)
            sure = lower in SIDES
        if left_over:
            rest.append(left_over)
    if len(sides) != 1:
        return Sided(None, tuple(rest), False)
    return Sided(sides[0], tuple(rest), sure)


def _pair_inside(places: dict[str, int], indices: list[int]) -> None:
    """Pairs names whose side is not set apart, where there is exactly the other one; changes ``indices``.

    Args:
        places: of names in lower case that have no side so far.
        indices: (K,) partners.
    """
    for left, right in INSIDE:
        for name, place in places.items():
            other = places.get(name.replace(left, right))
            if left in name and other is not None:
                indices[place] = other
                indices[other] = place
