"""Figures of criteria against plain accounts in exact arithmetic: every instant, every request, every possibility."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations, product
from math import comb

from hypothesis import given, settings
from hypothesis import strategies as st

from figwatch_agent.evaluate.data_loss import Check, Lag, data_loss
from figwatch_agent.evaluate.deployment_frequency import Frequency
from figwatch_agent.evaluate.latency import rank_bucket
from figwatch_agent.evaluate.mttr import mttr
from figwatch_agent.evaluate.uptime import RequestUptime

SIDE = Fraction(25, 1000)


def at_least(k: int, n: int, p: Fraction) -> Fraction:
    """P(X >= k), exactly."""
    return sum((comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(k, n + 1)), Fraction(0))


@settings(max_examples=15)
@given(st.integers(1, 40), st.integers(1, 60), st.integers(1, 90), st.integers(1, 90))
def test_the_interval_of_a_ratio_of_rates_ends_where_exact_tails_say(
    n_base: int, n_now: int, t_base: int, t_now: int
) -> None:
    low, high = Frequency(count=n_now, over=t_now).interval(Frequency(count=n_base, over=t_base))
    assert high is not None
    total = n_base + n_now

    def share(ratio: float, nudge: Fraction) -> Fraction:
        """Of the later count in the sum of both, were the ratio that."""
        odds = Fraction(ratio) * nudge * Fraction(t_now, t_base)
        return odds / (1 + odds)

    little = Fraction(1, 10**6)
    assert at_least(n_now, total, share(low, 1 - little)) < SIDE < at_least(n_now, total, share(low, 1 + little))
    below = [1 - at_least(n_now + 1, total, share(high, 1 + sign * little)) for sign in (1, -1)]
    assert below[0] < SIDE < below[1]


samples = st.lists(
    st.tuples(st.integers(-5, 65), st.integers(0, 9), st.integers(0, 3)), max_size=8, unique_by=lambda s: s[0]
)
behind = st.lists(st.tuples(st.integers(-5, 65), st.integers(0, 12)), max_size=5, unique_by=lambda s: s[0])


@settings(max_examples=80)
@given(samples, behind, st.integers(1, 20))
def test_data_loss_is_that_of_an_account_of_every_instant(
    checks: list[tuple[int, int, int]], lags: list[tuple[int, int]], every: int
) -> None:
    start, end = 0, 60
    found = data_loss(
        [Check(at=at, checked=more + wrong, mismatched=wrong) for at, more, wrong in checks],
        [Lag(at=at, seconds=Fraction(late, 1000)) for at, late in lags],
        every,
        start,
        end,
    )
    inside = sorted((at, more + wrong, wrong) for at, more, wrong in checks if start < at <= end)
    if not inside:
        assert found is None
        return
    assert found is not None

    def late(at: int) -> int:
        known = [(when, by) for when, by in lags if at - 2 * every <= when <= at]
        return min(max(known)[1], 2 * every) if known else 0

    moments = [
        moment for moment in range(start, end) if any(at - 2 * every <= moment < at - late(at) for at, _, _ in inside)
    ]
    until = max(at - late(at) for at, _, _ in inside) if end - inside[-1][0] <= 2 * every else end
    assert found.coverage == Fraction(len(moments), max(until - start, 1)) <= 1
    sure = [wrong for at, _, wrong in inside if not late(at)]
    assert found.records_low == max(sure, default=0)
    assert found.mismatched == sum(wrong for _, _, wrong in inside)
    assert found.records_high == (found.mismatched if found.coverage == 1 else None)


@settings(max_examples=60)
@given(
    st.lists(st.integers(0, 4), min_size=2, max_size=4), st.data(), st.sampled_from([Fraction(1, 2), Fraction(95, 100)])
)
def test_a_quantile_lies_in_the_same_bucket_whichever_requests_of_the_edge_are_inside(
    inside: list[int], data: st.DataObject, q: Fraction
) -> None:
    edge = data.draw(st.lists(st.integers(0, 2), min_size=len(inside), max_size=len(inside)))
    found = rank_bucket(inside, edge, q)
    if not sum(inside):
        assert found is None
        return
    places = set()
    for some in product(*(range(count + 1) for count in edge)):
        counts = [sure + more for sure, more in zip(inside, some, strict=True)]
        ordered = [place for place, count in enumerate(counts) for _ in range(count)]
        places.add(ordered[-(-q.numerator * len(ordered) // q.denominator) - 1])
    assert found == (min(places), max(places))


@settings(max_examples=60)
@given(st.integers(0, 4), st.integers(0, 4), st.integers(0, 3), st.integers(0, 3), st.integers(0, 6))
def test_no_way_to_fill_unmeasured_time_and_the_edge_leaves_the_bounds_of_uptime(
    good: int, bad: int, edge_good: int, edge_bad: int, unknown: int
) -> None:
    covered = 6
    found = RequestUptime(
        bad_low=bad,
        bad_high=bad + edge_bad,
        total_low=good + bad,
        total_high=good + bad + edge_good + edge_bad,
        covered=covered,
        window=covered + unknown,
    )
    seen = []
    for more_good, more_bad in product(range(edge_good + 1), range(edge_bad + 1)):
        total = good + bad + more_good + more_bad
        if total:
            missing = Fraction(total * unknown, covered)
            lost = (Fraction(0), missing / 2, missing)
            seen += [1 - (bad + more_bad + each) / (total + missing) for each in lost]
    if not seen:
        assert found.availability is None
        return
    assert found.lower_bound is not None
    assert found.upper_bound is not None
    assert all(found.lower_bound <= each <= found.upper_bound for each in seen)
    assert found.upper_bound == max(seen) or not good + bad  # with nothing surely inside, what is seen may be nothing
    assert found.lower_bound == min(seen) or not good + bad


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 50), st.none() | st.integers(0, 50)), min_size=1, max_size=8))
def test_medians_and_nineties_are_those_of_the_sorted_list(incidents: list[tuple[int, int | None]]) -> None:
    now = 100
    found = mttr([(start, None if lasted is None else start + lasted) for start, lasted in incidents], now)
    assert found is not None
    closed = sorted(lasted for _, lasted in incidents if lasted is not None)
    if not closed:
        assert (found.mean, found.median, found.p90) == (None, None, None)
        return
    assert found.mean == Fraction(sum(closed), len(closed))
    middle = [
        a for a, b in combinations([*closed, *closed], 2)
    ]  # each twice: the median is a mean of two in the middle
    twice = sorted([*closed, *closed])
    assert middle
    assert found.median == Fraction(twice[len(closed) - 1] + twice[len(closed)], 2)
    assert found.p90 == min(
        each for each in closed if sum(other <= each for other in closed) >= Fraction(9, 10) * len(closed)
    )
