"""Quantiles, durations, forecasts and verdicts against plain definitions."""

import statistics
from bisect import bisect_left
from fractions import Fraction
from math import ceil

from hypothesis import given
from hypothesis import strategies as st

from figwatch_agent.evaluate.comparison import Counts, Outcome, Sides, compare
from figwatch_agent.evaluate.criteria import judge
from figwatch_agent.evaluate.latency import quantile
from figwatch_agent.evaluate.legacy_ratio import Bucket, Requests, forecast_zero
from figwatch_agent.evaluate.mttr import mttr
from figwatch_agent.model.names import Verdict
from figwatch_agent.model.target import parse_target

BOUNDS = (0.005, 0.1, 0.2, 0.5, 1.0)


@given(st.lists(st.floats(0.0001, 3.0), min_size=1, max_size=60), st.fractions(Fraction(1, 100), 1))
def test_the_true_quantile_lies_in_the_bucket_named(durations: list[float], q: Fraction) -> None:
    counts = [0] * (len(BOUNDS) + 1)
    for duration in durations:
        counts[bisect_left(BOUNDS, duration)] += 1
    found = quantile(BOUNDS, counts, q)
    assert found is not None
    true = sorted(durations)[ceil(q * len(durations)) - 1]
    assert found.low <= true
    assert found.high is None or true <= found.high
    assert (found.estimate is None) is (found.high is None)
    assert found.estimate is None or found.high is None or found.low <= found.estimate <= found.high


incidents = st.lists(
    st.tuples(st.integers(0, 1000), st.one_of(st.none(), st.integers(0, 500))), min_size=1, max_size=20
)


@given(incidents, st.integers(1000, 3000))
def test_mttr_is_what_the_textbook_says(seen: list[tuple[int, int | None]], now: int) -> None:
    found = mttr([(start, None if lasted is None else start + lasted) for start, lasted in seen], now)
    assert found is not None
    closed = [Fraction(lasted) for _, lasted in seen if lasted is not None]
    at_age = [Fraction(now - start if lasted is None else lasted) for start, lasted in seen]
    assert (found.count, found.open_count) == (len(closed), len(seen) - len(closed))
    assert found.mean == (statistics.mean(closed) if closed else None)
    assert found.median == (statistics.median(closed) if closed else None)
    assert found.worst == max(at_age)
    assert found.mean_low == statistics.mean(at_age)
    if closed and found.p90 is not None:
        assert sum(lasted <= found.p90 for lasted in closed) * 10 >= 9 * len(closed)
        assert sum(lasted < found.p90 for lasted in closed) * 10 < 9 * len(closed)


@given(st.integers(1, 40), st.integers(3, 20), st.integers(1, 50), st.integers(0, 10**12))
def test_a_straight_fall_is_forecast_to_the_millisecond(step: int, days: int, left: int, begin: int) -> None:
    """The ratio falls by `step` a day in units of 1/5000, to `left` on the last day."""
    day = 86_400_000
    seen = [
        Bucket(at=begin + i * day, requests=Requests(legacy=left + step * (days - 1 - i), total=5000))
        for i in range(days)
    ]
    assert forecast_zero(seen).at == ceil(begin + (days - 1) * day + Fraction(left * day, step))


@given(
    st.sampled_from(["< 15m", "<= 15m", "> 15m", ">= 15m", "x1.5", "+50%", "-50%", "kept", "up"]),
    st.lists(st.fractions(-10, 2_000_000), min_size=1, max_size=6),
    st.sampled_from([Fraction(600_000), Fraction(1_800_000), Fraction(900_000)]),
)
def test_a_verdict_holds_for_every_value_the_bounds_allow(
    text: str, values: list[Fraction], baseline: Fraction
) -> None:
    target = parse_target(text)
    judged = judge(target, low=min(values), high=max(values), baseline=baseline).verdict
    one_by_one = {judge(target, low=value, high=value, baseline=baseline).verdict for value in values}
    assert one_by_one == {judged} if len(one_by_one) == 1 else judged is Verdict.INCONCLUSIVE


@st.composite
def sides(draw: st.DrawFn) -> Sides:
    service, control = draw(st.integers(0, 3000)), draw(st.integers(0, 3000))
    return Sides(
        window=draw(st.integers(1, 10**6)),
        service=Counts(bad=draw(st.integers(0, service)), total=service),
        control=Counts(bad=draw(st.integers(0, control)), total=control),
    )


@given(st.lists(sides(), min_size=1, max_size=4), st.integers(1, 500))
def test_no_service_is_called_worse_unless_its_counts_stand_far_above_the_control(
    windows: list[Sides], look: int
) -> None:
    """Both bounds have levels of at most 1 in 2,000, so counts within three standard errors never suffice."""
    found = compare(windows, look, Fraction(999, 1000), Fraction(144, 10))
    if found.outcome is Outcome.WORSE:
        assert found.decisive is not None
        service, control = found.decisive.sides.service, found.decisive.sides.control
        pooled = Fraction(service.bad + control.bad, service.total + control.total)
        variance = pooled * (1 - pooled) * (Fraction(1, service.total) + Fraction(1, control.total))
        effect = found.decisive.effect
        assert effect is not None
        assert effect > 0
        assert effect**2 > 9 * variance


@given(st.lists(sides(), min_size=1, max_size=4), st.integers(1, 500))
def test_the_order_in_which_windows_come_does_not_matter(windows: list[Sides], look: int) -> None:
    distinct = list({side.window: side for side in windows}.values())
    objective, factor = Fraction(99, 100), Fraction(6)
    assert compare(distinct, look, objective, factor) == compare(distinct[::-1], look, objective, factor)
