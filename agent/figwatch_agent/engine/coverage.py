"""Covered time, kept once for streams that were always measured together.

Streams of one scrape target are measured at the same instants, for ever. Such a group has one column in a ring; it is
split, by a copy of its past, at the first tick that covers its streams differently. Every figure is the one that a
column of its own would give.
"""

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from figwatch_agent.durations import Duration, Instant
from figwatch_agent.evaluate.layouts import Layout
from figwatch_agent.evaluate.ring import Ring, Row, Span
from figwatch_agent.evaluate.windows import Window

Counts = NDArray[np.int64]


class Coverage:
    """Milliseconds that became known, by stream."""

    def __init__(self, layout: Layout, streams: int) -> None:
        self.group: Counts = np.zeros(streams, dtype=np.int64)  # the column of each stream
        self.ring = Ring(layout, min(streams, 1))
        self.ids: list[int] = list(range(min(streams, 1)))  # of the columns; never given twice
        self.parents: dict[int, int] = {}  # of each column that was split off, the one whose past it shares
        self.next_id = len(self.ids)
        self._first = self._firsts()
        self._windows: dict[Duration, Window] = {}  # asked for since the last tick

    def advance(self, now: Instant, covered: Counts) -> list[Span]:
        """Count a tick that covered each stream for so long; the boundaries that were written."""
        self._windows.clear()
        strange = self._strange(covered)
        if len(strange):
            self._split(strange, covered)
        return self.ring.count(now, covered[self._first])

    def count_many(self, ticks: Counts, counted: Counts) -> None:
        """Count some ticks of which none splits a column; ``counted``: by the columns before them and by each."""
        self._windows.clear()
        self.ring.count_many(ticks, counted)

    def amend(self, at: Instant, covered: Counts) -> list[Row]:
        """Each stream was covered for so long up to a past instant; the rows that changed."""
        self._windows.clear()
        strange = self._strange(covered)
        if len(strange):
            self._split(strange, covered)
        return self.ring.amend(at, covered[self._first])

    def amend_many(self, ats: Counts, covered: Counts) -> list[Row]:
        """The same for many past instants in their order, [instant, stream]."""
        self._windows.clear()
        for each in covered:
            strange = self._strange(each)
            if len(strange):
                self._split(strange, each)
        return self.ring.amend_many(ats, covered[:, self._first])

    def window(self, length: Duration) -> Window:
        """Covered time of every stream in the last ``length``."""
        found = self._windows.get(length)
        if found is None:
            groups = self.ring.window(length)
            found = self._windows[length] = Window(groups.inside[self.group], groups.edge[self.group])
        return found

    def counted_at(self, boundaries: Counts, streams: slice = slice(None)) -> Counts:
        """Covered time of some streams up to these instants, [instant, stream]."""
        counted: Counts = self.ring.counted_at(boundaries)[:, self.group[streams]]
        return counted

    def restore(self, group: Counts, ids: Iterable[int], parents: Mapping[int, int], next_id: int) -> None:
        """Take the groups of another process. Streams that it did not know, marked -1, share a new group."""
        ids, self.next_id = list(ids), next_id
        if (group < 0).any():
            group, self.next_id = np.where(group < 0, len(ids), group), next_id + 1
            ids.append(next_id)
        used, self.group = np.unique(group, return_inverse=True)
        self.ids = [ids[column] for column in used.tolist()]
        self.parents = dict(parents)
        self.ring = Ring(self.ring.layout, len(self.ids))
        self._first = self._firsts()

    def ancestry(self, column: int) -> list[int]:
        """Ids under which rows may hold a column's past, the newest first."""
        found = [self.ids[column]]
        while found[-1] in self.parents:
            found.append(self.parents[found[-1]])
        return found

    def _strange(self, covered: Counts) -> Counts:
        """Streams that were covered otherwise than the first of their group."""
        alike = covered[self._first] if len(self._first) == 1 else covered[self._first][self.group]
        found: Counts = (covered != alike).nonzero()[0]
        return found

    def _split(self, strange: Counts, covered: Counts) -> None:
        """Streams whose group was covered otherwise than they leave it, together with those covered alike."""
        pairs, place = np.unique(np.stack([self.group[strange], covered[strange]], axis=1), axis=0, return_inverse=True)
        sources = pairs[:, 0]
        for number, source in enumerate(sources.tolist()):
            self.parents[self.next_id + number] = self.ids[source]
        self.group[strange] = len(self.ids) + place.reshape(-1)
        self.ids += range(self.next_id, self.next_id + len(pairs))
        self.next_id += len(pairs)
        self.ring.append(sources)
        self._first = self._firsts()

    def _firsts(self) -> Counts:
        """By column the first of its streams."""
        firsts: Counts = np.unique(self.group, return_index=True)[1].astype(np.int64)
        return firsts
