"""Covered time that is kept once for several streams against a column of its own for each."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from figwatch_agent.engine.coverage import Coverage
from figwatch_agent.evaluate.layouts import Layout, Level
from figwatch_agent.evaluate.ring import Ring

LAYOUT: Layout = (Level(resolution=5, span=40), Level(resolution=20, span=200))
STREAMS = 6

covered = st.one_of(
    st.integers(0, 9).map(lambda each: [each] * STREAMS),  # one scrape target for all
    st.tuples(st.integers(0, 2), st.integers(0, 2)).map(lambda two: [two[place % 2] for place in range(STREAMS)]),
    st.lists(st.integers(0, 3), min_size=STREAMS, max_size=STREAMS),
)
ticks = st.lists(st.tuples(st.sampled_from([1, 5, 5, 20, 300]), covered), min_size=1, max_size=30)


@settings(max_examples=120)
@given(ticks)
def test_groups_say_what_a_column_for_each_stream_says(story: list[tuple[int, list[int]]]) -> None:
    groups, dense, now = Coverage(LAYOUT, STREAMS), Ring(LAYOUT, STREAMS), 1_000
    for pause, each in story:
        now += pause
        groups.advance(now, np.array(each, dtype=np.int64))
        dense.advance(now, np.array(each, dtype=np.int64))
        for length in (1, 5, 23, 40, 200):
            assert groups.window(length).inside.tolist() == dense.window(length).inside.tolist()
            assert groups.window(length).edge.tolist() == dense.window(length).edge.tolist()
    edges = np.arange(now - now % 20 - 160, now + 20, 20)
    assert groups.counted_at(edges).tolist() == dense.counted_at(edges).tolist()
    assert groups.counted_at(edges, slice(2, 4)).tolist() == dense.counted_at(edges, slice(2, 4)).tolist()


@settings(max_examples=60)
@given(st.integers(0, 9), st.integers(1, 30))
def test_streams_that_are_measured_together_share_one_column(each: int, count: int) -> None:
    groups = Coverage(LAYOUT, STREAMS)
    for tick in range(count):
        groups.advance(1_000 + tick, np.array([each] * STREAMS, dtype=np.int64))
    assert groups.ids == [0]
