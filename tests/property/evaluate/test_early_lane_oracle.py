"""One lane and an array of lanes give the same statistic, at any size of counts."""

from fractions import Fraction
from math import ceil

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from figwatch_agent.evaluate.early_lane import EarlyLane, advance_many, threshold

counts = st.one_of(st.integers(0, 1000), st.integers(-5, 5), st.integers(0, 2**62))
objectives = st.fractions(Fraction(91, 100), Fraction(10**6 - 1, 10**6), max_denominator=10**6)


def _plain(statistic: int, bad: int, good: int, limit: int, lane: EarlyLane) -> int:
    """The definition: add the log-likelihood ratio, at most a third, and stay between nothing and the threshold."""
    gain = Fraction(bad * lane.bad_weight + good * lane.good_weight)
    third = Fraction(limit, 3)
    gain = third if gain > third else gain
    return min(max(ceil(statistic + gain), 0), limit)


@given(
    st.lists(st.tuples(counts, counts, st.integers(0, 40_000_000), objectives), min_size=1, max_size=10),
    st.integers(0, 10**6),
)
def test_arrays_advance_as_single_lanes_do(rows: list[tuple[int, int, int, Fraction]], events: int) -> None:
    limit = threshold(events, 1000)
    lanes = [EarlyLane.for_objective(objective) for *_, objective in rows]
    known = [lane for lane in lanes if lane is not None]
    assert len(known) == len(rows)
    bad, good, statistics = (np.array([row[i] for row in rows], dtype=np.int64) for i in range(3))
    limits = np.full(len(rows), limit, dtype=np.int64)
    bad_weights = np.array([lane.bad_weight for lane in known], dtype=np.int64)
    good_weights = np.array([lane.good_weight for lane in known], dtype=np.int64)
    found = advance_many(statistics, bad, good, limits, bad_weights, good_weights).tolist()
    assert found == [lane.advance(row[2], row[0], row[1], limit) for lane, row in zip(known, rows, strict=True)]
    assert found == [_plain(row[2], row[0], row[1], limit, lane) for lane, row in zip(known, rows, strict=True)]


@given(objectives)
def test_at_the_null_the_expected_likelihood_ratio_of_an_event_is_at_most_one(
    objective: Fraction,
) -> None:
    """This is what bounds the false alarms; rounding must not break it."""
    lane = EarlyLane.for_objective(objective)
    assert lane is not None
    p0 = float(lane.p0)
    expected = p0 * np.exp(lane.bad_weight / 1e6) + (1 - p0) * np.exp(lane.good_weight / 1e6)
    assert 1 - 2e-6 <= expected <= 1 + 1e-12
