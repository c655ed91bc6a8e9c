"""Burn rates by traffic at each of their borders, one row each."""

from fractions import Fraction

import pytest

from figwatch_agent.evaluate.burn_rate import Crossing
from figwatch_agent.evaluate.weighted import Spent, burn_by_traffic, weighted_over

BUDGET = Fraction(1, 10)
YES, NO = Crossing(over=True, certified=True), Crossing(over=False, certified=True)
MAYBE = Crossing(over=False, certified=False)


def spent(
    *, bad: int = 0, bad_edge: int = 0, window: int = 10, total: int = 100, total_edge: int = 0, covered: int = 100
) -> Spent:
    """One event a millisecond in the period, so that a window of ten may spend one; nothing at an edge of time."""
    return Spent(
        bad=bad,
        bad_edge=bad_edge,
        window=window,
        total=total,
        total_edge=total_edge,
        covered=covered,
        covered_edge=0,
    )


@pytest.mark.parametrize(
    ("counts", "crossing"),
    [
        (spent(bad=2), NO),  # burns at exactly the factor, 2: a window must burn faster
        (spent(bad=3), YES),
        (spent(bad=2, bad_edge=1), MAYBE),  # the third may lie in the window
        (spent(bad=1, bad_edge=1), NO),  # with all of the edge it is at the factor, and no faster
        (spent(bad=3, total_edge=50), MAYBE),  # a busier period: exactly the factor
        (spent(bad=3, total_edge=49), YES),
        (spent(total=0, total_edge=5, bad_edge=1), MAYBE),  # those at the edge may be all of before: endless
        (spent(total=0, total_edge=100, bad=1), MAYBE),
        (spent(total=0, total_edge=5, bad=1), YES),  # even with all of them it burns
        (spent(total=0, total_edge=0, bad=1), NO),  # bad events without any event of the period: nothing to say
        (spent(total=0, total_edge=5), NO),  # nothing bad
        (spent(total=0, total_edge=5, bad=1, window=0), NO),  # all of the window is excluded
        (spent(total=0), NO),
        (spent(total=0, bad_edge=1), NO),
        (spent(window=0, bad=5), NO),
    ],
)
def test_whether_a_window_burns_faster_is_decided_by_its_bounds(counts: Spent, crossing: Crossing) -> None:
    assert weighted_over(counts, Fraction(2), BUDGET) == crossing


@pytest.mark.parametrize(("window", "covered", "total"), [(0, 1, 1), (1, 0, 1), (1, 1, 0), (-1, 1, 1)])
def test_without_usual_traffic_there_is_no_rate(window: int, covered: int, total: int) -> None:
    assert burn_by_traffic(1, window, total, covered, BUDGET) is None


def test_the_smallest_period_has_a_rate() -> None:
    assert burn_by_traffic(1, 1, 1, 1, BUDGET) == 10
    assert burn_by_traffic(0, 1, 1, 1, BUDGET) == 0
