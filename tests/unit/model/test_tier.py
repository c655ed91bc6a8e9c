"""Tiers: their factors, and those that come by default."""

from fractions import Fraction

import pytest

from figwatch_agent.durations import DAY
from figwatch_agent.model.names import Severity
from figwatch_agent.model.tier import DEFAULT_TIERS, early_possible


@pytest.mark.parametrize(
    ("period", "factors"),
    [
        (30 * DAY, ["14.4", "6", "3", "1"]),
        (28 * DAY, ["13.44", "5.6", "2.8", "14/15"]),
    ],
)
def test_default_tiers_have_the_factors_of_their_period(period: int, factors: list[str]) -> None:
    assert [tier.factor(period) for tier in DEFAULT_TIERS] == [Fraction(factor) for factor in factors]


def test_default_short_windows_are_a_twelfth_of_the_long_ones() -> None:
    assert [tier.long for tier in DEFAULT_TIERS] == [12 * tier.short for tier in DEFAULT_TIERS]


def test_the_default_tiers_page_twice_and_open_tickets_twice() -> None:
    assert [tier.severity for tier in DEFAULT_TIERS] == [Severity.PAGE] * 2 + [Severity.TICKET] * 2


def test_default_tiers_are_named_by_their_long_windows() -> None:
    assert [tier.name for tier in DEFAULT_TIERS] == ["1h", "6h", "1d", "3d"]


@pytest.mark.parametrize(
    ("objective", "possible"),
    [
        (Fraction(999, 1000), True),
        (Fraction(901, 1000), True),  # p0 = 49.5 %
        (Fraction(9, 10), False),  # p0 = 50 %
        (Fraction(1, 2), False),
    ],
)
def test_the_early_lane_is_off_from_an_objective_of_ninety_percent(objective: Fraction, possible: bool) -> None:
    assert early_possible(objective) is possible
