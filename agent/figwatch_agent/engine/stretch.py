"""A stretch of a history: what many ticks counted, by stream and by lane, side by side."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from figwatch_agent.durations import Instant
from figwatch_agent.engine.catalog import Catalog
from figwatch_agent.engine.mapping import SIDES
from figwatch_agent.engine.past import PastCounts, Small

Counts: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.bool_]

_SERVICE = SIDES.index("service")
_NOWHERE = -1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stretch:
    """Ticks that follow one another, each measuring the same streams, and all of the time since the tick before."""

    since: Instant  # the tick before the first
    ticks: Counts
    total: Small  # [tick, stream], whoever served
    bad: Small
    lane_total: Small  # [tick, lane]
    lane_bad: Small
    known: Flags  # [stream]
    covered: Counts  # [tick, column of covered time]

    def part(self, first: int, end: int) -> "Stretch":
        """Some of its ticks."""
        return Stretch(
            since=self.since if first == 0 else int(self.ticks[first - 1]),
            ticks=self.ticks[first:end],
            total=self.total[first:end],
            bad=self.bad[first:end],
            lane_total=self.lane_total[first:end],
            lane_bad=self.lane_bad[first:end],
            known=self.known,
            covered=self.covered[first:end],
        )


@dataclass(frozen=True, slots=True, eq=False)
class LaneCounts:
    """What one lane counted, tick by tick."""

    ticks: Counts
    starts: Counts  # where the counts of each tick begin
    bad: Counts
    total: Counts


class PastReader:
    """Reads the counts of a history in the order of a catalog."""

    def __init__(self, catalog: Catalog, lanes: Counts, counts: PastCounts) -> None:
        """``lanes``: the stream of each; those beyond the streams are service sides. KeyError for a strange stream."""
        places = {stream.key: stream.index for stream in catalog.streams}
        self.counts = counts
        self.streams = len(catalog.streams)
        self.stream: Counts = np.array([places[key] for key in counts.keys], dtype=np.int64)
        self.side: Counts = np.array([SIDES.index(side) for side in counts.sides], dtype=np.int64)
        self.group: Counts = np.full(self.streams, _NOWHERE, dtype=np.int64)  # of covered time, by stream
        self.group[self.stream] = counts.group
        self._lanes = lanes
        self._order = np.argsort(self.stream, kind="stable")
        self._present, self._starts = np.unique(self.stream[self._order], return_index=True)
        self._plain = np.array_equal(self.stream, np.arange(self.streams))
        served = {int(self.stream[place]): place for place in np.flatnonzero(self.side == _SERVICE).tolist()}
        self._served = np.array([served.get(each, _NOWHERE) for each in lanes[self.streams :].tolist()], dtype=np.int64)

    def by_stream(self, counted: Small) -> Small:
        """[tick, stream] of [tick, column]."""
        if self._plain:
            return counted
        found = np.zeros((len(counted), self.streams), dtype=np.int64)
        if len(self._present):
            found[:, self._present] = np.add.reduceat(counted[:, self._order].astype(np.int64), self._starts, axis=1)
        return found

    def by_lane(self, counted: Small, streams: Small) -> Small:
        """[tick, lane] of [tick, column], which are ``streams`` by stream."""
        if not len(self._served):
            return streams
        served = np.where(self._served >= 0, counted[:, self._served], 0) if counted.shape[1] else streams[:, :0]
        return np.concatenate([streams, served], axis=1)

    def by_side(self, first: int, end: int) -> tuple[Counts, Counts]:
        """(total, bad) by [stream, side] of all these ticks."""
        found = []
        for counted in (self.counts.total, self.counts.bad):
            sums = np.zeros((self.streams, len(SIDES)), dtype=np.int64)
            sums[self.stream, self.side] = counted[first:end].sum(axis=0, dtype=np.int64)
            found.append(sums)
        return found[0], found[1]

    def served_at(self, first: int, end: int) -> list[tuple[int, Instant]]:
        """When the service side answered last in these ticks, by stream."""
        columns = np.flatnonzero(self.side == _SERVICE)
        answered = self.counts.total[first:end, columns] > 0
        last = np.max(np.where(answered, self.counts.ticks[first:end, None], _NOWHERE), axis=0, initial=_NOWHERE)
        return [
            (stream, at)
            for stream, at in zip(self.stream[columns].tolist(), last.tolist(), strict=True)
            if at != _NOWHERE
        ]

    def covered(self, first: int, end: int) -> Counts:
        """[tick, group and one of no time]: milliseconds."""
        covered = self.counts.covered[first:end]
        return np.concatenate([covered, np.zeros((len(covered), 1), dtype=np.int64)], axis=1)

    def lane(self, lane: int, first: int, end: int) -> LaneCounts:
        """One lane's ticks; the one before ``first`` is the history's as well."""
        stream = int(self._lanes[lane])
        columns = np.flatnonzero(self.stream == stream)
        if lane >= self.streams:
            columns = columns[self.side[columns] == _SERVICE]
        ticks, before = self.counts.ticks[first:end], self.counts.ticks[first - 1 : end - 1]
        group = int(self.group[stream])
        covered = self.counts.covered[first:end, group] if group >= 0 else np.zeros(len(ticks), dtype=np.int64)
        bad, total = (
            counted[first:end, columns].sum(axis=1, dtype=np.int64) for counted in (self.counts.bad, self.counts.total)
        )
        return LaneCounts(ticks, np.minimum(before, ticks - covered), bad, total)
