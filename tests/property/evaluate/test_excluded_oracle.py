"""What is set aside, against a table of events by instant and column: whatever the window, and whoever tells late."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from figwatch_agent.evaluate.excluded import Counts, Part, Span, gaps, set_aside, set_aside_by, time_in

NOW, COLUMNS = 12, 3

Asked = tuple[int, int | None, list[int]]
"""A part: after, until, columns."""

instants = st.integers(0, NOW)
tables = st.lists(st.lists(st.integers(0, 9), min_size=COLUMNS, max_size=COLUMNS), min_size=NOW, max_size=NOW)
asked = st.tuples(
    instants,
    st.one_of(st.none(), instants),
    st.lists(st.integers(0, COLUMNS - 1), min_size=1, max_size=COLUMNS, unique=True),
)
late = st.tuples(st.integers(1, NOW), st.lists(st.integers(-3, 9), min_size=COLUMNS, max_size=COLUMNS))


def counted(events: Counts, at: int) -> Counts:
    """What every column had counted by an instant; row t - 1 holds the events of t."""
    total: Counts = events[:at].sum(axis=0)
    return total


def apart(wanted: list[Asked]) -> list[Asked]:
    """Those that share no time with an earlier one in any column."""
    taken: set[tuple[int, int]] = set()
    found = []
    for after, until, columns in wanted:
        mine = {(at, column) for at in range(after + 1, (NOW if until is None else until) + 1) for column in columns}
        if mine and not mine & taken:
            taken |= mine
            found.append((after, until, columns))
    return found


def part(events: Counts, each: Asked) -> Part:
    after, until, columns = each
    chosen = np.array(columns, dtype=np.int64)
    made = Part(after, None, chosen, counted(events, after)[chosen], np.zeros(len(columns), dtype=np.int64))
    if until is not None:
        made.close(until, counted(events, until))
    return made


def summed(events: Counts, parts: list[Asked], since: int, upto: int) -> list[int]:
    """Events of (since, upto] that lie in a part, one by one."""
    found = [0] * COLUMNS
    for after, until, columns in parts:
        for at in range(1, NOW + 1):
            if since < at <= upto and after < at <= (NOW if until is None else until):
                for column in columns:
                    found[column] += int(events[at - 1][column])
    return found


@settings(max_examples=150)
@given(table=tables, wanted=st.lists(asked, max_size=4), later=st.lists(late, max_size=3), since=instants)
@example(table=[[1, 2, 3]] * NOW, wanted=[(3, 6, [0, 2])], later=[(3, [5, 5, 5]), (6, [7, 7, 7])], since=3)
@example(table=[[1, 2, 3]] * NOW, wanted=[(3, None, [1])], later=[(4, [5, 5, 5])], since=6)
def test_events_set_aside_are_those_that_lie_within(
    table: list[list[int]], wanted: list[Asked], later: list[tuple[int, list[int]]], since: int
) -> None:
    events, kept = np.array(table, dtype=np.int64), apart(wanted)
    parts = [part(events, each) for each in kept]
    for at, more in later:  # of a past instant: edges before it know nothing of them
        events[at - 1] += more
        for one in parts:
            one.amend(at, np.array(more, dtype=np.int64))
    found = set_aside(parts, since, counted(events, since), counted(events, NOW))
    assert found.tolist() == summed(events, kept, since, NOW)

    boundaries = np.arange(NOW + 1)
    everything = np.array([counted(events, at) for at in range(NOW + 1)])
    expected = [summed(events, kept, 0, at) for at in range(NOW + 1)]
    assert set_aside_by(parts, boundaries, everything).tolist() == expected
    from_second = set_aside_by(parts, boundaries, everything[:, 1:], first=1)
    assert from_second.tolist() == [row[1:] for row in expected]
    only_second = set_aside_by(parts, boundaries, everything[:, 1:2], first=1)
    assert only_second.tolist() == [row[1:2] for row in expected]


@given(after=instants, until=st.one_of(st.none(), instants), since=instants, now=instants)
def test_time_in_a_span_is_counted_instant_by_instant(after: int, until: int | None, since: int, now: int) -> None:
    inside = [at for at in range(NOW + 1) if since < at <= now and after < at and (until is None or at <= until)]
    assert time_in(after, until, since, now) == len(inside)


@given(after=instants, until=instants, taken=st.lists(st.tuples(instants, instants), max_size=4))
@example(after=2, until=9, taken=[(4, 5), (4, 7)])
@example(after=2, until=9, taken=[(2, 9)])
@example(after=2, until=9, taken=[(9, 12)])
@example(after=2, until=9, taken=[(0, 2)])
def test_gaps_are_the_instants_that_nobody_took_in_as_few_spans_as_can_be(
    after: int, until: int, taken: list[Span]
) -> None:
    spans = [(begin, end) for begin, end in taken if begin < end]
    free = [at for at in range(after + 1, until + 1) if not any(begin < at <= end for begin, end in spans)]
    found = gaps(after, until, spans)
    assert [at for begin, end in found for at in range(begin + 1, end + 1)] == free
    assert all(begin < end for begin, end in found)
    assert all(end < begin for (_, end), (begin, _) in pairwise(found))
