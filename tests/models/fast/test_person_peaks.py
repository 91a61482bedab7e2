"""Peaks read from a few rows of a few people at a time are those of the whole maps."""

import numpy as np
import pytest
import torch

from cid_mmpose.codecs import find_peaks, no_peaks
from cid_mmpose.models.fast.chunks import Chunk, people_and_rows
from cid_mmpose.models.fast.person_peaks import read_peaks, with_margin
from cid_mmpose.models.roots import smooth
from tests.helpers import oracle


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
    found = no_peaks(3, 4, maps.device)
    read_peaks(lambda chunk: maps[chunk.people, :, chunk.rows], chunks, found, blur, 11, fields)
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
