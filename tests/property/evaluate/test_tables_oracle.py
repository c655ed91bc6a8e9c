"""Tests that many watches ask at once, against exact sums of the binomial distribution in integers."""

from __future__ import annotations

from fractions import Fraction
from math import comb

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from figwatch_agent.evaluate.tables import TABLED, Evidence, Recovery, _last

RECOVERED = Fraction(5, 100)
"""A ratio that would give so few bad events at most this often is not the ratio any more."""

ratios = st.sampled_from([Fraction(1), Fraction(1, 2), Fraction(144, 1000), Fraction(5, 100), Fraction(3, 7)])
objectives = st.tuples(
    st.sampled_from([Fraction(9, 10), Fraction(99, 100), Fraction(1, 2)]),
    st.sampled_from([Fraction(1, 100_000), Fraction(1, 100), Fraction(1, 4)]),
)
counts = st.tuples(st.one_of(st.integers(0, 6), st.integers(0, TABLED + 2)), st.integers(0, 160))


def at_most(bad: int, total: int, ratio: Fraction) -> Fraction:
    """P(X <= bad) among so many events."""
    top, rest, whole = ratio.numerator, ratio.denominator - ratio.numerator, ratio.denominator
    hits = sum(comb(total, k) * top**k * rest ** (total - k) for k in range(min(bad, total) + 1))
    return Fraction(hits, whole**total)


def recovered(bad: int, total: int, ratio: Fraction) -> bool:
    return total > 0 and at_most(bad, total, ratio) <= RECOVERED


def over_budget(bad: int, total: int, objective: Fraction, level: Fraction) -> bool | None:
    """Two bad events at least; a bad event was an event, whatever the other counter says. None: too near to tell."""
    tail = 1 - at_most(bad - 1, max(total, bad), 1 - objective)
    return bad >= 2 and (None if abs(tail / level - 1) < Fraction(1, 10**9) else tail < level)


@settings(max_examples=60)
@given(asked=st.lists(st.tuples(ratios, counts), min_size=1, max_size=6))
@example(asked=[(Fraction(1, 2), (0, 4)), (Fraction(1, 2), (0, 5)), (Fraction(1, 2), (1, 7)), (Fraction(1, 2), (1, 8))])
@example(asked=[(Fraction(1), (0, 0)), (Fraction(1), (0, 1)), (Fraction(1), (1, 1)), (Fraction(1), (1, 2))])
@example(asked=[(Fraction(1, 2), (TABLED - 1, n)) for n in (100, 145, 146, 147, 148, 160)])
@example(asked=[(Fraction(1, 2), (TABLED - bad, n)) for bad in (2, 1, 0) for n in range(142, 151)])
@example(asked=[(Fraction(1, 2), (TABLED - bad, n)) for bad in (0, 1, 2) for n in range(142, 151)])
@example(asked=[(Fraction(1, 2), (TABLED, n)) for n in (100, 147, 148, 149, 150, 160)])
def test_what_is_over_is_over_for_one_and_for_many(asked: list[tuple[Fraction, tuple[int, int]]]) -> None:
    table = Recovery([ratio for ratio, _ in asked])
    watches = np.arange(len(asked))
    bad, total = (np.array([pair[place] for _, pair in asked]) for place in (0, 1))
    expected = [recovered(*pair, ratio) for ratio, pair in asked]
    assert table.clears(watches, bad, total).tolist() == expected
    assert [table.clears_one(watch, *pair) for watch, (_, pair) in enumerate(asked)] == expected
    assert table.clears(watches[::-1], bad[::-1], total[::-1]).tolist() == expected[::-1]
    assert [table.clears_one(watch, *pair) for watch, (_, pair) in enumerate(asked)] == expected


@settings(max_examples=40)
@given(ratio=ratios, bad=st.integers(0, 12))
def test_one_event_fewer_is_too_few(ratio: Fraction, bad: int) -> None:
    table = Recovery([Fraction(1, 3), ratio])
    fewest = int(table.fewest(np.array([1]), np.array([bad]))[0])
    assert recovered(bad, fewest, ratio)
    assert not recovered(bad, fewest - 1, ratio)
    assert table.clears_one(1, bad, fewest)
    assert not table.clears_one(1, bad, fewest - 1)


@settings(max_examples=60)
@given(asked=st.lists(st.tuples(objectives, counts), min_size=1, max_size=6))
@example(asked=[((Fraction(9, 10), Fraction(1, 100)), (2, n)) for n in (0, 1, 2, 3)])
@example(asked=[((Fraction(1, 2), Fraction(1, 4)), (n, n)) for n in (0, 1, 2, 3)])
@example(asked=[((Fraction(99, 100), Fraction(1, 100)), (3, n)) for n in (42, 43, 44, 45, 46, 47)])
def test_what_may_be_over_budget_is_found_and_of_many_bad_events_all_may(
    asked: list[tuple[tuple[Fraction, Fraction], tuple[int, int]]],
) -> None:
    table = Evidence([objective for objective, _ in asked])
    watches = np.arange(len(asked))
    bad, total = (np.array([pair[place] for _, pair in asked]) for place in (0, 1))
    expected = [pair[0] >= TABLED or over_budget(*pair, *objective) for objective, pair in asked]
    found = table.possible(watches, bad, total).tolist()
    assert [said for said, meant in zip(found, expected, strict=True) if meant is not None] == [
        meant for meant in expected if meant is not None
    ]
    assert table.possible(watches[::-1], bad[::-1], total[::-1]).tolist() == found[::-1]


def test_of_many_bad_events_all_may_be_over_budget_however_many_were_good() -> None:
    table = Evidence([(Fraction(9, 10), Fraction(1, 100))])
    bad, total = np.array([TABLED - 1, TABLED, TABLED + 1]), np.full(3, 10**6)
    assert table.possible(np.zeros(3, dtype=np.int64), bad, total).tolist() == [False, True, True]


@given(first=st.integers(0, 10**6), more=st.integers(0, 10**12), near=st.integers(-10, 10**13))
@example(first=0, more=0, near=0)
@example(first=5, more=0, near=10**13)
@example(first=5, more=10**12, near=6)
@example(first=5, more=10, near=15)
@example(first=5, more=10, near=16)
def test_wherever_the_search_begins_it_ends_at_the_last_number_that_holds(first: int, more: int, near: int) -> None:
    assert _last(lambda number: number <= first + more, first, near) == first + more


def test_nobody_asked_is_nobody_answered() -> None:
    none = np.zeros(0, dtype=np.int64)
    assert Recovery([]).clears(none, none, none).tolist() == []
    assert Evidence([]).possible(none, none, none).tolist() == []
