"""Is the service worse than its control? Valid however often it is looked at, and quick when it is."""

from fractions import Fraction

import pytest

from figwatch_agent.evaluate.comparison import (
    Comparison,
    Counts,
    Outcome,
    Sides,
    compare,
    level_of_look,
    margin,
)
from simulate.sides import NULLS, falsely_worse, looks_until_known

THREE_NINES = Fraction(999, 1000)
PAGE = Fraction(144, 10)


def _look(*sides: tuple[int, int, int, int], look: int = 1) -> Comparison:
    """One look; a window per (service bad, service total, control bad, control total), from the shortest on."""
    windows = [
        Sides(window=(i + 1) * 1000, service=Counts(bad=s[0], total=s[1]), control=Counts(bad=s[2], total=s[3]))
        for i, s in enumerate(sides)
    ]
    return compare(windows, look, THREE_NINES, PAGE)


def test_the_levels_of_all_looks_sum_to_one_percent() -> None:
    spent = sum((level_of_look(look) for look in range(1, 1001)), Fraction(0))
    assert Fraction(1, 100) - spent == Fraction(1, 10 * 1010)  # what is left for ever after


def test_the_first_look_has_the_level_its_formula_gives() -> None:
    assert level_of_look(1) == Fraction(1, 1100)


def test_looks_are_counted_from_one() -> None:
    with pytest.raises(ValueError, match="counted from 1"):
        level_of_look(0)


def test_a_service_that_fails_alone_is_worse() -> None:
    found = _look((100, 200, 0, 50))
    assert found.outcome is Outcome.WORSE
    assert found.decisive is not None
    assert found.decisive.effect == Fraction(1, 2)
    assert found.decisive.service_low > found.decisive.control_high


def test_both_failing_alike_is_shared() -> None:
    found = _look((100, 200, 25, 50))
    assert found.outcome is Outcome.SHARED
    assert found.decisive is not None
    assert found.decisive.control_low > 0.0144


@pytest.mark.parametrize("sides", [(100, 200, 40, 50), (100, 200, 22, 50)])
def test_a_side_that_may_fail_no_more_than_the_tier_fires_at_shares_nothing(sides: tuple[int, int, int, int]) -> None:
    [seen] = _look(sides).windows
    least, budget = min(seen.service_low, seen.control_low), 1 - THREE_NINES
    for threshold, shared in ((Fraction(least), False), (Fraction(least) * 99 / 100, True)):
        assert (compare([seen.sides], 1, THREE_NINES, threshold / budget).outcome is Outcome.SHARED) is shared


def test_both_failing_surely_but_the_service_by_far_more_is_worse() -> None:
    assert _look((9_000, 10_000, 1_000, 10_000)).outcome is Outcome.WORSE


def test_a_surely_greater_share_within_half_of_the_control_is_shared() -> None:
    assert _look((44_000, 100_000, 30_000, 100_000)).outcome is Outcome.SHARED  # 44 % against 30 % and its half
    assert _look((47_000, 100_000, 30_000, 100_000)).outcome is Outcome.WORSE


def test_a_control_that_fails_alone_shows_that_the_service_is_not_worse() -> None:
    assert _look((0, 1_000, 500, 1_000)).outcome is Outcome.NOT_WORSE


def test_a_service_that_served_nobody_is_not_known_to_be_as_good_as_a_failing_control() -> None:
    assert _look((0, 0, 40, 40)).outcome is Outcome.UNDECIDED


def test_equal_sides_with_much_traffic_are_not_worse() -> None:
    assert _look((100, 1_000_000, 100, 1_000_000)).outcome is Outcome.NOT_WORSE


def test_equal_sides_with_little_traffic_are_undecided() -> None:
    found = _look((0, 100, 0, 100))
    assert (found.outcome, found.decisive) == (Outcome.UNDECIDED, None)


def test_nothing_counted_is_undecided() -> None:
    found = _look((0, 0, 0, 0), (0, 0, 0, 0))
    assert found.outcome is Outcome.UNDECIDED
    assert found.windows[0].effect is None


def test_the_effect_is_the_difference_of_the_ratios_and_unknown_where_a_side_is_silent() -> None:
    found = _look((3, 10, 1, 10), (3, 10, 0, 0), (0, 0, 1, 10))
    assert [w.effect for w in found.windows] == [Fraction(1, 5), None, None]


def test_one_window_that_leaves_it_open_keeps_a_diluted_one_from_clearing_the_service() -> None:
    clean = (100, 1_000_000, 100, 1_000_000)
    assert _look(clean).outcome is Outcome.NOT_WORSE
    assert _look((2, 10, 0, 10), clean).outcome is Outcome.UNDECIDED


def test_one_window_is_enough_to_be_worse_and_the_shortest_is_named() -> None:
    found = _look((0, 5, 0, 5), (100, 200, 0, 50), (150, 400, 0, 90))
    assert found.outcome is Outcome.WORSE
    assert found.decisive is found.windows[1]


def test_windows_are_reported_from_the_shortest_to_the_longest() -> None:
    sides = [Sides(window=w, service=Counts(bad=0, total=1), control=Counts(bad=0, total=1)) for w in (300, 5, 60)]
    found = compare(sides, 1, THREE_NINES, PAGE)
    assert [w.sides.window for w in found.windows] == [5, 60, 300]


@pytest.mark.parametrize(
    ("control_total", "outcome"),
    [(9, Outcome.UNDECIDED), (10, Outcome.WORSE)],
)
def test_a_control_that_hardly_answered_is_no_control(control_total: int, outcome: Outcome) -> None:
    assert _look((1_000, 1_000, 0, control_total)).outcome is outcome


def test_one_failure_of_the_service_is_never_worse() -> None:
    """At an objective of one in 10^9, one failure of one request would stand out against a million good ones."""
    tight = 1 - Fraction(1, 10**9)

    def once(bad: int) -> Outcome:
        counts = [
            Sides(window=1000, service=Counts(bad=bad, total=bad), control=Counts(bad=0, total=10**9)),
        ]
        return compare(counts, 1, tight, PAGE).outcome

    assert once(1) is Outcome.UNDECIDED
    assert once(2) is Outcome.WORSE


def test_the_same_counts_need_more_evidence_the_more_often_one_looked() -> None:
    counts = (34, 100, 0, 50)
    assert _look(counts, look=1).outcome is Outcome.WORSE
    assert _look(counts, look=10_000).outcome is Outcome.UNDECIDED


def test_the_level_is_shared_among_the_windows() -> None:
    alone, beside = _look((100, 200, 0, 50)), _look((100, 200, 0, 50), (0, 0, 0, 0))
    assert beside.windows[0].service_low < alone.windows[0].service_low


@pytest.mark.parametrize(
    ("control", "expected"),
    [
        (Counts(bad=0, total=0), Fraction(1, 1000)),
        (Counts(bad=2, total=1000), Fraction(1, 1000)),  # half of it is exactly the budget
        (Counts(bad=4, total=1000), Fraction(1, 500)),
    ],
)
def test_the_margin_is_a_budget_or_half_of_what_the_control_fails(control: Counts, expected: Fraction) -> None:
    assert margin(control, Fraction(1, 1000)) == expected


@pytest.mark.parametrize(("bad", "total"), [(-1, 1), (2, 1)])
def test_impossible_counts_are_refused(bad: int, total: int) -> None:
    with pytest.raises(ValueError, match="0 <= bad <= total"):
        Counts(bad=bad, total=total)


def test_a_comparison_needs_a_window() -> None:
    with pytest.raises(ValueError, match="at least one window"):
        compare([], 1, THREE_NINES, PAGE)


def test_a_recorded_baseline_serves_as_control() -> None:
    baseline = (500, 1_000_000)
    assert _look((10, 50, *baseline)).outcome is Outcome.WORSE
    assert _look((0, 50, *baseline)).outcome is Outcome.UNDECIDED


def test_the_same_counts_give_the_same_result() -> None:
    assert _look((34, 100, 1, 50), (40, 300, 1, 150)) == _look((34, 100, 1, 50), (40, 300, 1, 150))


# Simulated incidents: counts a second, cumulated, so that every window is a difference.


@pytest.mark.parametrize(("rates", "ratio"), NULLS)
def test_two_equal_sides_are_hardly_ever_called_worse(rates: tuple[float, float], ratio: float) -> None:
    assert falsely_worse(400, 40, rates, ratio, seed=17) <= 4  # 1 % of 400; 2,000 incidents in all


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("rates", "ratio"), NULLS)
def test_ten_thousand_equal_incidents_stay_within_one_percent(rates: tuple[float, float], ratio: float) -> None:
    assert falsely_worse(2_000, 120, rates, ratio, seed=18) <= 20


def test_half_of_the_service_failing_is_decided_within_four_seconds() -> None:
    taken = looks_until_known((40.0, 10.0), (0.5, 0.0005), runs=300, seed=21)
    assert taken[-1] == 0
    assert sum(n for look, n in taken.items() if look <= 4) >= 297  # p99


def test_both_sides_failing_by_half_are_known_to_share_the_cause_within_four_seconds() -> None:
    taken = looks_until_known((40.0, 10.0), (0.5, 0.5), runs=200, seed=22)
    assert taken[-1] == 0
    assert sum(n for look, n in taken.items() if look <= 4) >= 198
