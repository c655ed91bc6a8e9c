"""Decisions on bounded windows against a list of events: what is called certain is never wrong."""

from fractions import Fraction

import pytest

from simulate.certified import HEADS, Score, always, scores, weekly
from simulate.story import DAY, SECOND, Kind, story_of
from simulate.tables import DOCS, published

SHORT = (
    Kind("every second for half an hour", SECOND, 1_800 * SECOND),
    Kind("every minute for a day", 60 * SECOND, DAY),
)
MIDDLE = Kind("every 10 s for half a day", 10 * SECOND, DAY // 2)
LONG = Kind("every ten minutes for 33 days", 600 * SECOND, 33 * DAY)  # counts outgrow 32 bits
LEAST = Fraction(9999, 10_000)
LEAST_OF_FEW = Fraction(999, 1000)
"""Of 128 stories: looks at one story are alike, and two unlucky ones are a share that ten million looks do not have."""


def nothing_is_wrong(score: Score) -> None:
    for tally in (score.decisions, score.windows, score.near):
        assert (tally.wrong, tally.overbold) == (0, 0)


def test_no_certified_decision_is_wrong_and_no_other_is_too_bold() -> None:
    found = scores([story_of(kind, 40, 100 + place, always(kind)) for place, kind in enumerate(SHORT)], looks=100)
    for score in found.values():
        nothing_is_wrong(score)
        assert score.decisions.made >= 40_000
        assert 0 < score.near.certified < score.near.made


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_of_a_quarter_of_a_million_ordinary_decisions_few_are_in_doubt_and_none_that_is_certified_is_wrong() -> None:
    kinds = (MIDDLE, LONG)
    found = scores([story_of(kind, 64, 200 + place, weekly(kind)) for place, kind in enumerate(kinds)], looks=400)
    for score in found.values():
        nothing_is_wrong(score)
    assert found["default"].decisions.made >= 250_000
    assert found["default"].decisions.share >= LEAST_OF_FEW
    assert found["compact"].decisions.share <= found["default"].decisions.share


def test_the_published_table_shows_ten_million_decisions_and_none_that_is_certified_and_wrong() -> None:
    rows = published(DOCS / "certified.md", "certified")
    assert list(rows[0]) == list(HEADS)
    assert {row["certified and wrong"] for row in rows} == {"0"}
    assert {row["not certified and too bold"] for row in rows} == {"0"}
    ordinary = {
        row["layout"]: row for row in rows if row["faults"] == "a fault a week" and row[HEADS[2]] == "decisions"
    }
    assert set(ordinary) == {"default", "compact"}
    for row in ordinary.values():
        assert number(row["decided"]) >= 10_000_000
    default = ordinary["default"]
    assert Fraction(number(default["certified"]), number(default["decided"])) >= LEAST


def number(cell: str) -> int:
    return int(cell.replace(",", ""))
