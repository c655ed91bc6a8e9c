"""Error budgets: sums of counts, exact, and unknown where there was no traffic."""

from fractions import Fraction

import pytest

from figwatch_agent.evaluate.error_budget import Budget, budget_remaining, error_ratio, time_to_exhaustion

DAY = 86_400_000
THREE_NINES = Fraction(999, 1000)


def test_error_ratio_is_exact() -> None:
    assert error_ratio(1, 3) == Fraction(1, 3)


def test_no_traffic_has_no_error_ratio() -> None:
    assert error_ratio(0, 0) is None


def test_more_good_events_than_events_are_shown_and_not_clipped() -> None:
    assert error_ratio(-2, 100) == Fraction(-1, 50)


def test_a_negative_total_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot be negative"):
        error_ratio(0, -1)


@pytest.mark.parametrize(
    ("bad", "remaining"),
    [
        (0, Fraction(1)),  # nothing spent
        (5, Fraction(1, 2)),
        (9, Fraction(1, 10)),
        (10, Fraction(0)),  # spent to the last event
        (11, Fraction(-1, 10)),  # overspent is negative, not zero
    ],
)
def test_remaining_budget_counts_bad_against_allowed_events(bad: int, remaining: Fraction) -> None:
    assert budget_remaining(bad, 10_000, THREE_NINES) == remaining


def test_no_traffic_leaves_the_remaining_budget_unknown() -> None:
    assert budget_remaining(0, 0, THREE_NINES) is None


def test_a_burn_rate_of_one_spends_exactly_the_budget() -> None:
    assert Budget(objective=THREE_NINES).burn_rate(1, 1000) == 1


def test_no_traffic_has_no_burn_rate() -> None:
    assert Budget(objective=THREE_NINES).burn_rate(0, 0) is None


@pytest.mark.parametrize("objective", [Fraction(0), Fraction(1), Fraction(101, 100), Fraction(-1, 2)])
def test_an_objective_outside_zero_and_one_is_refused(objective: Fraction) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        Budget(objective=objective)


@pytest.mark.parametrize(
    ("remaining", "burn", "expected"),
    [
        (Fraction(1), Fraction(1), 30 * DAY),  # a full budget at burn rate 1 lasts one period
        (Fraction(1), Fraction(144, 10), 180_000_000),  # 50 hours: the figure of every 14.4 table
        (Fraction(1, 2), Fraction(3), 5 * DAY),
        (Fraction(1), Fraction(7), 370_285_714),  # rounded down
        (Fraction(0), Fraction(1), 0),  # spent already
        (Fraction(0), Fraction(0), 0),
        (Fraction(-1), Fraction(0), 0),  # spent already, although nothing burns now
        (Fraction(1), Fraction(0), None),  # nothing burns
        (Fraction(1), Fraction(-1), None),  # good above total burns nothing either
        (None, Fraction(1), None),
        (Fraction(1), None, None),
    ],
)
def test_time_to_exhaustion(remaining: Fraction | None, burn: Fraction | None, expected: int | None) -> None:
    assert time_to_exhaustion(remaining, burn, 30 * DAY) == expected
