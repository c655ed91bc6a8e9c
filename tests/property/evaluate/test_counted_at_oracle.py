"""What a ring says it had counted at instants of the past, against a plain list of events."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from figwatch_agent.evaluate.layouts import Layout, Level
from figwatch_agent.evaluate.ring import Ring

LAYOUT: Layout = (Level(resolution=5, span=30), Level(resolution=20, span=200), Level(resolution=60, span=900))


@settings(max_examples=100)
@given(
    st.integers(0, 10_000),
    st.lists(st.tuples(st.sampled_from([1, 1, 3, 5, 17, 60, 250]), st.integers(0, 9)), min_size=1, max_size=60),
    st.sampled_from([(5, 6), (20, 10), (60, 15), (40, 5)]),
)
def test_slots_hold_the_events_after_their_start_up_to_their_end(
    first: int, ticks: list[tuple[int, int]], grid: tuple[int, int]
) -> None:
    step, slots = grid
    ring, now, events = Ring(LAYOUT, 2), first, []
    for pause, count in ticks:
        now += pause
        ring.advance(now, np.array([count, 2 * count], dtype=np.int64))
        events.append((now, count))
    end = -(-now // step) * step
    edges = np.arange(end - slots * step, end + 1, step)
    found = np.diff(ring.counted_at(edges), axis=0)
    plain = [sum(count for at, count in events if edge < at <= edge + step) for edge in edges[:-1]]
    assert found[:, 0].tolist() == plain
    assert found[:, 1].tolist() == [2 * count for count in plain]
    assert np.diff(ring.counted_at(edges, slice(1, 2)), axis=0)[:, 0].tolist() == found[:, 1].tolist()


def test_instants_that_no_level_keeps_are_refused() -> None:
    ring = Ring(LAYOUT, 1)
    ring.advance(100_000, np.array([1], dtype=np.int64))
    with pytest.raises(ValueError, match="no level of the ring"):
        ring.counted_at(np.array([99_997], dtype=np.int64))
    with pytest.raises(ValueError, match="no level of the ring"):
        ring.counted_at(np.array([60], dtype=np.int64))
