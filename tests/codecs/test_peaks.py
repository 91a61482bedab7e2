"""Peaks: the highest cell of each map, its neighbours, and peaks of rows put together."""

import torch

from cid_mmpose.codecs import Peaks, find_peaks, higher_peaks, no_peaks
from cid_mmpose.models.fast.chunks import people_and_rows
from cid_mmpose.models.fast.person_peaks import read_peaks
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
    found = no_peaks(1, 1, maps.device)
    chunks = people_and_rows(whole, 1, (6, 3), 3)
    read_peaks(lambda chunk: maps[chunk.people, :, chunk.rows], chunks, found, 1, 6)
    assert found.value.isnan().all()


def test_nobody_has_no_peaks():
    assert [part.shape for part in find_peaks(torch.zeros(0, 3, 4, 5))] == [(0, 3), (0, 3, 2), (0, 3, 2)]
