"""Figures, times and names as pages write them."""

from __future__ import annotations

import pytest

from figwatch_agent.durations import DAY, HOUR, MINUTE, SECOND
from figwatch_agent.report import words as report_words
from figwatch_agent.web import pages_words as words

AT = "2026-11-22T20:11:08.166Z"


@pytest.mark.parametrize(
    ("duration", "said"),
    [
        (0, "just now"),
        (999, "just now"),
        (SECOND, "1 s ago"),
        (59 * SECOND, "59 s ago"),
        (MINUTE, "1 min ago"),
        (119 * MINUTE, "119 min ago"),
        (2 * HOUR, "2 h ago"),
        (47 * HOUR, "47 h ago"),
        (3 * DAY, "3 d ago"),
    ],
)
def test_an_age_is_said_in_one_unit(duration: int, said: str) -> None:
    assert words.age(duration) == said


def test_times_name_their_zone() -> None:
    assert words.moment(AT) == "22 Nov 2026, 20:11:08 UTC"
    assert words.clock(AT) == "20:11:08 UTC"
    assert words.ago("2026-11-22T20:10:08.166Z", AT) == (
        '<time class="age" datetime="2026-11-22T20:10:08.166Z" title="22 Nov 2026, 20:10:08 UTC">1 min ago</time>'
    )


@pytest.mark.parametrize(
    "said",
    [
        words.count(None),
        words.burn(None),
        words.between(None),
        words.milliseconds(None),
        words.lasting(None),
        words.moment(None),
        report_words.budget(None),
        words.ago(None, AT),
        words.when(None),
        words.at_clock(None),
    ],
)
def test_unknown_is_said_as_unknown(said: str) -> None:
    assert said == "unknown"


def test_figures_carry_their_units() -> None:
    assert words.count(1234567) == "1\u202f234\u202f567"
    assert words.burn(41.54) == "41.5×"
    assert words.milliseconds({"low": 75, "high": 100}) == "75–100 ms"
    assert words.milliseconds({"low": 10000, "high": None}) == "> 10000 ms"
    assert words.between({"low": 0.5, "high": 1}, "ratio") == "50% to 100%"


def test_a_budget_below_nothing_says_how_often_it_was_spent() -> None:
    assert report_words.budget(0.25) == "25%"
    assert report_words.budget(0) == "0%"
    assert report_words.budget(-1.5) == "spent 2.5×"


def test_paths_break_after_their_marks_and_stay_text() -> None:
    assert words.breakable("/a-b/<i>") == "/<wbr>a-<wbr>b/<wbr>&lt;i&gt;"


def test_a_route_is_found_under_its_own_path() -> None:
    assert words.route_path("/api/v1/chat/{id}") == "/routes/api/v1/chat/%7Bid%7D"
    assert words.route_path("odd name?") == "/routes/odd%20name%3F"


@pytest.mark.parametrize(
    ("written", "said"),
    [("30d", "30 days"), ("1d", "1 day"), ("1m", "1 min"), ("1h30m", "1 h 30 min"), ("20s", "20 s")],
)
def test_a_length_of_time_is_written_for_people(written: str, said: str) -> None:
    assert words.long(written) == said
