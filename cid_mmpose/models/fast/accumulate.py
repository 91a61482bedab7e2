"""A sum over everyone with its gradient, of which only one chunk's maps are there at a time.

What it saves: the memory of all people's maps and of their graph. Why it is equal: the gradient of a sum is the sum of
the gradients of its parts, so that of a chunk is formed right after its value, and the chunk's maps are freed before
the next ones are made.

B images, N people of all images, n of a chunk, (H, W) cells of their maps, h rows of a chunk.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from .chunks import Chunk


def sum_over_people(
    term: Callable, chunks: Sequence[Chunk], image_terms: tuple, person_terms: tuple, parameters: Sequence[Tensor]
) -> Tensor:
    """Sum over chunks of term(chunk, its part of ``image_terms``, its part of ``person_terms``); differentiable once.

    Args:
        term: gives a scalar; it may depend on no other tensors that need a gradient than ``parameters``.
        chunks: all people in all rows.
        image_terms: a named tuple whose fields are tensors (B, H, ...) or None; ``term`` gets the rows (h, ...) of the
            chunk.
        person_terms: a named tuple whose fields are tensors (N, ...) or None; ``term`` gets the people (n, ...) of the
            chunk.
        parameters: that ``term`` uses by itself.

    Returns:
        float32 scalar; 0, with zero gradients, for nobody.
    """
    image_fields = Fields(image_terms)
    person_fields = Fields(person_terms)
    tensors = image_fields.tensors(image_terms) + person_fields.tensors(person_terms) + list(parameters)
    needs_gradient = any(tensor.requires_grad for tensor in tensors)
    job = Job(term, chunks, image_fields, person_fields, torch.is_grad_enabled() and needs_gradient)
    return _Sum.apply(job, *tensors)


class Fields:
    """Which fields of a named tuple are tensors, and how to make it of those again.

    Args:
        example: the named tuple.
    """

    def __init__(self, example: tuple) -> None:
        self.kind: Any = type(example)
        self.is_tensor = [field is not None for field in example]

    def __len__(self) -> int:
        return sum(self.is_tensor)

    def tensors(self, terms: tuple) -> list[Tensor]:
        """The fields that are tensors."""
        return [field for field in terms if field is not None]

    def named(self, tensors: Sequence[Tensor]) -> Any:
        """The named tuple of such tensors."""
        remaining = iter(tensors)
        fields = []
        for is_tensor in self.is_tensor:
            fields.append(next(remaining) if is_tensor else None)
        return self.kind(*fields)


class Groups(NamedTuple):
    """Tensors, or what belongs to each of them, by where they come from."""

    image: list
    person: list
    parameters: list


class Job(NamedTuple):
    """What there is to add up."""

    term: Callable
    chunks: Sequence[Chunk]
    image_fields: Fields
    person_fields: Fields
    with_gradient: bool

    def split(self, items: Sequence) -> Groups:
        """The groups of one item for each tensor."""
        first_person = len(self.image_fields)
        first_parameter = first_person + len(self.person_fields)
        return Groups(
            image=list(items[:first_person]),
            person=list(items[first_person:first_parameter]),
            parameters=list(items[first_parameter:]),
        )


class _Sum(torch.autograd.Function):
    """``sum_over_people``.

    ``forward`` already forms the gradient of each chunk, while its maps are there; ``backward`` only scales the sums.
    Inside an autograd function nothing is recorded, so grad mode is switched on by hand.
    """

    @staticmethod
    def forward(ctx, job: Job, *tensors: Tensor) -> Tensor:
        total = tensors[0].new_zeros((), dtype=torch.float32)
        gradients = []  # float32, one for each tensor; None where none is wanted
        for tensor in tensors:
            is_wanted = job.with_gradient and tensor.requires_grad
            gradients.append(_zeros_for(tensor) if is_wanted else None)

        for chunk in job.chunks:
            total += _add_chunk(job, chunk, job.split(tensors), job.split(gradients))

        ctx.gradients = gradients
        ctx.dtypes = [tensor.dtype for tensor in tensors]
        return total

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, gradient: Tensor) -> tuple:
        scaled: list[Tensor | None] = [None]  # of the job
        for each, dtype in zip(ctx.gradients, ctx.dtypes):
            scaled.append(None if each is None else (each * gradient).to(dtype))
        return tuple(scaled)


def _add_chunk(job: Job, chunk: Chunk, tensors: Groups, gradients: Groups) -> Tensor:
    """The value of a chunk; its gradient is added, in place, to ``gradients``."""
    rows_of_image = (chunk.image, chunk.rows)
    image_part = [_leaf(tensor[rows_of_image], job.with_gradient) for tensor in tensors.image]
    person_part = [_leaf(tensor[chunk.people], job.with_gradient) for tensor in tensors.person]
    with _autocast(tensors.image[0]), torch.set_grad_enabled(job.with_gradient):
        value = job.term(chunk, job.image_fields.named(image_part), job.person_fields.named(person_part))

    if job.with_gradient:
        # views of the sums, which take the gradients of this chunk
        image_sums = [_part(gradient, rows_of_image) for gradient in gradients.image]
        person_sums = [_part(gradient, chunk.people) for gradient in gradients.person]
        inputs = image_part + person_part + tensors.parameters
        _add_gradient(value, inputs, image_sums + person_sums + gradients.parameters)
    return value.detach()


def _zeros_for(tensor: Tensor) -> Tensor:
    return torch.zeros_like(tensor, dtype=torch.float32, memory_format=torch.contiguous_format)


def _part(gradient: Tensor | None, index: Any) -> Tensor | None:
    if gradient is None:
        return None
    return gradient[index]


def _leaf(tensor: Tensor, with_gradient: bool) -> Tensor:
    """A tensor at which a chunk's gradient stops; float32 for float16, which gradients can overflow."""
    tensor = tensor.detach()
    if tensor.dtype is torch.float16:
        tensor = tensor.float()
    return tensor.requires_grad_(with_gradient)


def _autocast(tensor: Tensor) -> torch.autocast:
    """Autocast to bfloat16 if the maps that people share are; float32 otherwise, also for float16.

    GradScaler's factor is applied after this function, so float16 gradients would underflow here.
    """
    is_bfloat16 = tensor.dtype is torch.bfloat16
    # without its cache, which would keep graphs of chunks that are gone
    return torch.autocast(tensor.device.type, torch.bfloat16, enabled=is_bfloat16, cache_enabled=False)


def _add_gradient(value: Tensor, inputs: Sequence[Tensor], sums: Sequence[Tensor | None]) -> None:
    """Adds the gradient of ``value`` in each input to its sum, in place; an input whose sum is None needs none."""
    wanted = [(tensor, total) for tensor, total in zip(inputs, sums) if total is not None]
    tensors = [tensor for tensor, _ in wanted]
    with torch.autocast(value.device.type, enabled=False):
        gradients = torch.autograd.grad(value, tensors, allow_unused=True)
    for gradient, (_, total) in zip(gradients, wanted):
        if gradient is not None:
            total += gradient
