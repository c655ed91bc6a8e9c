"""Ratios as decimals: whole where they end, thirty places and a fraction where they never do."""

from __future__ import annotations

from fractions import Fraction

import pytest

from figwatch_agent.report.exact import decimal, fraction


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (Fraction(0), "0"),
        (Fraction(1), "1"),
        (Fraction(100), "100"),  # zeros before the point stay
        (Fraction(1, 8), "0.125"),
        (Fraction(999, 1000), "0.999"),
        (Fraction(-7, 2), "-3.5"),
        (Fraction(1, 2**40), "0.0000000000009094947017729282379150390625"),  # more than thirty, and they end
        (Fraction(1, 3), "0." + "3" * 30),
        (Fraction(2, 3), "0." + "6" * 29 + "7"),
        (Fraction(-1, 3), "-0." + "3" * 30),
        (Fraction(10, 3), "3." + "3" * 30),
    ],
)
def test_a_ratio_is_written_whole_or_with_thirty_decimals(value: Fraction, written: str) -> None:
    assert decimal(value) == written
    assert fraction(value) == f"{value.numerator}/{value.denominator}"


def test_what_is_not_known_is_not_written() -> None:
    assert (decimal(None), fraction(None)) == (None, None)
