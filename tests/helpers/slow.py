"""Which of the values that a test is repeated for belong to the quick tests."""

from collections.abc import Collection, Iterable

import pytest


def slow_but(quick: Collection, values: Iterable) -> list:
    """The values for ``pytest.mark.parametrize``, of which all but some are left to the slow tests.

    Args:
        quick: those that are not; each is one of the values.
        values: all of them.
    """
    values = list(values)
    unknown = [value for value in quick if value not in values]
    assert not unknown, f'{unknown}: none of the values'
    return [value if value in quick else pytest.param(value, marks=pytest.mark.slow) for value in values]
