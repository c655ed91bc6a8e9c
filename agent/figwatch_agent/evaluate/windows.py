"""Rolling windows over cumulative integer counts, at several resolutions, with hard bounds at a window's edge.

A ring holds, per level, what every column had counted at each boundary of that level. A window then is a subtraction.
Where a window starts between two boundaries, the events of the slot it cuts may lie inside or outside: they are handed
out apart, and whoever decides with them decides on both and says whether the answer is certain.
"""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from figwatch_agent.durations import DAY, HOUR, MINUTE, SECOND, Duration, Instant

Counts = NDArray[np.int64]

_UNSET = -1
_ALL = slice(None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """Boundaries every ``resolution`` over at least ``span`` back."""

    resolution: Duration
    span: Duration

    @property
    def slots(self) -> int:
        """One for each boundary of the span, one for the boundary below a start that lies between two, one for now."""
        return self.span // self.resolution + 2


Layout = tuple[Level, ...]

DEFAULT: Layout = (
    Level(resolution=10 * SECOND, span=6 * HOUR),
    Level(resolution=2 * MINUTE, span=3 * DAY),
    Level(resolution=30 * MINUTE, span=30 * DAY),
)
"""For budgets and tiers: 10 s to 30 min, where alert windows need them."""

RECENT: Layout = (Level(resolution=SECOND, span=10 * MINUTE), Level(resolution=10 * SECOND, span=HOUR))
"""For the two sides of a route while somebody decides about it."""

LONG: Layout = (
    Level(resolution=10 * SECOND, span=HOUR),
    Level(resolution=10 * MINUTE, span=3 * DAY),
    Level(resolution=2 * HOUR, span=30 * DAY),
)
"""For figures that are shown and judged, not alerted on: traffic per side, latency buckets. 9 kB a column."""

SHOWN: Layout = LONG[1:]
"""For figures that are shown only, and whose last hour another ring holds: the two sides of a route over days."""


def reaching(layout: Layout, longest: Duration) -> Layout:
    """The layout with its last level stretched so that windows of ``longest`` fit."""
    last = layout[-1]
    if longest <= last.span:
        return layout
    return (*layout[:-1], Level(resolution=last.resolution, span=longest))


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """Counts per column: surely inside, and in the slot that the window's start cuts."""

    inside: Counts
    edge: Counts

    @property
    def most(self) -> Counts:
        """Everything that may lie inside."""
        return self.inside + self.edge


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """What all columns had counted at one boundary."""

    level: int
    slot: int
    boundary: Instant
    values: Counts


class Ring:
    """Cumulative counts of many columns. Events carry the instant of the tick that brought them."""

    def __init__(self, layout: Layout, columns: int) -> None:
        self.layout = layout
        self.current: Counts = np.zeros(columns, dtype=np.int64)
        self.origin: Counts = np.zeros(columns, dtype=np.int64)
        self.at: Instant | None = None
        self._windows: dict[Duration, Window] = {}  # asked for since the last tick
        self._values = [np.zeros((level.slots, columns), dtype=np.int64) for level in layout]
        self._boundaries = [np.full(level.slots, _UNSET, dtype=np.int64) for level in layout]

    def advance(self, now: Instant, increments: Counts) -> list[Row]:
        """Count events at ``now``; returns the rows that were written. ValueError when time goes back."""
        if self.at is not None and now < self.at:
            raise ValueError(f"a tick at {now} follows one at {self.at}: ticks go forward")
        self._windows.clear()
        before = self.current
        self.current = before + increments
        # The first tick writes the boundary it falls on as well, or its events would count as having come after it.
        since, self.at = self.at if self.at is not None else now - 1, now
        rows: list[Row] = []
        for index, level in enumerate(self.layout):
            rows += self._write(index, level, since, now, before)
        return rows

    def amend(self, at: Instant, increments: Counts) -> list[Row]:
        """Count events of a past instant; returns the rows that changed. ValueError when ``at`` lies ahead."""
        if self.at is None or at > self.at:
            raise ValueError(f"only past events are amended: {at} is not before the last tick at {self.at}")
        self._windows.clear()
        self.current = self.current + increments
        rows: list[Row] = []
        for index, boundaries in enumerate(self._boundaries):
            slots = np.flatnonzero(boundaries >= at)
            self._values[index][slots] += increments
            rows += [self._row(index, int(slot)) for slot in slots]
        return rows

    def window(self, length: Duration) -> Window:
        """Counts of the last ``length`` before the last tick, in (now - length, now]."""
        found = self._windows.get(length)
        if found is None:
            found = self._windows[length] = self._window(length)
        return found

    def _window(self, length: Duration) -> Window:
        if self.at is None:
            nothing = np.zeros_like(self.current)
            return Window(nothing, nothing)
        start, level = self.at - length, self._level_for(length)
        resolution = self.layout[level].resolution
        below = start - start % resolution
        outer = self.current - self._at(level, below)
        if below == start:
            return Window(outer, np.zeros_like(outer))
        above = below + resolution
        inner = np.zeros_like(outer) if above > self.at else self.current - self._at(level, above)
        return Window(inner, outer - inner)

    def cut(self, length: Duration) -> Duration:
        """How much of the slot that the window's start cuts lies before the start; 0 where it cuts none."""
        if self.at is None:
            return 0
        return (self.at - length) % self.layout[self._level_for(length)].resolution

    def counted_at(self, boundaries: Counts, columns: slice = _ALL) -> Counts:
        """What the columns had counted at these instants, [instant, column]; at those ahead, what they have by now.

        ValueError where no level has a boundary at each of them.
        """
        if self.at is None or not len(boundaries):
            return np.tile(self.current[columns], (len(boundaries), 1))
        past = boundaries <= self.at
        level = self._level_with(boundaries[past])
        slots = boundaries // self.layout[level].resolution % self.layout[level].slots
        stored = self._boundaries[level][slots] == boundaries
        values = np.where(stored[:, None], self._values[level][slots, columns], self.origin[columns])
        found: Counts = np.where(past[:, None], values, self.current[columns])
        return found

    def restore(self, at: Instant | None, current: Counts, origin: Counts, rows: list[Row]) -> None:
        """Stand where another ring of the same layout stood; rows of other layouts are left out."""
        self._windows.clear()
        self.at, self.current, self.origin = at, current, origin
        for row in rows:
            if row.level < len(self.layout) and row.boundary % self.layout[row.level].resolution == 0:
                slot = self._slot(row.level, row.boundary)
                if row.boundary > self._boundaries[row.level][slot]:
                    self._boundaries[row.level][slot] = row.boundary
                    self._values[row.level][slot] = row.values

    def _level_with(self, boundaries: Counts) -> int:
        oldest = int(boundaries.min()) if len(boundaries) else self.at or 0
        for index, level in enumerate(self.layout):
            kept = (self.at or 0) // level.resolution - level.slots + 1
            if oldest >= kept * level.resolution and not np.any(boundaries % level.resolution):
                return index
        raise ValueError(f"no level of the ring has boundaries at all of {boundaries.tolist()}")

    def _level_for(self, length: Duration) -> int:
        return next((i for i, level in enumerate(self.layout) if level.span >= length), len(self.layout) - 1)

    def _write(self, index: int, level: Level, since: Instant, now: Instant, before: Counts) -> list[Row]:
        resolution = level.resolution
        first = since - since % resolution + resolution
        earliest = now - now % resolution - (level.slots - 1) * resolution
        rows: list[Row] = []
        for boundary in range(max(first, earliest), now + 1, resolution):
            slot = self._slot(index, boundary)
            self._boundaries[index][slot] = boundary
            self._values[index][slot] = self.current if boundary == now else before
            rows.append(self._row(index, slot))
        return rows

    def _at(self, level: int, boundary: Instant) -> Counts:
        slot = self._slot(level, boundary)
        if int(self._boundaries[level][slot]) == boundary:
            values: Counts = self._values[level][slot]
            return values
        return self.origin  # before the first tick nothing was counted

    def _slot(self, level: int, boundary: Instant) -> int:
        return boundary // self.layout[level].resolution % self.layout[level].slots

    def _row(self, level: int, slot: int) -> Row:
        boundary = int(self._boundaries[level][slot])
        return Row(level, slot, boundary, self._values[level][slot].copy())


def lowest_ratio(bad: Window, total: Window, column: int) -> Fraction | None:
    """The least share of bad events that the counts allow: the cut slot's bad ones outside, its good ones inside."""
    good_edge = max(int(total.edge[column] - bad.edge[column]), 0)
    events = int(total.inside[column]) + good_edge
    return Fraction(int(bad.inside[column]), events) if events > 0 else None


def highest_ratio(bad: Window, total: Window, column: int) -> Fraction | None:
    """The greatest share of bad events that the counts allow: the cut slot's bad ones inside, its good ones outside."""
    bad_edge = max(int(bad.edge[column]), 0)
    events = int(total.inside[column]) + bad_edge
    return Fraction(int(bad.inside[column]) + bad_edge, events) if events > 0 else None
