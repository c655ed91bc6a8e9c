"""Rings that count many ticks, or many late events, at once: as one after the other, and as a list says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from figwatch_agent.evaluate.layouts import Layout, Level
from figwatch_agent.evaluate.ring import Ring

LAYOUTS: tuple[Layout, ...] = (
    (Level(resolution=10, span=60),),
    (Level(resolution=7, span=40),),
    (Level(resolution=5, span=20), Level(resolution=20, span=100)),
)
COLUMNS = 2
WIDE = 2**33
"""A count that no word of 32 bits holds."""

layouts = st.sampled_from(LAYOUTS)
counts = st.tuples(st.integers(0, 9), st.one_of(st.integers(0, 9), st.just(WIDE)))
steps = st.lists(st.tuples(st.integers(1, 30), counts), min_size=1, max_size=12)


def slots(ring: Ring) -> list[tuple[int, int, int, list[int]]]:
    """Everything that stands in a ring."""
    return [
        (row.level, row.slot, row.boundary, row.values.tolist())
        for level, each in enumerate(ring.layout)
        for slot in range(each.slots)
        if (row := ring.row(level, slot)).boundary >= 0
    ]


def same(one: Ring, other: Ring) -> None:
    """Whatever is asked of both, the answers are equal."""
    assert one.at == other.at
    assert one.current.tolist() == other.current.tolist()
    assert slots(one) == slots(other)
    for length in range(1, 105, 3):
        seen, meant = one.window(length), other.window(length)
        assert (seen.inside.tolist(), seen.edge.tolist()) == (meant.inside.tolist(), meant.edge.tolist())


def ticked(layout: Layout, first: int, told: list[tuple[int, tuple[int, int]]]) -> Ring:
    """A ring that lived through a first tick and these."""
    ring, now = Ring(layout, COLUMNS), first
    ring.advance(now, np.array([1, 1]))
    for gap, more in told:
        now += gap
        ring.advance(now, np.array(more))
    return ring


@settings(max_examples=80)
@given(layout=layouts, first=st.integers(100, 140), earlier=steps, later=steps)
@example(layout=LAYOUTS[0], first=100, earlier=[(1, (0, 0))], later=[(9, (1, 1)), (10, (2, 2)), (70, (3, 3))])
def test_many_ticks_at_once_are_those_ticks_one_after_the_other(
    layout: Layout, first: int, earlier: list[tuple[int, tuple[int, int]]], later: list[tuple[int, tuple[int, int]]]
) -> None:
    ring = ticked(layout, first, earlier)
    assert ring.window(5) is ring.window(5)  # remembered until the next tick, and not beyond
    assert ring.at is not None
    ticks = ring.at + np.cumsum([gap for gap, _ in later])
    counted = ring.current + np.cumsum([(0, 0), *(more for _, more in later)], axis=0)
    ring.count_many(ticks, counted)
    same(ring, ticked(layout, first, [*earlier, *later]))


def test_many_ticks_of_no_column_move_the_time_alone() -> None:
    ring = Ring(LAYOUTS[0], 0)
    ring.count(100, np.zeros(0, dtype=np.int64))
    ring.count_many(np.array([110, 125]), np.zeros((3, 0), dtype=np.int64))
    assert ring.at == 125


@settings(max_examples=80)
@given(
    layout=layouts,
    first=st.integers(100, 140),
    lived=steps,
    late=st.lists(st.tuples(st.integers(60, 500), counts), min_size=1, max_size=5),
)
@example(layout=LAYOUTS[0], first=100, lived=[(10, (1, 1))] * 4, late=[(110, (5, 5)), (110, (1, 2)), (120, (0, WIDE))])
def test_many_late_events_at_once_are_those_events_one_after_the_other(
    layout: Layout,
    first: int,
    lived: list[tuple[int, tuple[int, int]]],
    late: list[tuple[int, tuple[int, int]]],
) -> None:
    once, singly = ticked(layout, first, lived), ticked(layout, first, lived)
    assert once.at is not None
    past = sorted((min(at, once.at), more) for at, more in late)
    once.window(5)
    rows = once.amend_many(np.array([at for at, _ in past]), np.array([more for _, more in past]))
    for at, more in past:
        singly.amend(at, np.array(more))
    same(once, singly)
    told = {(row.level, row.slot): (row.boundary, row.values.tolist()) for row in rows}
    assert len(told) == len(rows)
    for level, slot, boundary, values in slots(once):
        assert told.get((level, slot), (boundary, values)) == (boundary, values)
        assert ((level, slot) in told) == (boundary >= past[0][0])


@pytest.mark.parametrize("at", [101, 150])
def test_events_ahead_are_not_late(at: int) -> None:
    ring = ticked(LAYOUTS[0], 100, [])
    with pytest.raises(ValueError, match=f"{at} is not before the last tick at 100"):
        ring.amend_many(np.array([90, at]), np.array([[1, 1], [1, 1]]))
    with pytest.raises(ValueError, match="only past events"):
        Ring(LAYOUTS[0], 2).amend_many(np.array([90]), np.array([[1, 1]]))
    ring.amend_many(np.array([100]), np.array([[1, 1]]))
    assert ring.current.tolist() == [2, 2]


@settings(max_examples=60)
@given(layout=layouts, first=st.integers(100, 140), lived=steps, length=st.integers(1, 100))
def test_boundaries_have_counted_what_a_list_says(
    layout: Layout, first: int, lived: list[tuple[int, tuple[int, int]]], length: int
) -> None:
    ring = ticked(layout, first, lived)
    assert ring.at is not None
    assert ring.unbroken
    events, now = [(first, (1, 1))], first
    for gap, more in lived:
        now += gap
        events.append((now, more))

    def listed(upto: int) -> list[int]:
        return [sum(more[column] for at, more in events if at <= upto) for column in range(COLUMNS)]

    level = ring.level_of(length)
    assert level == next((each for each in layout if each.span >= length), layout[-1])
    newest = now // level.resolution
    boundaries = np.arange(newest - level.slots + 1, newest + 1) * level.resolution
    assert ring.stored(length, boundaries).tolist() == [listed(at) for at in boundaries.tolist()]
    assert ring.stored(length, boundaries, slice(1, 2)).tolist() == [listed(at)[1:] for at in boundaries.tolist()]

    below, above = ring.around(length)
    start = now - length
    reached = start >= boundaries[0]  # a window longer than the ring has whatever edge is left
    if reached:
        assert below == start - start % level.resolution
        assert above == (below if below == start else min(below + level.resolution, now))
        assert ring.cut(length) == start - below


def test_a_ring_without_ticks_has_no_edge() -> None:
    ring = Ring(LAYOUTS[0], 2)
    assert (ring.around(10), ring.cut(10), ring.unbroken) == ((0, 0), 0, True)
