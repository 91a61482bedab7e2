"""Peaks: the highest cell of each map, its neighbours, and peaks of rows put together."""

import numpy as np
import pytest
import torch

from cid_mmpose.codecs import Peaks, find_peaks, higher_peaks, no_peaks
from cid_mmpose.models.fast.chunks import Chunk, people_and_rows
from cid_mmpose.models.fast.person_peaks import read_peaks, with_margin
from cid_mmpose.models.roots import smooth
from tests.helpers import oracle


def as_lists(peaks):
    return [part.tolist() for part in peaks]


def test_the_peak_of_a_map_worked_out_by_hand():
    maps = torch.zeros(1, 1, 4, 5)
    maps[0, 0, 2, 1:4] = torch.tensor([0.25, 0.75, 0.5])  # left, peak, right
    maps[0, 0, [1, 3], 2] = torch.tensor([0.125, 0.0])  # upper, lower
    assert as_lists(find_peaks(maps)) == [[[0.75]], [[[2, 2]]], [[[0.25, -0.125]]]]


def test_a_cell_on_the_border_stands_in_for_its_neighbour_off_the_map():
    maps = torch.zeros(1, 1, 2, 3)
    maps[0, 0, 0] = torch.tensor([0.5, 0.25, 0.0])
    assert as_lists(find_peaks(maps)) == [[[0.5]], [[[0, 0]]], [[[-0.25, -0.5]]]]


def test_of_equal_cells_the_first_one_in_reading_order_is_the_peak():
    maps = torch.full((1, 1, 3, 3), 0.5)
    maps[0, 0, 0] = 0
    assert find_peaks(maps).cell.tolist() == [[[0, 1]]]


def test_a_peak_is_looked_for_in_some_rows_and_its_neighbours_in_all():
    maps = torch.arange(20.0).view(1, 1, 4, 5)
    assert as_lists(find_peaks(maps, slice(1, 3))) == [[[14.0]], [[[4, 2]]], [[[1.0, 10.0]]]]


def test_the_layout_in_memory_changes_nothing():
    maps = oracle.uniform(3, 4, 6, 7)
    by_cell = maps.permute(2, 3, 0, 1).contiguous().permute(2, 3, 0, 1)
    assert as_lists(find_peaks(maps)) == as_lists(find_peaks(by_cell))


def test_the_higher_of_two_peaks_and_the_first_of_equal_ones():
    one = Peaks(torch.tensor([[1.0, 2.0, 3.0]]), torch.zeros(1, 3, 2, dtype=int), torch.zeros(1, 3, 2))
    other = Peaks(torch.tensor([[1.0, 5.0, 0.0]]), torch.ones(1, 3, 2, dtype=int), torch.ones(1, 3, 2))
    assert as_lists(higher_peaks(one, other)) == [[[1, 5, 3]], [[[0, 0], [1, 1], [0, 0]]], [[[0, 0], [1, 1], [0, 0]]]]
    assert as_lists(higher_peaks(no_peaks(1, 3, torch.device('cpu')), other)) == as_lists(other)


def test_a_map_that_is_no_number_stays_none_whatever_the_rows():
    maps = torch.zeros(1, 1, 6, 3)
    maps[0, 0, 2, 1] = torch.nan
    whole = torch.zeros(1, dtype=int)
    found = read_peaks(
        lambda chunk: maps[chunk.people, :, chunk.rows],
        people_and_rows(whole, 1, (6, 3), 3),
        no_peaks(1, 1, maps.device),
        1,
        6,
    )
    assert found.value.isnan().all()


def test_nobody_has_no_peaks():
    assert [part.shape for part in find_peaks(torch.zeros(0, 3, 4, 5))] == [(0, 3), (0, 3, 2), (0, 3, 2)]


def test_a_margin_ends_at_the_border():
    assert [with_margin(slice(*rows), 2, 9) for rows in ((0, 3), (3, 6), (6, 9))] == [
        slice(0, 5),
        slice(1, 8),
        slice(4, 9),
    ]


@pytest.mark.parametrize('blur', [1, 3, 5])
@pytest.mark.parametrize('cells', [1, 40, 10**6])
def test_peaks_read_in_parts_equal_those_of_whole_smoothed_maps(blur, cells):
    image, maps = torch.tensor([0, 0, 1]), oracle.uniform(3, 4, 11, 8)
    maps[1, 2] = 0.5  # a plateau: the first cell in reading order counts, whatever the parts
    expected = find_peaks(smooth(maps, blur))
    fields = torch.zeros(2, 4, 11, 8)
    chunks = people_and_rows(image, 2, (11, 8), cells)
    found = read_peaks(
        lambda chunk: maps[chunk.people, :, chunk.rows], chunks, no_peaks(3, 4, maps.device), blur, 11, fields
    )
    assert found.cell.tolist() == expected.cell.tolist()
    np.testing.assert_allclose(found.value, expected.value, rtol=1e-6)
    np.testing.assert_allclose(found.rise, expected.rise, atol=1e-6)
    np.testing.assert_allclose(fields, torch.stack([maps[:2].amax(0), maps[2]]))


def test_a_chunk_asks_for_no_more_than_its_rows_and_their_margin():
    asked = []

    def scores_of(chunk):
        asked.append(chunk)
        return torch.zeros(1, 2, chunk.rows.stop - chunk.rows.start, 8)

    chunks = [Chunk(0, slice(0, 1), slice(y, y + 4)) for y in (0, 4, 8)]
    read_peaks(scores_of, chunks, no_peaks(1, 2, torch.device('cpu')), 3, 12)
    assert [chunk.rows for chunk in asked] == [slice(0, 6), slice(2, 10), slice(6, 12)]
