"""A gate passes only if every way to fill unmeasured time, and the slot at the window's edge, keeps the promise."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from figwatch_agent.evaluate.gate import keeps
from figwatch_agent.evaluate.uptime import RequestUptime
from figwatch_agent.model.names import Tri

small = st.integers(0, 4)


@settings(max_examples=80)
@given(
    small, small, small, small, st.integers(0, 8), st.sampled_from([Fraction(1, 2), Fraction(3, 4), Fraction(9, 10)])
)
@example(good=3, bad=1, edge_good=0, edge_bad=0, unknown=0, objective=Fraction(3, 4))  # just kept
def test_yes_and_no_hold_whatever_happened_while_nobody_measured(
    good: int, bad: int, edge_good: int, edge_bad: int, unknown: int, objective: Fraction
) -> None:
    covered = 4
    account = RequestUptime(
        bad_low=bad,
        bad_high=bad + edge_bad,
        total_low=good + bad,
        total_high=good + bad + edge_good + edge_bad,
        covered=covered,
        window=covered + unknown,
    )
    kept = []
    for more_good, more_bad in product(range(edge_good + 1), range(edge_bad + 1)):
        total = good + bad + more_good + more_bad
        missing = Fraction(total * unknown, covered)
        lost = [missing * part for part in (Fraction(0), Fraction(1, 3), Fraction(1))]
        kept += [1 - (bad + more_bad + each) / (total + missing) >= objective for each in lost if total]
    found = keeps(account, objective)
    if not kept or Fraction(covered, covered + unknown) < Fraction(1, 2):
        assert found is Tri.UNKNOWN
    elif good + bad:
        assert found is (Tri.YES if all(kept) else Tri.UNKNOWN if any(kept) else Tri.NO)
    else:
        assert found is not Tri.YES or all(kept)


@pytest.mark.parametrize(("covered", "found"), [(1000, Tri.YES), (500, Tri.YES), (499, Tri.UNKNOWN), (0, Tri.UNKNOWN)])
def test_less_than_half_of_the_time_measured_says_nothing(covered: int, found: Tri) -> None:
    account = RequestUptime(bad_low=0, bad_high=0, total_low=9, total_high=9, covered=covered, window=1000)
    assert keeps(account, Fraction(1, 10)) is found
