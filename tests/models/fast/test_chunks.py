"""People in chunks: neither the sum over them nor its gradient depends on how they are cut."""

from typing import NamedTuple

import numpy as np
import pytest
import torch

from cid_mmpose.models.fast.accumulate import sum_over_people
from cid_mmpose.models.fast.chunks import BUDGET, PEOPLE_AT_ONCE, Chunk, cells_in_budget, people_and_rows, people_chunks
from tests.helpers import oracle

IMAGE = torch.tensor([0, 0, 0, 2, 2])  # three people in the first image, nobody in the second, two in the third


def test_chunks_stay_within_an_image_and_a_size():
    assert people_chunks(IMAGE, 3, 2) == [Chunk(0, slice(0, 2)), Chunk(0, slice(2, 3)), Chunk(2, slice(3, 5))]
    assert people_chunks(IMAGE, 3, 9) == [Chunk(0, slice(0, 3)), Chunk(2, slice(3, 5))]
    assert people_chunks(IMAGE[:0], 3, 2) == []


def test_people_and_rows_stay_within_the_cells_and_cover_everyone_once():
    seen = np.zeros((5, 7), int)
    chunks = people_and_rows(IMAGE, 3, (7, 4), 30)
    for image, people, rows in chunks:
        assert set(IMAGE[people].tolist()) == {image}
        assert (people.stop - people.start) * (rows.stop - rows.start) * 4 <= 30
        seen[people, rows] += 1
    assert (seen == 1).all()
    # worked out by hand: three people of 4 cells a row take two rows at a time, two people three rows
    three, two = slice(0, 3), slice(3, 5)
    assert chunks == [Chunk(0, three, slice(y, min(y + 2, 7))) for y in (0, 2, 4, 6)] + [
        Chunk(2, two, slice(y, min(y + 3, 7))) for y in (0, 3, 6)
    ]


def test_rows_are_taken_apart_before_people_who_come_at_once():
    crowd = torch.zeros(2 * PEOPLE_AT_ONCE + 1, dtype=int)
    few, whole = people_and_rows(crowd, 1, (6, 4), PEOPLE_AT_ONCE * 8), people_and_rows(crowd, 1, (6, 4), 24 * 99)
    once, twice = PEOPLE_AT_ONCE, 2 * PEOPLE_AT_ONCE
    groups = [slice(0, once), slice(once, twice), slice(twice, twice + 1)]
    assert few == [Chunk(0, group, slice(y, y + 2)) for y in (0, 2, 4) for group in groups]  # rows first
    assert whole == [Chunk(0, slice(0, len(crowd)), slice(0, 6))]


def test_one_row_of_one_person_is_always_taken():
    assert people_and_rows(IMAGE[:2], 1, (3, 100), 1) == [
        Chunk(0, slice(i, i + 1), slice(y, y + 1)) for y in range(3) for i in range(2)
    ]
    assert people_and_rows(IMAGE[:0], 3, (3, 100), 1) == []


def test_the_cells_that_fit_a_budget_worked_out_by_hand():
    # 1 MiB holds 262144 numbers of 4 bytes
    assert cells_in_budget(1000, 1, torch.device('cpu')) == 262
    assert cells_in_budget(10**9, 1, torch.device('cpu')) == 1  # one always fits
    assert cells_in_budget(2**18, None, torch.device('cuda')) == BUDGET['cuda']


class Maps(NamedTuple):
    """Of images; the second field is never there."""

    maps: torch.Tensor
    other: torch.Tensor | None = None


class Vectors(NamedTuple):
    """Of people."""

    vectors: torch.Tensor


def setting(dtype=torch.float32):
    maps, vectors = oracle.normal(3, 4, 6).to(dtype), oracle.normal(5, 4, seed=1).to(dtype)
    weight = torch.nn.Parameter(oracle.normal(4, seed=2))
    return maps.requires_grad_(), vectors.requires_grad_(), weight


def term_of(weight):
    def term(chunk, image, people):
        return ((people.vectors * weight) @ image.maps).float().square().sum()

    return term


@pytest.mark.parametrize('size', [1, 2, 5])
def test_sum_and_gradients_equal_those_of_everyone_at_once(size):
    maps, vectors, weight = setting()
    total = sum_over_people(term_of(weight), people_chunks(IMAGE, 3, size), Maps(maps), Vectors(vectors), [weight])
    expected = torch.einsum('nd,ndp->np', vectors * weight, maps[IMAGE]).square().sum()
    assert total.item() == pytest.approx(expected.item(), rel=1e-6)
    ours = torch.autograd.grad(3 * total, [maps, vectors, weight])
    for one, other in zip(ours, torch.autograd.grad(3 * expected, [maps, vectors, weight])):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize('cells', [1, 4, 9])
def test_sum_and_gradients_do_not_depend_on_the_rows_of_a_chunk(cells):
    maps, vectors, weight = oracle.normal(3, 5, 2, 4), oracle.normal(5, 4, seed=1), oracle.normal(4, seed=2)
    tensors = [tensor.requires_grad_() for tensor in (maps, vectors, torch.nn.Parameter(weight))]

    def term(chunk, image, people):
        return (image.maps @ (people.vectors * tensors[2]).T).exp().sum()

    total = sum_over_people(term, people_and_rows(IMAGE, 3, (5, 2), cells), Maps(maps), Vectors(vectors), [tensors[2]])
    expected = torch.einsum('nhwd,nd->nhw', maps[IMAGE], vectors * tensors[2]).exp().sum()
    assert total.item() == pytest.approx(expected.item(), rel=1e-6)
    for one, other in zip(torch.autograd.grad(total, tensors), torch.autograd.grad(expected, tensors)):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5 * other.abs().max())


def test_nobody_is_zero_with_zero_gradients():
    maps, vectors, weight = setting()
    total = sum_over_people(term_of(weight), [], Maps(maps), Vectors(vectors[:0]), [weight])
    total.backward()
    assert total.item() == 0 and not maps.grad.any() and not weight.grad.any()


def test_what_needs_no_gradient_gets_none():
    maps, vectors, weight = setting()
    frozen = maps.detach()
    chunks = people_chunks(IMAGE, 3, 2)
    sum_over_people(term_of(weight), chunks, Maps(frozen), Vectors(vectors), [weight]).backward()
    assert frozen.grad is None and weight.grad.any()
    with torch.no_grad():
        total = sum_over_people(term_of(weight), chunks, Maps(maps), Vectors(vectors), [weight])
    assert not total.requires_grad and total > 0


@pytest.mark.parametrize('dtype, inside', [(torch.bfloat16, torch.bfloat16), (torch.float16, torch.float32)])
def test_under_autocast_bfloat16_stays_and_float16_whose_range_gradients_leave_is_widened(dtype, inside):
    oracle.skip_unless_autocast_knows(dtype)
    maps, vectors, weight = setting(dtype)
    seen = []

    def term(chunk, image, people):
        product = people.vectors @ image.maps
        seen.append(product.dtype)
        return 1e-9 * product.float().sum() + 0 * weight.sum()

    with torch.autocast('cpu', dtype):
        total = sum_over_people(term, people_chunks(IMAGE, 3, 2), Maps(maps), Vectors(vectors), [weight])
    (total * 2**20).backward()  # a loss scale, which comes too late for what is formed before it
    assert set(seen) == {inside} and maps.grad.dtype == dtype and maps.grad.any()


def test_half_precision_gradients_of_many_chunks_are_added_in_float32():
    ones = torch.ones(1, 1, 1, dtype=torch.bfloat16, requires_grad=True)
    people = torch.ones(1000, 1, dtype=torch.bfloat16)
    chunks = people_chunks(torch.zeros(1000, dtype=int), 1, 1)
    sum_over_people(
        lambda chunk, image, mine: (mine.vectors @ image.maps).float().sum(), chunks, Maps(ones), Vectors(people), []
    ).backward()
    assert ones.grad.item() == 1000  # bfloat16 by itself stops at 256
