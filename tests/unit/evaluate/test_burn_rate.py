"""Burn rates: the exact decision on both sides of a threshold."""

from fractions import Fraction

import numpy as np
import pytest

from figwatch_agent.evaluate.burn_rate import (
    INT64_MAX,
    Crossing,
    over,
    over_many,
    threshold_arrays,
)

THREE_NINES = Fraction(999, 1000)
PAGE = Fraction(144, 10)


@pytest.mark.parametrize(
    ("bad", "expected"),
    [
        (143, False),
        (144, False),  # exactly on the threshold is not over it
        (145, True),
    ],
)
def test_the_threshold_itself_is_not_over(bad: int, expected: bool) -> None:
    assert over(bad, 10_000, 0, 0, PAGE, THREE_NINES) == Crossing(over=expected, certified=True)


@pytest.mark.parametrize(
    ("edge", "certified", "fires"),
    [
        ((0, 0), True, True),  # 15 of 1000
        ((0, 41), True, True),  # lowest 15 / 1041 = 1.441 %
        ((0, 42), False, False),  # lowest 15 / 1042 = 1.4395 %: the good events may lie inside
        ((42, 42), True, True),  # bad events at the edge can only raise it
    ],
)
def test_good_events_at_the_edge_may_lie_inside(edge: tuple[int, int], certified: bool, fires: bool) -> None:
    assert over(15, 1000, *edge, PAGE, THREE_NINES) == Crossing(over=fires, certified=certified)


@pytest.mark.parametrize(
    ("bad_edge", "certified"),
    [
        (0, True),  # 14 of 1000 is under 1.44 %
        (1, False),  # 15 of 1001 would be over
    ],
)
def test_bad_events_at_the_edge_may_lie_inside(bad_edge: int, certified: bool) -> None:
    assert over(14, 1000, bad_edge, bad_edge, PAGE, THREE_NINES) == Crossing(over=False, certified=certified)


def test_an_uncertain_window_is_over_where_that_is_the_conservative_side() -> None:
    assert over(14, 1000, 1, 1, PAGE, THREE_NINES, unsure_is_over=True) == Crossing(over=True, certified=False)


def test_the_conservative_side_does_not_touch_a_certified_window() -> None:
    assert over(14, 1000, 0, 0, PAGE, THREE_NINES, unsure_is_over=True) == Crossing(over=False, certified=True)


def test_a_window_without_traffic_is_never_over() -> None:
    assert over(0, 0, 0, 0, PAGE, THREE_NINES, unsure_is_over=True) == Crossing(over=False, certified=True)


def test_bad_events_that_only_touch_an_empty_window_certify_nothing() -> None:
    assert over(0, 0, 3, 3, PAGE, THREE_NINES) == Crossing(over=False, certified=False)


def test_more_good_than_total_at_the_edge_keeps_the_bounds_in_order() -> None:
    assert over(15, 1000, -60, 0, PAGE, THREE_NINES) == Crossing(over=False, certified=False)


def test_more_bad_than_total_at_the_edge_counts_no_good_events() -> None:
    assert over(15, 1000, 60, 10, PAGE, THREE_NINES) == Crossing(over=True, certified=True)


def _many(rows: list[tuple[int, int, int, int]], threshold: Fraction) -> list[Crossing]:
    bad_in, total_in, bad_edge, total_edge = np.array(rows, dtype=np.int64).T
    thresholds = threshold_arrays([threshold] * len(rows))
    decided, certified = over_many(bad_in, total_in, bad_edge, total_edge, *thresholds)
    return [Crossing(over=bool(o), certified=bool(c)) for o, c in zip(decided, certified, strict=True)]


@pytest.mark.parametrize("distance", [-1, 0, 1])
def test_counts_around_the_overflow_bound_are_decided_exactly(distance: int) -> None:
    threshold = Fraction(9, 625)
    total = INT64_MAX // 3 // 625 + distance
    exact = 9 * total // 625
    rows = [(exact, total, 0, 0), (exact + 1, total, 0, 0), (exact, total, total, total), (exact + 1, total, 0, total)]
    assert _many(rows, threshold) == [over(*row, threshold, Fraction(0)) for row in rows]


def test_the_largest_counts_of_64_bits_are_decided_exactly() -> None:
    rows = [(INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX), (INT64_MAX // 2, INT64_MAX, 0, INT64_MAX)]
    threshold = Fraction(499_999, 1_000_000)
    assert _many(rows, threshold) == [Crossing(over=True, certified=True), Crossing(over=False, certified=False)]


@pytest.mark.parametrize(
    ("row", "verdict"),
    [
        ((10, 100, 0, 0), Crossing(over=False, certified=True)),  # both bounds on the threshold of a tenth
        ((10, 90, 0, 10), Crossing(over=False, certified=False)),  # the lowest is on it, the highest over
        ((9, 99, 1, 1), Crossing(over=False, certified=True)),  # the highest is on it, the lowest under
        ((9, 98, 1, 1), Crossing(over=False, certified=False)),  # the highest is just over
        ((11, 100, 0, 9), Crossing(over=True, certified=True)),  # the lowest is just over
        ((10, 99, 2, 2), Crossing(over=True, certified=True)),
        ((9, 80, 1, 21), Crossing(over=False, certified=False)),
    ],
)
def test_a_bound_on_the_threshold_is_not_over_for_one_window_or_many(
    row: tuple[int, int, int, int], verdict: Crossing
) -> None:
    assert over(*row, Fraction(1), Fraction(9, 10)) == verdict
    assert _many([row], Fraction(1, 10)) == [verdict]


def test_many_uncertain_windows_take_the_conservative_side_asked_for() -> None:
    one = [np.array([value], dtype=np.int64) for value in (14, 1000, 1, 1, 144, 10_000)]
    assert over_many(*one)[0].tolist() == [False]
    assert over_many(*one, unsure_is_over=True)[0].tolist() == [True]


def test_a_threshold_beyond_64_bits_is_refused() -> None:
    with pytest.raises(OverflowError):
        threshold_arrays([Fraction(1, 2**64)])
