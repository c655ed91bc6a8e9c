"""Exact figures become JSON without NaN, Inf or a rounding that says more than is known."""

from __future__ import annotations

import json
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from figwatch_agent.report.numbers import number, seconds, text

FRACTIONS = st.fractions()


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (Fraction(1, 5), 0.2),
        (Fraction(999, 1000), 0.999),
        (Fraction(2, 3), 0.666666667),
        (Fraction(0), 0),
        (Fraction(1), 1),
        (Fraction(-3, 2), -1.5),
        (1 - Fraction(1, 10**12), 0.999999999),  # nearly all is not all
        (Fraction(1, 10**12), 0.000000001),  # nearly none is not none
        (Fraction(10**400, 3), round(Fraction(10**400, 3))),  # beyond a double
    ],
)
def test_a_ratio_is_rounded_at_nine_decimals(value: Fraction, shown: float) -> None:
    assert number(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (Fraction(1, 5), "0.2"),
        (Fraction(1), "1"),
        (Fraction(0), "0"),
        (Fraction(-1, 8), "-0.125"),
        (Fraction(1, 3), "0.333333333333"),
        (Fraction(1, 10**15), "0.000000000001"),
        (Fraction(-1, 10**15), "-0.000000000001"),
    ],
)
def test_a_text_is_exact_where_twelve_decimals_hold_it(value: Fraction, shown: str) -> None:
    assert text(value) == shown


def test_what_is_not_known_is_null() -> None:
    assert number(None) is None
    assert text(None) is None


def test_whole_seconds_stay_whole() -> None:
    assert (seconds(5000), seconds(1500)) == (5, 1.5)


@given(FRACTIONS)
def test_a_number_is_near_the_figure_and_whole_only_if_the_figure_is(value: Fraction) -> None:
    shown = number(value)
    assert shown is not None
    assert abs(Fraction(shown) - value) <= max(Fraction(1001, 10**12), abs(value) / 10**14)
    assert json.loads(json.dumps(shown, allow_nan=False)) == shown
    if abs(value) < 10**6:
        assert (shown == int(shown)) == (value.denominator == 1)


@given(FRACTIONS)
def test_a_text_is_near_the_figure_and_reads_as_a_decimal(value: Fraction) -> None:
    shown = text(value)
    assert shown is not None
    assert abs(Fraction(Decimal(shown)) - value) <= Fraction(1, 10**12)
