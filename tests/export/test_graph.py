"""What a graph cannot be made for is said before it is tried."""

import pytest

from cid_mmpose.errors import BadInput
from cid_mmpose.export.graph import check_rows
from cid_mmpose.runtime.predictor import least_side


def test_more_people_than_the_largest_image_has_cells_are_one_line():
    check_rows(2**20, least_side(2**20, 4))
    with pytest.raises(BadInput, match=r'^max_people=1048577: images would need sides of 4128 pixels .*; take fewer$'):
        check_rows(2**20 + 1, least_side(2**20 + 1, 4))
