"""Rings that are restarted under other layouts again and again, against a list of events: no bound is ever wrong."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from figwatch_agent.evaluate.layouts import Layout, Level
from figwatch_agent.evaluate.ring import Ring, Row, at_home
from figwatch_agent.evaluate.slots import Block

LAYOUTS: tuple[Layout, ...] = (
    (Level(resolution=10, span=60), Level(resolution=60, span=600)),
    (Level(resolution=10, span=200), Level(resolution=20, span=300), Level(resolution=60, span=1200)),
    (Level(resolution=5, span=30), Level(resolution=30, span=240), Level(resolution=120, span=900)),
    (Level(resolution=10, span=60), Level(resolution=60, span=1500)),  # the first one, stretched
)
LENGTHS = (7, 10, 25, 60, 95, 180, 240, 333, 600, 900, 1200)

ticks = st.tuples(st.sampled_from([1, 3, 5, 10, 10, 20, 37, 60]), st.integers(0, 9))
deeds = st.one_of(
    st.lists(ticks, min_size=1, max_size=40),
    st.sampled_from(range(len(LAYOUTS))),  # a restart under this layout
    st.tuples(st.integers(1, 300), st.integers(1, 5)),  # events of so long ago become known
)


class Told:
    """A ring, what a store holds of it, and all events."""

    def __init__(self) -> None:
        self.now = self.began = 1_003
        self.ring = Ring(LAYOUTS[0], 1)
        self.kept: dict[tuple[int, int], Row] = {}
        self.events: list[tuple[int, int]] = []
        self.tick(0, 4)

    def keep(self, rows: list[Row]) -> None:
        self.kept |= {(row.level, row.slot): row for row in rows}

    def tick(self, pause: int, count: int) -> None:
        self.now += pause
        self.events.append((self.now, count))
        self.keep(self.ring.advance(self.now, np.array([count], dtype=np.int64)))

    def amend(self, ago: int, count: int) -> None:
        at = self.now - ago
        if at > self.began:
            self.events.append((at, count))
            self.keep(self.ring.amend(at, np.array([count], dtype=np.int64)))

    def restart(self, layout: Layout) -> None:
        """Take what the ring before kept; under another layout all slots are written anew."""
        old = self.ring
        self.ring = Ring(layout, 1)
        rows = sorted(self.kept.values(), key=lambda row: (row.level, row.slot))
        rows = [row for row in rows if row.level < len(old.layout) and self.home(old.layout[row.level], row)]
        blocks: list[Block] = []
        if [level.resolution for level in layout] == [level.resolution for level in old.layout]:
            for index in range(len(layout)):
                many = [row for row in rows if row.level == index]
                if many:
                    words = np.array([row.values for row in many], dtype=np.uint32)
                    blocks.append(Block(index, np.array([row.boundary for row in many]), words))
            rows = []
        self.ring.restore(old.at, old.current, old.origin, rows, tuple(blocks), self.began)
        if layout != old.layout:
            self.keep([self.ring.row(index, at) for index, level in enumerate(layout) for at in range(level.slots)])

    @staticmethod
    def home(level: Level, row: Row) -> bool:
        return bool(at_home(level.resolution, level.slots, np.array([row.boundary]), np.array([row.slot]))[0])

    def check(self) -> None:
        for length in LENGTHS:
            if length > self.ring.layout[-1].span:
                continue
            seen = self.ring.window(length)
            truth = sum(count for at, count in self.events if self.now - length < at <= self.now)
            low, edge = int(seen.inside[0]), int(seen.edge[0])
            assert low <= truth <= low + edge, (length, self.now, low, edge, truth)


@settings(max_examples=60)
@given(story=st.lists(deeds, min_size=2, max_size=14))
def test_whatever_layouts_follow_one_another_the_truth_lies_within_the_bounds(story: list[object]) -> None:
    told = Told()
    for deed in story:
        match deed:
            case int():
                told.restart(LAYOUTS[deed])
            case (int() as ago, int() as count):
                told.amend(ago, count)
            case list():
                for pause, count in deed:
                    told.tick(pause, count)
                    told.check()
        told.check()
