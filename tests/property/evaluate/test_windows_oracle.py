"""Rings against a plain list of what happened when; the oracle walks the list for every question."""

from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from figwatch_agent.evaluate.layouts import Layout, Level
from figwatch_agent.evaluate.ring import Ring, Row
from figwatch_agent.evaluate.windows import highest_ratio, lowest_ratio

LAYOUTS: tuple[Layout, ...] = (
    (Level(resolution=10, span=200),),
    (Level(resolution=7, span=40),),  # the span is no multiple of the resolution
    (Level(resolution=5, span=30), Level(resolution=20, span=200)),
    (Level(resolution=1, span=10), Level(resolution=10, span=60), Level(resolution=50, span=600)),
)
TOTAL, BAD = 0, 1


@dataclass
class History:
    """What happened, in a list; a window is a walk over it."""

    now: int
    events: list[tuple[int, int, int]] = field(default_factory=list)  # instant, total, bad

    def inside(self, length: int) -> tuple[int, int]:
        """(total, bad) in (now - length, now]."""
        kept = [(total, bad) for at, total, bad in self.events if self.now - length < at <= self.now]
        return sum(total for total, _ in kept), sum(bad for _, bad in kept)


@dataclass
class Pair:
    """A ring, the history it was told, and every row it asked to be kept."""

    layout: Layout
    ring: Ring
    history: History
    kept: dict[tuple[int, int], Row] = field(default_factory=dict)

    def keep(self, rows: list[Row]) -> None:
        """As a store does: the last row of a slot replaces the one before."""
        self.kept.update({(row.level, row.slot): row for row in rows})

    def restart(self) -> None:
        """A ring that knows only what was kept."""
        again = Ring(self.layout, 2)
        again.restore(self.ring.at, self.ring.current.copy(), self.ring.origin.copy(), list(self.kept.values()))
        self.ring = again


def _ordered(pair: tuple[int, int]) -> tuple[int, int]:
    """(total, bad)."""
    return (pair[0], pair[1]) if pair[0] > pair[1] else (pair[1], pair[0])


counts = st.tuples(st.integers(0, 50), st.integers(0, 50)).map(_ordered)
ticks = st.tuples(
    st.one_of(st.integers(1, 12), st.sampled_from([10, 20, 50]), st.integers(100, 1500)),  # also beyond the whole ring
    counts,
    st.sampled_from(["tick", "tick", "tick", "tick", "restart", "amend"]),
    st.floats(0, 1),
)


def told(
    layout: Layout, start: int, first: tuple[int, int], steps: list[tuple[int, tuple[int, int], str, float]]
) -> Pair:
    """Tell ring and list the same things."""
    pair = Pair(layout, Ring(layout, 2), History(start))
    pair.keep(pair.ring.advance(start, np.array(first, dtype=np.int64)))
    pair.history.events.append((start, *first))
    for pause, (total, bad), what, share in steps:
        increments = np.array([total, bad], dtype=np.int64)
        if what == "amend":
            at = start + round((pair.history.now - start) * share)
            pair.keep(pair.ring.amend(at, increments))
            pair.history.events.append((at, total, bad))
            continue
        if what == "restart":
            pair.restart()
        pair.history.now += pause
        pair.keep(pair.ring.advance(pair.history.now, increments))
        pair.history.events.append((pair.history.now, total, bad))
    return pair


@settings(max_examples=80)
@given(
    layout=st.sampled_from(LAYOUTS),
    start=st.one_of(st.integers(1_000, 2_000), st.sampled_from([1_000, 1_050])),
    first=counts,
    steps=st.lists(ticks, min_size=1, max_size=40),
    lengths=st.lists(st.integers(1, 600), min_size=1, max_size=6),
)
def test_what_happened_lies_between_what_is_surely_inside_and_that_plus_the_edge(
    layout: Layout,
    start: int,
    first: tuple[int, int],
    steps: list[tuple[int, tuple[int, int], str, float]],
    lengths: list[int],
) -> None:
    pair = told(layout, start, first, steps)
    for length in [min(length, layout[-1].span) for length in lengths]:
        window, exact = pair.ring.window(length), pair.history.inside(length)
        for column in (TOTAL, BAD):
            assert int(window.inside[column]) <= exact[column] <= int(window.most[column])
        used = next(level for level in layout if level.span >= length)
        if (pair.history.now - length) % used.resolution == 0:
            assert window.inside.tolist() == list(exact)


@settings(max_examples=80)
@given(
    layout=st.sampled_from(LAYOUTS),
    start=st.integers(1_000, 1_100),
    steps=st.lists(ticks, min_size=1, max_size=40),
    length=st.integers(1, 600),
    threshold=st.fractions(min_value=0, max_value=1, max_denominator=60),
)
def test_a_decision_on_which_both_bounds_agree_is_the_decision_on_what_happened(
    layout: Layout,
    start: int,
    steps: list[tuple[int, tuple[int, int], str, float]],
    length: int,
    threshold: Fraction,
) -> None:
    pair = told(layout, start, (0, 0), steps)
    length = min(length, layout[-1].span)
    window = pair.ring.window(length)
    total, bad = pair.history.inside(length)
    columns = np.array([window.inside, window.edge])
    bads, totals = type(window)(columns[0][1:], columns[1][1:]), type(window)(columns[0][:1], columns[1][:1])
    lowest, highest = lowest_ratio(bads, totals, 0), highest_ratio(bads, totals, 0)
    exact = Fraction(bad, total) if total else None
    if lowest is not None and lowest > threshold and highest is not None:
        assert exact is not None
        assert exact > threshold
    if highest is not None and highest <= threshold:
        assert exact is None or exact <= threshold
    if exact is not None:
        assert lowest is None or lowest <= exact
        assert highest is None or exact <= highest


@settings(max_examples=60)
@given(
    layout=st.sampled_from(LAYOUTS),
    steps=st.lists(ticks, min_size=1, max_size=30),
    more=st.lists(ticks, min_size=1, max_size=10),
)
def test_a_restored_ring_goes_on_as_one_that_never_stopped(
    layout: Layout,
    steps: list[tuple[int, tuple[int, int], str, float]],
    more: list[tuple[int, tuple[int, int], str, float]],
) -> None:
    pair = told(layout, 1_003, (0, 0), steps)
    stopped = Pair(layout, pair.ring, pair.history, dict(pair.kept))
    stopped.restart()
    now = pair.history.now
    for pause, (total, bad), _, _ in more:
        now += pause
        increments = np.array([total, bad], dtype=np.int64)
        rows, again = pair.ring.advance(now, increments), stopped.ring.advance(now, increments)
        assert [(r.level, r.slot, r.boundary, r.values.tolist()) for r in rows] == [
            (r.level, r.slot, r.boundary, r.values.tolist()) for r in again
        ]
        for length in (1, 7, 30, layout[-1].span):
            assert pair.ring.window(length).inside.tolist() == stopped.ring.window(length).inside.tolist()
            assert pair.ring.window(length).edge.tolist() == stopped.ring.window(length).edge.tolist()
