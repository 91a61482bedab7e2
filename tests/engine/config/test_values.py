"""Whether a value is of the kind that an annotation says."""

from typing import Optional

import pytest

from cid_mmpose.engine.config.values import fits, in_words

OPTIONAL_INT = Optional[int]  # noqa: UP045  older parts of the stack write it so


@pytest.mark.parametrize(
    'value, kind, right',
    [
        (3, int, True),
        (True, int, False),
        (3.0, int, False),
        (3, float, True),
        (float('nan'), float, False),
        ([1, 2], tuple, True),
        ('ab', list, False),
        (None, int | None, True),
        (None, OPTIONAL_INT, True),
        ('x', OPTIONAL_INT, False),
    ],
)
def test_kinds_are_told_apart(value, kind, right):
    assert fits(value, kind) is right


def test_kinds_are_said_in_words():
    assert in_words(OPTIONAL_INT) == 'a whole number or None'
