"""The parts of a drawn person and their numbers in the owner map."""

from typing import NamedTuple

from .shapes import Shape

PARTS = (
    'trunk',
    'head',
    'hair',
    'bag',
    'skirt',
    'left upper arm',
    'right upper arm',
    'left forearm',
    'right forearm',
    'left thigh',
    'right thigh',
    'left shank',
    'right shank',
)
TRUNK, HEAD, HAIR, BAG, SKIRT = range(5)
UPPER_ARM, FOREARM, THIGH, SHANK = (5, 6), (7, 8), (9, 10), (11, 12)  # (left, right); hands and feet belong to these


class Part(NamedTuple):
    """Shapes drawn together. Only ``shapes`` own pixels; ``marks`` are painted inside them."""

    kind: int  # index into PARTS
    depth: float  # statures behind the pelvis; decides what is drawn over what within one person
    shapes: list[Shape]
    marks: list[Shape]
