"""Flip test: what the mirrored image says is mirrored back and averaged (section 4.2, "testing")."""
from typing import List, Sequence

import torch
from torch import Tensor

from .fast.chunks import Chunk
from .roots import Roots


def stack_mirrored(plain: Sequence[Tensor], mirrored: Sequence[Tensor]) -> List[Tensor]:
    """Branches of B images and of their mirror images, (B, ...) each -> (2 B, ...) each, mirrored back."""
    return [torch.cat([maps, other.flip(-1)]) for maps, other in zip(plain, mirrored)]


def average_halves(maps: Tensor) -> Tensor:
    """(2 B, ...), images first and mirror images second -> (B, ...)."""
    plain, mirrored = maps.chunk(2)
    return (plain + mirrored) / 2


def both_halves(roots: Roots, num_images: int) -> Roots:
    """The roots of N people in B images, and the same again in the B mirror images: 2 N."""
    return Roots(roots.cell.repeat(2, 1), torch.cat([roots.image, roots.image + num_images]))


def in_mirror(chunk: Chunk, num_images: int, num_people: int) -> Chunk:
    """The same people among the ``both_halves`` of N people in B images."""
    start, stop = chunk.people.start + num_people, chunk.people.stop + num_people
    return chunk._replace(image=chunk.image + num_images, people=slice(start, stop))
