"""What the rings count over a stretch of ticks: by any instant of it, and all at once when it is lived through."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from figwatch_agent.durations import Duration
from figwatch_agent.engine.measuring import Rings
from figwatch_agent.engine.past import Small
from figwatch_agent.engine.stretch import PastReader, Stretch
from figwatch_agent.engine.tally import Tally
from figwatch_agent.evaluate.ring import Ring
from figwatch_agent.evaluate.slots import Columns

Counts: TypeAlias = NDArray[np.int64]

_ALL = slice(None)


class Stretched:
    """A ring's counts by any instant up to the end of some ticks that it has not counted yet."""

    def __init__(self, ring: Ring, ticks: Counts, parts: Sequence[Small]) -> None:
        """``parts``: what each tick adds to the first columns, to those after them, and so on."""
        self.ring = ring
        self.ticks = ticks
        self.counted: Counts = np.empty((len(ticks) + 1, len(ring.current)), dtype=np.int64)  # from before the first on
        self.counted[0] = ring.current
        first = 0
        for part in parts:
            end = first + part.shape[1]
            for tick, added in enumerate(part):  # row by row: sums along the other axis are many times slower
                np.add(self.counted[tick, first:end], added, out=self.counted[tick + 1, first:end])
            first = end

    def by(self, length: Duration, instants: Counts, columns: Columns = _ALL) -> Counts:
        """[instant, column]: counted by boundaries of the level that windows so long read, or by ticks."""
        which = np.searchsorted(self.ticks, instants, side="right")
        found = self.counted[which] if isinstance(columns, slice) else self.counted[np.ix_(which, columns)]
        past = np.flatnonzero(instants <= (self.ring.at or 0))
        if len(past):
            found[past] = self.ring.stored(length, instants[past], columns)
        return found

    def edges(self, length: Duration, ticks: Counts) -> tuple[Counts, Counts]:
        """The boundaries around the starts of windows that end with these ticks; none is later than its tick."""
        resolution, starts = self.ring.level_of(length).resolution, ticks - length
        below = starts - starts % resolution
        return below, np.minimum(np.where(below == starts, starts, below + resolution), ticks)


class Bulk:
    """Lets rings count a whole stretch."""

    def __init__(self, rings: Rings, empty: Callable[[], Tally], reader: PastReader) -> None:
        self._rings = rings
        self._reader = reader
        self._group = self._columns_of_time()
        self._maps = self._places(empty())

    def covered(self, first: int, end: int) -> Counts | None:
        """[tick, column of covered time]; None where a column would have to be split."""
        coverage = self._rings.coverage
        if len(self._group) != len(coverage.ids):
            self._group = self._columns_of_time()
        covered = self._reader.covered(first, end)
        for column in np.flatnonzero([len(each) > 1 for each in self._group]).tolist():
            groups = self._group[column]
            if (covered[:, groups] != covered[:, groups[:1]]).any():
                return None
        return covered[:, [each[0] for each in self._group]]

    def split(self, name: str, first: int, end: int) -> Counts:
        """[tick, column] of a ring that counts by side."""
        counts = self._reader.counts
        parts = [counted[first:end].astype(np.int64) for counted in (counts.total, counts.bad)]
        return np.concatenate([*parts, np.zeros((end - first, 1), dtype=np.int64)], axis=1)[:, self._maps[name]]

    def count(self, stretch: Stretch, budget: Stretched, covered: Stretched, first: int) -> None:
        """All of the stretch's ticks, which begin with the ``first`` of the history; the others may reach beyond."""
        rings, ticks, number = self._rings, stretch.ticks, len(stretch.ticks)
        rings.coverage.count_many(ticks, covered.counted[: number + 1])
        for name, ring in rings.rings.items():
            if name == "budget":
                ring.count_many(ticks, budget.counted[: number + 1])
            elif name in self._maps and len(ring.current):
                split = Stretched(ring, ticks, [self.split(name, first, first + number)])
                ring.count_many(ticks, split.counted)
            else:
                ring.count_many(ticks, np.repeat(ring.current[None], number + 1, axis=0))

    def _columns_of_time(self) -> list[Counts]:
        """By column of covered time the groups of the history whose streams share it."""
        coverage = self._rings.coverage
        return [np.unique(self._reader.group[coverage.group == column]) for column in range(len(coverage.ids))]

    def _places(self, tally: Tally) -> dict[str, Counts]:
        """Which column of the history each column of a ring counts; the last, of nothing, where it counts none."""
        reader = self._reader
        numbers = np.arange(1, len(reader.stream) + 1, dtype=np.int64)
        tally.total[reader.stream, reader.side] = numbers
        tally.bad[reader.stream, reader.side] = len(numbers) + numbers
        increments = self._rings.increments(tally)
        return {name: (increments[name] - 1) % (2 * len(numbers) + 1) for name in ("sides", "answers")}
