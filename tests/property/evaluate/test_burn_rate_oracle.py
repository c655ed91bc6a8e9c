"""Window decisions against every way the events at the edge can lie."""

from fractions import Fraction

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from figwatch_agent.evaluate.burn_rate import over, over_many, threshold_arrays

factors = st.sampled_from([Fraction(144, 10), Fraction(6), Fraction(3), Fraction(1), Fraction(14, 15)])
objectives = st.sampled_from([Fraction(9, 10), Fraction(95, 100), Fraction(99, 100), Fraction(999, 1000)])


@st.composite
def slots(draw: st.DrawFn, most: int) -> tuple[int, int]:
    total = draw(st.integers(0, most))
    return draw(st.integers(0, total)), total


def _over(bad: int, total: int, limit: Fraction) -> bool:
    return total > 0 and Fraction(bad, total) > limit


@given(slots(60), slots(8), factors, objectives, st.booleans())
@example((1, 100), (0, 0), Fraction(1), Fraction(99, 100), False)  # exactly on the threshold
@example((10, 90), (0, 10), Fraction(1), Fraction(9, 10), False)  # the lowest ratio exactly on it
@example((9, 99), (1, 1), Fraction(1), Fraction(9, 10), True)  # the highest ratio exactly on it
def test_certified_means_that_no_split_of_the_edge_decides_otherwise(
    inner: tuple[int, int], edge: tuple[int, int], factor: Fraction, objective: Fraction, unsure: bool
) -> None:
    limit = factor * (1 - objective)
    splits = {
        _over(inner[0] + bad, inner[1] + bad + good, limit)
        for bad in range(edge[0] + 1)
        for good in range(edge[1] - edge[0] + 1)
    }
    verdict = over(*inner, *edge, factor, objective, unsure_is_over=unsure)
    assert verdict.certified is (len(splits) == 1)
    assert verdict.over is (splits.pop() if verdict.certified else unsure)


counts = st.one_of(st.integers(-3, 50), st.integers(-(2**40), 2**62), st.integers(2**61, 2**63 - 1))
rows = st.tuples(counts, counts, counts, counts, factors, objectives)


@given(st.lists(rows, min_size=1, max_size=20), st.booleans())
def test_arrays_decide_as_the_scalars_do_at_any_size(
    windows: list[tuple[int, int, int, int, Fraction, Fraction]], unsure: bool
) -> None:
    bad_in, total_in, bad_edge, total_edge = np.array([w[:4] for w in windows], dtype=np.int64).T
    thresholds = threshold_arrays([factor * (1 - objective) for *_, factor, objective in windows])
    decided, certified = over_many(bad_in, total_in, bad_edge, total_edge, *thresholds, unsure_is_over=unsure)
    expected = [over(*w, unsure_is_over=unsure) for w in windows]
    assert decided.tolist() == [v.over for v in expected]
    assert certified.tolist() == [v.certified for v in expected]
