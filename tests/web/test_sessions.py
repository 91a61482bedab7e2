"""Open pages: each has its own session, no more than some are held, and nobody reaches that of another."""

from cid_mmpose.web.candidates import Sliders
from cid_mmpose.web.sessions import Sessions

START = Sliders(0.3, 0.8)


def test_two_pages_do_not_share_a_session():
    sessions = Sessions(START)
    first, second = sessions.of('one'), sessions.of('two')
    first.sliders = Sliders(0.5, 0.5)
    assert second.sliders == START and first.token != second.token
    assert sessions.of('one') is first and sessions.of('two') is second


def test_of_too_many_pages_the_one_that_was_used_longest_ago_is_forgotten():
    sessions = Sessions(START, most=2)
    first, second = sessions.of('one'), sessions.of('two')
    assert sessions.of('one') is first
    sessions.of('three')
    assert len(sessions) == 2 and sessions.of('one') is first
    assert sessions.of('two') is not second


def test_a_session_is_found_by_its_token_alone():
    sessions = Sessions(START)
    first, second = sessions.of('one'), sessions.of('two')
    assert sessions.with_token(second.token) is second and sessions.with_token(first.token) is first
    assert [sessions.with_token(token) for token in ('', 'one', first.token[:-1], 'é', '\ud800')] == [None] * 5


def test_a_page_that_was_closed_is_forgotten():
    sessions = Sessions(START)
    token = sessions.of('one').token
    sessions.forget('one')
    sessions.forget('one')
    assert len(sessions) == 0 and sessions.with_token(token) is None
