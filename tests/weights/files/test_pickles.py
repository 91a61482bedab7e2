"""Plain data in a pickle: how deep, and whether inside itself."""

import pytest

from cid_mmpose.weights.files import Refused
from cid_mmpose.weights.files.pickles import check_data


def nested(depth: int, kind) -> list:
    inside = 1
    for _ in range(depth):
        inside = kind(inside)
    return inside


@pytest.mark.parametrize(
    'kind',
    [lambda inside: [inside], lambda inside: (inside,), lambda inside: {'a': inside}],
    ids=['list', 'tuple', 'dict'],
)
def test_containers_are_read_to_a_depth_of_a_hundred(kind):
    check_data(nested(100, kind))
    with pytest.raises(Refused, match='nested deeper than 100'):
        check_data(nested(102, kind))


def test_a_list_inside_itself_and_one_shared_below_many_are_told_apart():
    loop: list = []
    loop.append(loop)
    with pytest.raises(Refused, match='nested deeper'):
        check_data(loop)
    shared: list = [1]
    for _ in range(60):
        shared = [shared, shared]  # 2**60 ways to the innermost
    check_data(shared)
    chain = nested(60, lambda inside: [inside])
    with pytest.raises(Refused, match='nested deeper'):
        check_data([chain, nested(60, lambda inside: [inside, chain])])
