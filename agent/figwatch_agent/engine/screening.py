"""Which tiers may burn at all: one pass over the short windows of all streams, another over the long ones it leaves.

A pass compares floats with a margin, on sums that can only be too favourable to the alert: the most bad events that may
lie in the window, among the fewest events that surely do. What it leaves out is surely not over its threshold, or lacks
the evidence; what it leaves over is decided exactly.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from figwatch_agent.durations import Duration
from figwatch_agent.engine.catalog import Catalog, Watch
from figwatch_agent.engine.measuring import Rings
from figwatch_agent.evaluate.ring import Ring
from figwatch_agent.evaluate.slots import Columns
from figwatch_agent.evaluate.tables import Evidence

Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]
Words = NDArray[np.uint32]

_MARGIN = 1 - 1e-9
_NONE = -1
_NEVER = 1e300  # no ratio, and no infinity: times no events it is 0


class Screen:
    """Knows the tiers of all streams by their short windows."""

    def __init__(self, catalog: Catalog, rings: Rings) -> None:
        self._rings = rings
        self._count = len(catalog.streams)
        watches = catalog.watches
        self._long: Integers = np.array([watch.long for watch in watches], dtype=np.int64)
        self._lengths = sorted({watch.long for watch in watches if watch.early is None})
        self._stream: Integers = np.array([watch.stream.index for watch in watches], dtype=np.int64)
        self._ratio = np.array([float(watch.ratio) for watch in watches]) * _MARGIN
        self._evidence = Evidence([(watch.stream.slo.objective, watch.alpha) for watch in watches])
        tiers = [watch for watch in watches if watch.early is None]
        self._shorts, self._watch, self._ratios = _by_short(tiers, self._count)

    def burning(self, standing: Flags, known: Flags) -> list[int]:
        """Watches that may burn: the others surely do not, before imputation and with the evidence there is."""
        ring = self._rings.rings["budget"]
        if ring.at is None or not len(self._shorts):
            return []
        now, unsure = ring.current.astype(np.uint32), self._rings.inexact()
        rows = self._watch[self._hot(ring, now, unsure)]
        rows = rows[(rows != _NONE) & known[self._stream[rows]] & ~standing[rows]]
        return sorted(self._left(ring, now, rows, unsure))

    def _hot(self, ring: Ring, now: Words, unsure: Integers) -> Flags:
        """[short window, stream]: whether a tier with that window may burn."""
        totals, bads = slice(0, self._count), slice(self._count, 2 * self._count)
        hot = np.empty(self._ratios.shape, dtype=np.bool_)
        for place, length in enumerate(self._shorts):
            total, bad = _sums(ring, now, length, totals, bads)
            np.greater(bad, self._ratios[place] * total, out=hot[place])
        hot[:, unsure] = True
        return hot

    def _left(self, ring: Ring, now: Words, rows: Integers, unsure: Integers) -> list[int]:
        """Those of some watches whose long window may burn as well, with evidence."""
        if not len(rows):
            return []
        streams, lengths = self._stream[rows], self._long[rows]
        total, bad = np.empty(len(rows), dtype=np.uint32), np.empty(len(rows), dtype=np.uint32)
        for length in self._lengths:
            places = (lengths == length).nonzero()[0]
            if len(places):
                chosen = streams[places]
                total[places], bad[places] = _sums(ring, now, length, chosen, self._count + chosen)
        exact = ~np.isin(streams, unsure) if len(unsure) else np.ones(len(rows), dtype=np.bool_)
        left = np.flatnonzero((bad > self._ratio[rows] * total) | ~exact)
        rows, total, bad, exact = rows[left], total[left], bad[left], exact[left]
        possible = ~exact | self._evidence.possible(rows, bad.astype(np.int64), total.astype(np.int64))
        found: list[int] = rows[possible].tolist()
        return found


def _sums(ring: Ring, now: Words, length: Duration, totals: Columns, bads: Columns) -> tuple[Words, Words]:
    """Counts in a window, below 2**32: of some columns those surely inside, of others the most that may be inside.

    What a source takes back wraps to far more than any count, and is decided exactly.
    """
    edge = ring.edge(length)
    below, above = ring.low(edge.below), ring.low(edge.above)
    most = now[bads] - below[bads]
    if edge.above != edge.below:
        np.maximum(most, now[bads] - above[bads], out=most)
    return now[totals] - above[totals], most


def _by_short(tiers: Sequence[Watch], count: int) -> tuple[list[Duration], Integers, NDArray[np.float64]]:
    """Short windows of tiers, and by window and stream the watch and its ratio; one row for each watch of a stream."""
    rows: list[tuple[Duration, dict[int, Watch]]] = []
    for watch in tiers:
        place = next((each for short, each in rows if short == watch.short and watch.stream.index not in each), None)
        if place is None:
            place = {}
            rows.append((watch.short, place))
        place[watch.stream.index] = watch
    watches = np.full((len(rows), count), _NONE, dtype=np.int64)
    ratios = np.full((len(rows), count), _NEVER, dtype=np.float64)
    for number, (_, places) in enumerate(rows):
        for stream, watch in places.items():
            watches[number, stream] = watch.index
            ratios[number, stream] = float(watch.ratio) * _MARGIN
    return [short for short, _ in rows], watches, ratios
