"""Counts beyond 32 bits against plain integers: windows, restarts, amendments and columns that are split off."""

from dataclasses import dataclass, field

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from figwatch_agent.evaluate.layouts import Layout, Level
from figwatch_agent.evaluate.ring import Ring, Row

LAYOUT: Layout = (Level(resolution=5, span=40), Level(resolution=20, span=200))
BORDER = 2**32

amounts = st.one_of(
    st.integers(0, 9),
    st.sampled_from([BORDER - 3, BORDER - 1, BORDER, BORDER + 1, 3 * BORDER, 2**50]),
    st.integers(-9, -1),  # a source may count more good events than events
)
steps = st.tuples(
    st.sampled_from([1, 3, 5, 5, 20, 300]),
    st.lists(amounts, min_size=3, max_size=3),
    st.sampled_from(["tick", "tick", "tick", "restart", "amend", "split"]),
)


@dataclass
class Told:
    """A ring, what every column was told, and the rows that a store has."""

    ring: Ring = field(default_factory=lambda: Ring(LAYOUT, 3))
    kept: dict[tuple[int, int], Row] = field(default_factory=dict)
    events: list[list[tuple[int, int]]] = field(default_factory=lambda: [[], [], []])  # by column: instant, count

    def keep(self, rows: list[Row]) -> None:
        self.kept.update({(row.level, row.slot): row for row in rows})

    def tick(self, now: int, counts: list[int]) -> None:
        counts = counts + [counts[0]] * (len(self.events) - 3)  # what was split off counts with the first
        self.keep(self.ring.advance(now, np.array(counts, dtype=np.int64)))
        for column, count in zip(self.events, counts, strict=True):
            column.append((now, count))

    def restart(self) -> None:
        ring = Ring(LAYOUT, len(self.events))
        rows = [
            Row(row.level, row.slot, row.boundary, np.concatenate([row.values, *self._missing(row)]))
            for row in self.kept.values()
        ]
        ring.restore(self.ring.at, self.ring.current.copy(), self.ring.origin.copy(), rows)
        self.ring = ring

    def _missing(self, row: Row) -> list[np.ndarray[tuple[int, ...], np.dtype[np.int64]]]:
        return [row.values[:1]] * (len(self.events) - len(row.values))

    def split(self) -> None:
        self.ring.append(np.array([0], dtype=np.int64))
        self.events.append(list(self.events[0]))

    def inside(self, column: int, now: int, length: int) -> int:
        return sum(count for at, count in self.events[column] if now - length < at <= now)


@settings(max_examples=120)
@given(story=st.lists(steps, min_size=1, max_size=25), length=st.sampled_from([5, 20, 40, 100, 200]))
def test_counts_are_exact_on_both_sides_of_32_bits(story: list[tuple[int, list[int], str]], length: int) -> None:
    told, now = Told(), 1_000
    told.tick(now, [0, 0, 0])
    for pause, counts, what in story:
        if what == "restart":
            told.restart()
        elif what == "split":
            told.split()
        elif what == "amend":
            told.keep(told.ring.amend(now, np.array(counts + counts[:1] * (len(told.events) - 3), dtype=np.int64)))
            for column, count in zip(told.events, counts + counts[:1] * (len(told.events) - 3), strict=True):
                column.append((now, count))
        now += pause
        told.tick(now, counts)
    now += 20 - now % 20
    told.tick(now, [1, 1, 1])
    window = told.ring.window(length)
    for place, events in enumerate(told.events):
        assert int(window.most[place]) == told.inside(place, now, length)
        assert int(told.ring.current[place]) == sum(count for _, count in events)
