"""What the page takes from events, which anybody can send."""

from types import SimpleNamespace

import pytest

from cid_mmpose.web.page import sent


@pytest.mark.parametrize('data', [None, [], [1], 'x', 5])
def test_an_event_that_is_not_the_page_s_brings_nothing(data):
    assert sent(SimpleNamespace(_data=data)) == {}


def test_an_event_of_the_page_brings_what_it_has():
    assert sent(SimpleNamespace(_data={'x': 1})) == {'x': 1}
