"""People in chunks: a sum over everyone whose maps never live at once.

A crowd's maps grow with the number of people; the sum over them and its gradient do not. So the gradient of a chunk
is formed right after its value, and the chunk's maps are given back before the next ones are made.

B images, N people of all images, n of a chunk, (H, W) cells of their maps, h rows of a chunk.
"""
import math
from itertools import groupby
from typing import Callable, Dict, List, NamedTuple, Optional, Sequence

import torch
from torch import Tensor

BUDGET = {'cpu': 32, 'cuda': 1024}  # MiB of maps at once where no budget is given; a CPU's share fits its caches
OTHERWISE = 1024
ABREAST = 8  # people side by side, before rows are taken apart: one wide product is faster than several narrow ones


class Chunk(NamedTuple):
    """People of one image who are taken together, in all rows of the map or in some."""
    image: int  # image in the batch
    people: slice  # of the people of the batch, who are sorted by image
    rows: slice = slice(None)


NOBODY = Chunk(0, slice(0, 0))


def people_chunks(image: Tensor, num_images: int, size: int) -> List[Chunk]:
    """Cuts the people of a batch into chunks of at most ``size``; ``image`` (N,) int64, ascending."""
    chunks, start = [], 0
    for number, count in enumerate(torch.bincount(image, minlength=num_images).tolist()):
        stop = start + count
        chunks += [Chunk(number, slice(s, min(s + size, stop))) for s in range(start, stop, size)]
        start = stop
    return chunks


def people_and_rows(image: Tensor, num_images: int, size: Sequence[int], cells: int) -> List[Chunk]:
    """Cuts the people of a batch, and their maps where cells are independent of each other, into chunks.

    Args:
        image: as for ``people_chunks``. size: (H, W) of the maps. cells: of all people of a chunk together; one row
            of one person at least.
    """
    height, width = size
    abreast = max(cells // (height * width), min(ABREAST, cells // width), 1)
    chunks = []
    for image, group in groupby(people_chunks(image, num_images, abreast), lambda chunk: chunk.image):
        group = list(group)
        widest = max(chunk.people.stop - chunk.people.start for chunk in group)
        most = max(cells // (width * widest), 1)
        step = math.ceil(height / math.ceil(height / most))  # parts of about the same size
        # rows first, so that what people share there is still in the cache for the next ones
        chunks += [chunk._replace(rows=slice(y, min(y + step, height))) for y in range(0, height, step)
                   for chunk in group]
    return chunks


def part_of(shared: Dict[str, Tensor], people: Dict[str, Tensor], chunk: Chunk) -> tuple:
    """Of what B images share (B, H, ...) and of N people (N, ...): the chunk's rows (h, ...), its people (n, ...)."""
    return ({name: maps[chunk.image, chunk.rows] for name, maps in shared.items()},
            {name: each[chunk.people] for name, each in people.items()})


def how_many(floats: int, budget: Optional[int], device: torch.device) -> int:
    """How many people, or cells of people, fit a budget, at least one.

    Args:
        floats: float32 numbers that each holds at its peak.
        budget: MiB; None takes the one of the device's kind (``BUDGET``).
    """
    budget = BUDGET.get(device.type, OTHERWISE) if budget is None else budget
    return max(1, budget * 2**20 // (4 * floats))


def sum_over_people(term: Callable, chunks: Sequence[Chunk], shared: Dict[str, Tensor], people: Dict[str, Tensor],
                    weights: Sequence[Tensor]) -> Tensor:
    """sum over chunks of term(chunk, shared of its image, its people), differentiable once.

    Args:
        term: gives a scalar; it may depend on no other tensors that need a gradient than ``weights``.
        shared: (B, H, ...) for B images; ``term`` gets the rows (h, ...) of the chunk.
        people: (N, ...) for N people. weights: parameters that ``term`` uses by itself.

    Returns:
        float32 scalar; 0, with zero gradients, for nobody.
    """
    names = list(shared), list(people)
    tensors = [*shared.values(), *people.values(), *weights]
    with_gradient = torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors)
    return _Sum.apply(term, chunks, names, with_gradient, *tensors)


class _Sum(torch.autograd.Function):
    """``sum_over_people``; the gradient is there when the value is."""

    @staticmethod
    def forward(ctx, term: Callable, chunks: Sequence[Chunk], names: tuple, with_gradient: bool,
                *tensors: Tensor) -> Tensor:
        shared, people, weights = _split(tensors, names)
        total = tensors[0].new_zeros((), dtype=torch.float32)
        sums = [torch.zeros_like(tensor, dtype=torch.float32, memory_format=torch.contiguous_format)
                if with_gradient and tensor.requires_grad else None for tensor in tensors]
        for chunk in chunks:
            inputs = [_leaf(tensor[chunk.image, chunk.rows], with_gradient) for tensor in shared]
            inputs += [_leaf(tensor[chunk.people], with_gradient) for tensor in people]
            with _precision(tensors[0]), torch.set_grad_enabled(with_gradient):
                image, mine = inputs[:len(shared)], inputs[len(shared):]
                value = term(chunk, dict(zip(names[0], image)), dict(zip(names[1], mine)))
            total += value.detach()
            if with_gradient:
                _add_gradient(value, inputs, weights, sums, chunk, len(shared))
        ctx.sums, ctx.types = sums, [tensor.dtype for tensor in tensors]
        return total

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, gradient: Tensor) -> tuple:
        sums = [None if s is None else (s * gradient).to(kind) for s, kind in zip(ctx.sums, ctx.types)]
        return (None, None, None, None, *sums)


def _leaf(tensor: Tensor, with_gradient: bool) -> Tensor:
    """A tensor at which a chunk's gradient stops; float32 for float16, whose range gradients leave."""
    tensor = tensor.detach()
    return (tensor.float() if tensor.dtype is torch.float16 else tensor).requires_grad_(with_gradient)


def _precision(shared: Tensor) -> torch.autocast:
    """Autocast as around the maps that people share, except for float16: no loss scale reaches into a chunk."""
    # without its cache, which would keep graphs of chunks that are gone
    return torch.autocast(
        shared.device.type, torch.bfloat16, enabled=shared.dtype is torch.bfloat16, cache_enabled=False)


def _split(tensors: Sequence[Tensor], names: tuple) -> tuple:
    first, second = len(names[0]), len(names[0]) + len(names[1])
    return tensors[:first], tensors[first:second], tensors[second:]


def _add_gradient(value: Tensor, inputs: Sequence[Tensor], weights: Sequence[Tensor], sums: Sequence[Optional[Tensor]],
                  chunk: Chunk, num_shared: int) -> None:
    """Adds a chunk's gradient to the places of ``sums`` it belongs to."""
    places = [None if s is None else s[(chunk.image, chunk.rows) if i < num_shared else chunk.people]
              for i, s in enumerate(sums[:len(inputs)])] + list(sums[len(inputs):])
    wanted = [(tensor, place) for tensor, place in zip([*inputs, *weights], places) if place is not None]
    with torch.autocast(value.device.type, enabled=False):
        gradients = torch.autograd.grad(value, [tensor for tensor, _ in wanted], allow_unused=True)
    for gradient, (_, place) in zip(gradients, wanted):
        if gradient is not None:
            place += gradient
