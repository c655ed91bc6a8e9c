"""Cumulative counts at the boundaries of several resolutions: what windows are read from.

A ring holds, per level, what every column had counted at each boundary of that level. A window then is a subtraction.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from figwatch_agent.durations import Duration, Instant
from figwatch_agent.evaluate.layouts import Layout, Level
from figwatch_agent.evaluate.slots import UNSET, Block, Columns, Slots, leaves_a_word
from figwatch_agent.evaluate.windows import Window

Counts = NDArray[np.int64]

_ALL = slice(None)


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """What all columns had counted at one boundary."""

    level: int
    slot: int
    boundary: Instant
    values: Counts


@dataclass(frozen=True, slots=True, eq=False)
class Span:
    """Boundaries of a level, one after the other, at all of which the columns had counted the same."""

    level: int
    first: Instant
    count: int
    values: Counts


@dataclass(frozen=True, slots=True)
class Place:
    """Where the counts of a boundary stand: in a slot of a level, or, by NOW and NEVER, in no slot."""

    boundary: Instant
    level: int
    slot: int


NOW, NEVER = -1, -2
"""What is counted by now, and what was before the first tick."""


@dataclass(frozen=True, slots=True)
class Edge:
    """The boundaries around a window's start, which are one where it lies on a boundary."""

    below: Place
    above: Place


class Ring:
    """Cumulative counts of many columns. Events carry the instant of the tick that brought them."""

    def __init__(self, layout: Layout, columns: int) -> None:
        self.layout = layout
        self.current: Counts = np.zeros(columns, dtype=np.int64)  # replaced and never changed: rows refer to it
        self.origin: Counts = np.zeros(columns, dtype=np.int64)
        self.at: Instant | None = None
        self._windows: dict[Duration, Window] = {}  # asked for since the last tick
        self._levels = [Slots(level.slots, columns) for level in layout]
        self._holes = [UNSET] * len(layout)  # up to here a level lacks boundaries: another layout did not keep them
        self._began: Instant = 0  # before it nothing was counted, so that no boundary is missing

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays."""
        return self.current.nbytes + self.origin.nbytes + sum(slots.nbytes for slots in self._levels)

    def advance(self, now: Instant, increments: Counts) -> list[Row]:
        """Count events at ``now``; returns the rows that were written. ValueError where time does not pass."""
        return [row for span in self.count(now, increments) for row in self.rows(span)]

    def count(self, now: Instant, increments: Counts) -> list[Span]:
        """As ``advance``, without a Row for each boundary."""
        if self.at is not None and now <= self.at:  # the boundary at ``self.at`` is written
            raise ValueError(f"a tick at {now} follows one at {self.at}: ticks go forward")
        self._windows.clear()
        if not len(self.current):
            self.at = now
            return []
        before = self.current
        self.current = before + increments
        # The first tick writes the boundary it falls on as well, or its events would count as having come after it.
        since, self.at = self.at if self.at is not None else now - 1, now
        spans: list[Span] = []
        if leaves_a_word(self.current):
            for slots in self._levels:
                slots.widen(self.current)
        for index, level in enumerate(self.layout):
            if now // level.resolution != since // level.resolution:
                spans += self._write(index, level, since, now, before)
        return spans

    def count_many(self, ticks: Counts, counted: Counts) -> None:
        """As many calls of ``count``, none of them the first; ``counted``: by the columns before them and by each."""
        since, self.at = self.at if self.at is not None else int(ticks[0]), int(ticks[-1])
        self._windows.clear()
        if not len(self.current):
            return
        self.current = counted[-1].copy()
        if leaves_a_word(self.current):
            for slots in self._levels:
                slots.widen(self.current)
        for level, slots in zip(self.layout, self._levels, strict=True):
            newest = self.at // level.resolution
            first = max(since // level.resolution + 1, newest - level.slots + 1)
            if first <= newest:
                boundaries = np.arange(first, newest + 1, dtype=np.int64) * level.resolution
                which = np.searchsorted(ticks, boundaries, side="right")
                slots.put_many(first % level.slots, boundaries, counted, which)

    def stored(self, length: Duration, boundaries: Counts, columns: Columns = _ALL) -> Counts:
        """[instant, column]: what the columns had counted at past boundaries of the level that windows so long read.

        Right while the ring is ``unbroken``: what is not kept was before the first tick.
        """
        index = self._level_for(length)
        level, slots = self.layout[index], self._levels[index]
        places = boundaries // level.resolution % level.slots
        found = slots.rows(places, columns)
        missing = slots.boundaries[places] != boundaries
        if missing.any():
            found[missing] = self.origin[columns]
        return found

    @property
    def unbroken(self) -> bool:
        """Whether every level has all boundaries that it should have."""
        return all(hole == UNSET for hole in self._holes)

    def amend(self, at: Instant, increments: Counts) -> list[Row]:
        """Count events of a past instant; returns the rows that changed. ValueError when ``at`` lies ahead."""
        if self.at is None or at > self.at:
            raise ValueError(f"only past events are amended: {at} is not before the last tick at {self.at}")
        self._windows.clear()
        self.current = self.current + increments
        rows: list[Row] = []
        for index, slots in enumerate(self._levels):
            for slot in np.flatnonzero(slots.boundaries >= at).tolist():
                row = Row(index, slot, int(slots.boundaries[slot]), slots.row(slot) + increments)
                slots.widen(row.values)
                slots.put(slot, row.boundary, row.values)
                rows.append(row)
        return rows

    def amend_many(self, ats: Counts, increments: Counts) -> list[Row]:
        """``amend`` for many past instants in their order, [instant, column], at the price of one."""
        if self.at is None or int(ats[-1]) > self.at:
            raise ValueError(f"only past events are amended: {ats[-1]} is not before the last tick at {self.at}")
        self._windows.clear()
        sums = np.cumsum(increments, axis=0)
        self.current = self.current + sums[-1]
        rows: list[Row] = []
        for index, slots in enumerate(self._levels):
            changed = np.flatnonzero(slots.boundaries >= ats[0])
            passed = np.searchsorted(ats, slots.boundaries[changed], side="right") - 1
            for slot, last in zip(changed.tolist(), passed.tolist(), strict=True):
                row = Row(index, slot, int(slots.boundaries[slot]), slots.row(slot) + sums[last])
                slots.widen(row.values)
                slots.put(slot, row.boundary, row.values)
                rows.append(row)
        return rows

    def row(self, level: int, slot: int) -> Row:
        """What stands in a slot now."""
        return Row(level, slot, int(self._levels[level].boundaries[slot]), self._levels[level].row(slot))

    def append(self, sources: Counts) -> None:
        """More columns at the end, each with the past of the column that it is to differ from."""
        self._windows.clear()
        self.current = np.concatenate([self.current, self.current[sources]])
        self.origin = np.concatenate([self.origin, self.origin[sources]])
        for slots in self._levels:
            slots.append(sources)

    def window(self, length: Duration) -> Window:
        """Counts of the last ``length`` before the last tick, in (now - length, now]."""
        found = self._windows.get(length)
        if found is None:
            found = self._windows[length] = self.part(length, _ALL)
        return found

    def part(self, length: Duration, columns: Columns) -> Window:
        """The same of some columns, for who asks once."""
        current = self.current[columns]
        if self.at is None:
            return Window(np.zeros_like(current), np.zeros_like(current))
        edge = self.edge(length)
        outer = current - self._counted(edge.below, columns)
        if edge.below == edge.above:
            return Window(outer, np.zeros_like(outer))
        inner = current - self._counted(edge.above, columns)
        return Window(inner, outer - inner)

    def edge(self, length: Duration) -> Edge:
        """Where a window of this length starts. RuntimeError before the first tick."""
        if self.at is None:
            raise RuntimeError("a ring without ticks has no windows")
        start, level = self.at - length, self._level_for(length)
        resolution = self.layout[level].resolution
        boundary = start - start % resolution
        below = self._below(level, boundary)
        if below.boundary == start:
            return Edge(below, below)
        return Edge(below, self._above(level, boundary + resolution, self.at))

    def low(self, place: Place) -> NDArray[np.uint32]:
        """The low words of all columns at a place: differences of them are exact below 2**32."""
        if place.slot >= 0:
            return self._levels[place.level].low(place.slot)
        return (self.current if place.slot == NOW else self.origin).astype(np.uint32)

    @property
    def wide(self) -> Counts:
        """Columns whose counts have left 32 bits."""
        return self._levels[0].wide

    def _counted(self, place: Place, columns: Columns) -> Counts:
        if place.slot >= 0:
            return self._levels[place.level].row(place.slot, columns)
        counted: Counts = (self.current if place.slot == NOW else self.origin)[columns]
        return counted

    def cut(self, length: Duration) -> Duration:
        """How much of the slot that the window's start cuts lies before the start; 0 where it cuts none."""
        if self.at is None:
            return 0
        return self.at - length - self.edge(length).below.boundary

    def around(self, length: Duration) -> tuple[Instant, Instant]:
        """The boundaries around the start of a window, which are one where it lies on a boundary."""
        if self.at is None:
            return 0, 0
        edge = self.edge(length)
        return edge.below.boundary, edge.above.boundary

    def counted_at(self, boundaries: Counts, columns: slice = _ALL) -> Counts:
        """What the columns had counted at these instants, [instant, column]; at those ahead, what they have by now.

        ValueError where no level has a boundary at each of them. Of an instant that another layout did not keep it is
        what they had counted at the last one before it that was kept.
        """
        if self.at is None or not len(boundaries):
            return np.tile(self.current[columns], (len(boundaries), 1))
        past = boundaries <= self.at
        index = self._level_with(boundaries[past])
        level = self._levels[index]
        slots = boundaries // self.layout[index].resolution % self.layout[index].slots
        stored = level.boundaries[slots] == boundaries
        values = np.where(stored[:, None], level.rows(slots, columns), self.origin[columns])
        for place in np.flatnonzero(past & ~stored & (boundaries <= self._holes[index])).tolist():
            values[place] = self._counted(self._below(index, int(boundaries[place])), columns)
        found: Counts = np.where(past[:, None], values, self.current[columns])
        return found

    def restore(
        self,
        at: Instant | None,
        current: Counts,
        origin: Counts,
        rows: list[Row],
        blocks: tuple[Block, ...] = (),
        began: Instant | None = None,
    ) -> None:
        """Stand where another ring stood, which began to count at ``began``; None: with the oldest of its boundaries.

        Boundaries that stand where this ring would have written them come as blocks, many at once. All others, which
        rings with other layouts may have left, come as rows: of each that a level of this ring has, it is kept what
        was counted there, unless a block says it as well. Windows whose start lies where boundaries are missing get an
        edge as wide as the gap.
        """
        self._windows.clear()
        self.at, self.current, self.origin = at, current, origin
        for block in blocks:
            self._levels[block.level].load(block, self.layout[block.level].resolution)
        for values in (current, *(row.values for row in rows)):
            if leaves_a_word(values):
                for slots in self._levels:
                    slots.widen(values)
        for row in rows:
            for index, level in enumerate(self.layout):
                slot = self._slot(index, row.boundary)
                if row.boundary % level.resolution == 0 and row.boundary > self._levels[index].boundaries[slot]:
                    self._levels[index].put(slot, row.boundary, row.values)
        if began is None:
            told = [*(row.boundary for row in rows), *(int(block.boundaries.min()) for block in blocks)]
            began = min(told, default=at or 0)
        self._began = began
        self._holes = [UNSET if at is None else self._last_hole(index, at, began) for index in range(len(self.layout))]

    def _last_hole(self, level: int, at: Instant, began: Instant) -> Instant:
        resolution, count = self.layout[level].resolution, self.layout[level].slots
        wanted = (at // resolution - np.arange(count, dtype=np.int64)) * resolution
        stored = self._levels[level].boundaries[wanted // resolution % count]
        return int(np.max(wanted, where=(stored != wanted) & (wanted >= began), initial=UNSET))

    def _level_with(self, boundaries: Counts) -> int:
        oldest = int(boundaries.min()) if len(boundaries) else self.at or 0
        for index, level in enumerate(self.layout):
            kept = (self.at or 0) // level.resolution - level.slots + 1
            if oldest >= kept * level.resolution and not np.any(boundaries % level.resolution):
                return index
        raise ValueError(f"no level of the ring has boundaries at all of {boundaries.tolist()}")

    def level_of(self, length: Duration) -> Level:
        """The level that windows of this length are read from."""
        return self.layout[self._level_for(length)]

    def _level_for(self, length: Duration) -> int:
        return next((i for i, level in enumerate(self.layout) if level.span >= length), len(self.layout) - 1)

    def _write(self, index: int, level: Level, since: Instant, now: Instant, before: Counts) -> list[Span]:
        """Up to ``now`` nothing came after the tick before; what came with this one came at ``now``."""
        resolution, slots = level.resolution, self._levels[index]
        earliest = now - now % resolution - (level.slots - 1) * resolution
        first = max(since - since % resolution + resolution, earliest)
        spans: list[Span] = []
        quiet = -(-(now - first) // resolution)
        if quiet:
            slots.fill(self._slot(index, first), quiet, first, resolution, before)
            spans.append(Span(index, first, quiet, before))
        if now % resolution == 0:
            slots.put(self._slot(index, now), now, self.current)
            spans.append(Span(index, now, 1, self.current))
        return spans

    def rows(self, span: Span) -> list[Row]:
        """A row for each boundary of a span."""
        resolution, first = self.layout[span.level].resolution, span.first
        boundaries = range(first, first + span.count * resolution, resolution)
        return [Row(span.level, self._slot(span.level, boundary), boundary, span.values) for boundary in boundaries]

    def _below(self, level: int, boundary: Instant) -> Place:
        """The last boundary up to this one that is kept; before the ring began nothing was counted."""
        slots = self._levels[level]
        slot = self._slot(level, boundary)
        if int(slots.boundaries[slot]) == boundary:
            return Place(boundary, level, slot)
        earlier = (slots.boundaries < boundary) & (slots.boundaries != UNSET)
        if boundary > self._holes[level] or boundary < self._began:
            return Place(boundary, level, NEVER)
        if not earlier.any():
            return Place(self._began - 1, level, NEVER)
        slot = int(np.argmax(np.where(earlier, slots.boundaries, UNSET)))
        return Place(int(slots.boundaries[slot]), level, slot)

    def _above(self, level: int, boundary: Instant, at: Instant) -> Place:
        """The first boundary from this one on that is kept; now where there is none."""
        if boundary > at:
            return Place(at, level, NOW)
        slots = self._levels[level]
        slot = self._slot(level, boundary)
        if int(slots.boundaries[slot]) == boundary:
            return Place(boundary, level, slot)
        if boundary > self._holes[level] or boundary <= self._began:  # what came with the first tick came after it
            return Place(boundary, level, NEVER)
        later = slots.boundaries > boundary
        if not later.any():
            return Place(at, level, NOW)
        slot = int(np.argmin(np.where(later, slots.boundaries, at + 1)))
        return Place(int(slots.boundaries[slot]), level, slot)

    def _slot(self, level: int, boundary: Instant) -> int:
        return boundary // self.layout[level].resolution % self.layout[level].slots


def at_home(resolution: Duration, count: int | None, boundaries: Counts, slots: Counts) -> NDArray[np.bool_]:
    """Whether a level with so many slots (None: unknown), ``resolution`` apart, would have written boundaries there."""
    number, rest = np.divmod(boundaries, resolution)
    home: NDArray[np.bool_] = (boundaries != UNSET) & (rest == 0)
    return home if count is None else home & (number % count == slots)
