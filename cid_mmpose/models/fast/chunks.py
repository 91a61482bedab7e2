"""People in chunks: of a crowd only a few people's maps are there at a time.

What it saves: memory, which otherwise grows with the number of people, and with it the time of memory that does not fit
a CPU's caches. Why it is equal: people and cells are independent of each other, until losses are added up or peaks
compared.

B images, N people of all images, n of a chunk, (H, W) cells of their maps, h rows of a chunk.
"""

import math
from collections.abc import Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple, TypeVar

import torch
from torch import Tensor

BUDGET = {'cpu': 32, 'cuda': 1024}  # MiB of maps at once where no budget is given; a CPU's share fits its caches
OTHER_BUDGET = 1024  # MiB on other devices
PEOPLE_AT_ONCE = 8  # before rows are taken apart: one wide product is faster than several narrow ones

Terms = TypeVar('Terms', bound=tuple)  # a named tuple whose fields are tensors or None


class Chunk(NamedTuple):
    """People of one image who are taken together, in all rows of the map or in some."""

    image: int  # image in the batch
    people: slice  # of the people of the batch, who are sorted by image
    rows: slice = slice(None)

    @property
    def num_people(self) -> int:
        """n."""
        return self.people.stop - self.people.start


def people_chunks(image: Tensor, num_images: int, size: int) -> list[Chunk]:
    """Cuts the people of a batch into chunks.

    Args:
        image: (N,) int64, ascending.
        num_images: B.
        size: people of a chunk at most.
    """
    chunks = []
    first = 0
    for number, count in enumerate(torch.bincount(image, minlength=num_images).tolist()):
        end = first + count
        for start in range(first, end, size):
            stop = min(start + size, end)
            chunks.append(Chunk(number, slice(start, stop)))
        first = end
    return chunks


def people_and_rows(image: Tensor, num_images: int, size: Sequence[int], cells: int) -> list[Chunk]:
    """Cuts the people of a batch, and their maps, into chunks.

    Args:
        image: (N,) int64, ascending.
        num_images: B.
        size: (H, W) of the maps.
        cells: of all people of a chunk together at most; one row of one person at least.
    """
    height, width = size
    whole_maps = cells // (height * width)
    single_rows = cells // width
    # as many people as whole maps fit; where these are few, some more people in fewer rows
    people_at_once = max(whole_maps, min(PEOPLE_AT_ONCE, single_rows), 1)
    by_people = people_chunks(image, num_images, people_at_once)

    chunks: list[Chunk] = []
    for _, group in groupby(by_people, key=attrgetter('image')):
        of_image = list(group)
        most_people = max(chunk.num_people for chunk in of_image)
        rows_that_fit = max(cells // (width * most_people), 1)
        num_parts = math.ceil(height / rows_that_fit)
        step = math.ceil(height / num_parts)  # parts of about the same size
        # rows first, so that what people share there is still in the cache for the next ones
        for top in range(0, height, step):
            rows = slice(top, min(top + step, height))
            chunks.extend(chunk._replace(rows=rows) for chunk in of_image)
    return chunks


def image_part(terms: Terms, chunk: Chunk) -> Terms:
    """The rows of a chunk in what B images have.

    Args:
        terms: a named tuple whose fields are tensors (B, H, ...) or None.
        chunk: people of one image in some rows.

    Returns:
        The same with (h, ...).
    """
    parts = [None if maps is None else maps[chunk.image, chunk.rows] for maps in terms]
    return _like(terms, parts)


def people_part(terms: Terms, chunk: Chunk) -> Terms:
    """The people of a chunk in what N people have.

    Args:
        terms: a named tuple whose fields are tensors (N, ...) or None.
        chunk: people of one image.

    Returns:
        The same with (n, ...).
    """
    parts = [None if each is None else each[chunk.people] for each in terms]
    return _like(terms, parts)


def split_terms(terms: Terms, parts: int) -> list[Terms]:
    """What V views have, one view after another, as the V named tuples of each.

    Args:
        terms: a named tuple whose fields are tensors (V * ..., ...) or None.
        parts: V.
    """
    # tensor_split, because chunk makes one part of a tensor without people
    split = [[None] * parts if each is None else each.tensor_split(parts) for each in terms]
    return [_like(terms, list(fields)) for fields in zip(*split)]


def _like(terms: Terms, fields: list) -> Terms:
    """A named tuple of the same kind with these fields."""
    kind: Any = type(terms)
    return kind(*fields)


def cells_in_budget(floats: int, budget: int | None, device: torch.device) -> int:
    """How many cells of people's maps fit a budget, at least one.

    Args:
        floats: float32 numbers that a cell of one person needs at most at a time.
        budget: MiB; None takes the one of the device's kind (``BUDGET``).
        device: where the numbers are.
    """
    if budget is None:
        budget = BUDGET.get(device.type, OTHER_BUDGET)
    return max(1, budget * 2**20 // (4 * floats))
