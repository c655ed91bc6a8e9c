"""Sessions: whose they are, when they end, how many there are."""

import itertools

import pytest

from figwatch_agent.durations import HOUR
from figwatch_agent.web.session import IDLE, LONGEST, Sessions


def sessions(most: int = 10) -> Sessions:
    """Sessions whose secrets can be told apart."""
    numbers = itertools.count()
    return Sessions(lambda: f"secret-{next(numbers)}", most)


def test_a_session_is_found_by_its_id_alone() -> None:
    kept = sessions()
    id_, session = kept.begin("team", "operate", 0)
    assert kept.find(id_, 1) is session
    assert kept.find("another", 1) is None
    assert kept.find("", 1) is None
    assert kept.find("\udc80", 1) is None


@pytest.mark.parametrize(("silence", "there"), [(IDLE, True), (IDLE + 1, False)])
def test_a_session_ends_when_nothing_is_asked_for_an_hour(silence: int, there: bool) -> None:
    kept = sessions()
    id_, _ = kept.begin("team", "operate", 0)
    assert (kept.find(id_, silence) is not None) is there


@pytest.mark.parametrize(("later", "there"), [(0, True), (1, False)])
def test_a_session_ends_after_twelve_hours_however_much_is_asked(later: int, there: bool) -> None:
    kept = sessions()
    id_, _ = kept.begin("team", "operate", 0)
    for hour in range(LONGEST // HOUR + 1):
        assert kept.find(id_, hour * HOUR) is not None
    assert (kept.find(id_, LONGEST + later) is not None) is there


def test_a_session_that_was_ended_is_gone_and_ending_it_again_is_harmless() -> None:
    kept = sessions()
    id_, _ = kept.begin("team", "operate", 0)
    kept.end(id_)
    kept.end(id_)
    assert kept.find(id_, 0) is None


def test_one_too_many_ends_the_one_that_was_idle_longest() -> None:
    kept = sessions(most=2)
    first, _ = kept.begin("a", "view", 0)
    second, _ = kept.begin("b", "view", 1)
    kept.find(first, 2)
    third, _ = kept.begin("c", "view", 3)
    assert [kept.find(each, 4) is not None for each in (first, second, third)] == [True, False, True]
    assert len(kept) == 2


def test_ended_ones_make_room_first() -> None:
    kept = sessions(most=2)
    kept.begin("a", "view", 0)
    live, _ = kept.begin("b", "view", IDLE)
    kept.begin("c", "view", IDLE + 1)
    assert kept.find(live, IDLE + 1) is not None


def test_forms_of_one_session_are_not_those_of_another() -> None:
    kept = sessions()
    _, first = kept.begin("team", "operate", 0)
    _, second = kept.begin("team", "operate", 0)
    assert first.owns(first.form_token())
    assert not first.owns(second.form_token())
    assert not first.owns("")
    assert not first.owns("ä" * 64)


def test_a_session_does_not_show_its_secret() -> None:
    _, session = sessions().begin("team", "operate", 0)
    assert "secret" not in repr(session)
