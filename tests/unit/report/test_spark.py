"""Sparklines say what happened without a drawing, and never take what is unknown for nothing."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from figwatch_agent.report.spark import BLOCKS, PLAIN, UNKNOWN, spark


def test_heights_rise_with_the_ratio() -> None:
    assert spark([Fraction(i, 7) for i in range(8)], 8) == "▁▂▃▄▅▆▇█"


def test_time_that_was_not_measured_is_a_dot() -> None:
    assert spark([Fraction(0), None, Fraction(1)], 3) == "▁·█"


def test_the_least_traffic_on_legacy_never_looks_like_none() -> None:
    assert spark([Fraction(1, 10**9), Fraction(0)], 2) == "▂▁"


def test_of_many_values_in_one_character_the_highest_is_shown() -> None:
    assert spark([Fraction(0), Fraction(1), Fraction(0), Fraction(0)], 2) == "█▁"


def test_a_terminal_of_ascii_gets_ascii() -> None:
    assert spark([Fraction(0), Fraction(1, 2), None], 3, PLAIN).isascii()


@given(
    st.lists(st.none() | st.fractions(0, 1), max_size=200),
    st.integers(1, 60),
    st.sampled_from([BLOCKS, PLAIN]),
)
def test_it_is_as_long_as_asked_and_holds_nothing_else(ratios: list[Fraction | None], width: int, heights: str) -> None:
    drawn = spark(ratios, width, heights)
    assert len(drawn) == min(width, len(ratios))
    assert set(drawn) <= {*heights, UNKNOWN[heights]}
    assert (UNKNOWN[heights] in drawn) <= (None in ratios)
