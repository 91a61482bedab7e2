"""A sum over everyone whose maps never live at once, with its gradient.

What it saves: the memory of all people's maps and of their graph. Why it is equal: the gradient of a sum is the sum of
the gradients of its parts, so that of a chunk is formed right after its value, and the chunk's maps are given back
before the next ones are made.

B images, N people of all images, n of a chunk, (H, W) cells of their maps, h rows of a chunk.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from .chunks import Chunk


def sum_over_people(
    term: Callable, chunks: Sequence[Chunk], image: tuple, people: tuple, weights: Sequence[Tensor]
) -> Tensor:
    """Sum over chunks of term(chunk, its part of ``image``, its part of ``people``), differentiable once.

    Args:
        term: gives a scalar; it may depend on no other tensors that need a gradient than ``weights``.
        chunks: all people in all rows.
        image: a named tuple of tensors (B, H, ...) for B images, or None; ``term`` gets the rows (h, ...) of the chunk.
        people: a named tuple of tensors (N, ...) for N people, or None; ``term`` gets those of the chunk (n, ...).
        weights: parameters that ``term`` uses by itself.

    Returns:
        float32 scalar; 0, with zero gradients, for nobody.
    """
    image_layout = Layout(image)
    people_layout = Layout(people)
    tensors = [*image_layout.tensors(image), *people_layout.tensors(people), *weights]
    with_gradient = torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors)
    job = Job(term, chunks, image_layout, people_layout, with_gradient)
    return _Sum.apply(job, *tensors)


class Layout:
    """Which fields of a named tuple are tensors, and how to make it of those again.

    Args:
        example: the named tuple.
    """

    def __init__(self, example: tuple) -> None:
        self.kind: Any = type(example)
        self.is_there = [field is not None for field in example]

    def __len__(self) -> int:
        return sum(self.is_there)

    def tensors(self, terms: tuple) -> list[Tensor]:
        """The fields that are tensors."""
        return [field for field in terms if field is not None]

    def named(self, tensors: Sequence[Tensor]) -> Any:
        """The named tuple of such tensors."""
        left = iter(tensors)
        fields = [next(left) if there else None for there in self.is_there]
        return self.kind(*fields)


class Job(NamedTuple):
    """What there is to add up."""

    term: Callable
    chunks: Sequence[Chunk]
    image: Layout
    people: Layout
    with_gradient: bool


class _Sum(torch.autograd.Function):
    """``sum_over_people``; the gradient is there when the value is."""

    @staticmethod
    def forward(ctx, job: Job, *tensors: Tensor) -> Tensor:
        num_image = len(job.image)
        num_terms = num_image + len(job.people)
        weights = tensors[num_terms:]
        total = tensors[0].new_zeros((), dtype=torch.float32)
        sums = [_zeros_for(tensor) if job.with_gradient and tensor.requires_grad else None for tensor in tensors]

        for chunk in job.chunks:
            of_image = [_leaf(tensor[chunk.image, chunk.rows], job.with_gradient) for tensor in tensors[:num_image]]
            of_people = [_leaf(tensor[chunk.people], job.with_gradient) for tensor in tensors[num_image:num_terms]]
            with _precision(tensors[0]), torch.set_grad_enabled(job.with_gradient):
                value = job.term(chunk, job.image.named(of_image), job.people.named(of_people))
            total += value.detach()
            if job.with_gradient:
                # where the gradients of the chunk's part belong in the sums
                places = [_part(each, (chunk.image, chunk.rows)) for each in sums[:num_image]]
                places += [_part(each, chunk.people) for each in sums[num_image:num_terms]]
                places += sums[num_terms:]
                _add_gradient(value, [*of_image, *of_people, *weights], places)

        ctx.sums = sums
        ctx.types = [tensor.dtype for tensor in tensors]
        return total

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, gradient: Tensor) -> tuple:
        gradients: list[Tensor | None] = [None]
        for each, dtype in zip(ctx.sums, ctx.types):
            gradients.append(None if each is None else (each * gradient).to(dtype))
        return tuple(gradients)


def _zeros_for(tensor: Tensor) -> Tensor:
    return torch.zeros_like(tensor, dtype=torch.float32, memory_format=torch.contiguous_format)


def _part(gradient: Tensor | None, place: Any) -> Tensor | None:
    return None if gradient is None else gradient[place]


def _leaf(tensor: Tensor, with_gradient: bool) -> Tensor:
    """A tensor at which a chunk's gradient stops; float32 for float16, whose range gradients leave."""
    tensor = tensor.detach()
    if tensor.dtype is torch.float16:
        tensor = tensor.float()
    return tensor.requires_grad_(with_gradient)


def _precision(image: Tensor) -> torch.autocast:
    """Autocast as around the maps that people share, except for float16: no loss scale reaches into a chunk."""
    is_bfloat16 = image.dtype is torch.bfloat16
    # without its cache, which would keep graphs of chunks that are gone
    return torch.autocast(image.device.type, torch.bfloat16, enabled=is_bfloat16, cache_enabled=False)


def _add_gradient(value: Tensor, inputs: Sequence[Tensor], places: Sequence[Tensor | None]) -> None:
    """Adds the gradient of ``value`` in each input to its place; None wants none."""
    wanted = [(tensor, place) for tensor, place in zip(inputs, places) if place is not None]
    tensors = [tensor for tensor, _ in wanted]
    with torch.autocast(value.device.type, enabled=False):
        gradients = torch.autograd.grad(value, tensors, allow_unused=True)
    for gradient, (_, place) in zip(gradients, wanted):
        if gradient is not None:
            place += gradient
