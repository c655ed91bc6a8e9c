"""Burn rates by traffic against their definition in Fractions, over every way in which edges may fall."""

from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from figwatch_agent.evaluate.weighted import Spent, burn_bounds, burn_by_traffic, weighted_over

budgets = st.sampled_from([Fraction(1, 1000), Fraction(1, 10_000), Fraction(5, 100), Fraction(7, 9)])
few = st.integers(0, 4)


def by_definition(bad: int, window: int, total: int, covered: int, budget: Fraction) -> Fraction:
    """What the window spent of the period's budget, as a share of what a window of that length may spend."""
    expected = Fraction(total, covered) * window  # events of a window at the period's traffic
    return Fraction(bad) / (budget * expected)


@given(
    bad=st.integers(0, 10**9),
    window=st.integers(1, 10**10),
    total=st.integers(1, 10**12),
    covered=st.integers(1, 10**10),
    budget=budgets,
)
def test_the_rate_is_its_definition(bad: int, window: int, total: int, covered: int, budget: Fraction) -> None:
    assert burn_by_traffic(bad, window, total, covered, budget) == by_definition(bad, window, total, covered, budget)


@settings(max_examples=150)
@given(
    bad=few,
    bad_edge=few,
    window=st.integers(1, 5),
    total=few,
    total_edge=few,
    covered=few,
    covered_edge=few,
    budget=budgets,
    factor=st.sampled_from([Fraction(1), Fraction(144, 10), Fraction(1, 3)]),
)
def test_bounds_hold_wherever_the_events_of_an_edge_fell(
    bad: int,
    bad_edge: int,
    window: int,
    total: int,
    total_edge: int,
    covered: int,
    covered_edge: int,
    budget: Fraction,
    factor: Fraction,
) -> None:
    spent = Spent(
        bad=bad,
        bad_edge=bad_edge,
        window=window,
        total=total,
        total_edge=total_edge,
        covered=covered,
        covered_edge=covered_edge,
    )
    possible = [
        by_definition(bad + more_bad, window, total + more, covered + longer, budget)
        for more_bad in range(bad_edge + 1)
        for more in range(total_edge + 1)
        for longer in range(covered_edge + 1)
        if total + more and covered + longer
    ]
    low, high = burn_bounds(spent, budget)
    assert low is None or all(low <= each for each in possible)
    assert high is None or all(high >= each for each in possible)
    said = weighted_over(spent, factor, budget)
    if said.certified:
        assert all((each > factor) is said.over for each in possible)
    else:
        assert not said.over
    if possible and len({each > factor for each in possible}) > 1:
        assert not said.certified
