"""A history's counters, counted for every tick at once: what Counter would make of its answers, one after the other."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from figwatch_agent.durations import SECOND, Duration, Instant
from figwatch_agent.engine.catalog import Catalog, Stream
from figwatch_agent.engine.mapping import BAD, BOUNDS, GOOD, KINDS, SIDES, TOTAL, Mapper, Mapping, metric_of
from figwatch_agent.evaluate.past_increases import PastIncreases, past_increases
from figwatch_agent.evaluate.selection import read_request
from figwatch_agent.model.batch import Counted, Series, SeriesTable
from figwatch_agent.model.inputs import Inputs
from figwatch_agent.model.past import History
from figwatch_agent.model.slo import Availability, Events, Histogram, Latency

Counts = NDArray[np.int64]
Small = NDArray[np.int32] | NDArray[np.int64]

_MOST = 2**31 - 1
_UNKNOWN = SIDES.index("unknown")
_FOREVER = np.iinfo(np.int64).max
"""Coverage of a scrape target that does not carry a stream yet: it takes nothing away from the others'."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PastCounts:
    """Events of every stream by tick. The columns are streams, split by side where the series say who served."""

    ticks: Counts
    keys: tuple[str, ...]  # of the columns
    sides: tuple[str, ...]
    total: Small  # [tick, column]
    bad: Small
    covered: Counts  # [tick, group]: milliseconds measured
    group: Counts  # of each column
    untimed: dict[int, tuple[Counts, Counts]]  # by tick: total and bad of no window, by column
    streams: frozenset[int]  # that have any series
    started: tuple[
        tuple[str, int], ...
    ]  # scrape targets with series that cannot have come about as fast as they appear

    def counted(self, index: int) -> Counted:
        """One tick's."""
        nothing = self._nothing
        untimed_total, untimed_bad = self.untimed.get(index, (nothing, nothing))
        return Counted(
            keys=self.keys,
            sides=self.sides,
            at=int(self.ticks[index]),
            total=self.total[index].astype(np.int64),
            bad=self.bad[index].astype(np.int64),
            covered=self.covered[index][self.group],
            untimed_total=untimed_total,
            untimed_bad=untimed_bad,
        )

    def inputs(self, index: int) -> Inputs:
        """What the engine is handed for one tick."""
        return Inputs(counted=(self.counted(index),))

    @property
    def _nothing(self) -> Counts:
        return np.zeros(len(self.keys), dtype=np.int64)


class PastCounter:
    """Counts histories for the streams of a catalog."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self._mapper = Mapper(catalog)

    def names(self) -> frozenset[str]:
        """Names of the samples that are looked at, when series began among them."""
        wanted = self._mapper.wanted()
        bases = {name.rpartition("_")[0] for name in wanted if name.endswith(("_total", "_count", "_bucket"))}
        return wanted | {f"{base}_created" for base in bases}

    def wants(self, series: Series) -> bool:
        """Whether a series of these names is needed: of histograms that nobody counts by, the count alone is."""
        if not series.name.endswith("_bucket"):
            return True
        return len(self._mapper.map(SeriesTable((series,), frozenset())).rows) > 0

    def count(self, history: History, ticks: Counts, start: Instant, patience: Duration) -> PastCounts:
        """Everything after ``start`` up to the last of ``ticks``, each taking what came since the one before.

        After a longer silence of a scrape target than ``patience``, a scrape was missed.
        """
        targets = [
            _Target(self._mapper, past_increases(target, self.catalog.longest_gap, patience), ticks, start)
            for target in history.targets
        ]
        return _Counting(self.catalog, targets, ticks).counts(tuple(one.name for one in history.targets))


class _Target:
    """One scrape target's increases, with the ticks that take them and the streams that they count for."""

    def __init__(self, mapper: Mapper, increases: PastIncreases, ticks: Counts, start: Instant) -> None:
        self.increases = increases
        self.table = SeriesTable(tuple(row.series for row in increases.rows), frozenset())
        self.mapping: Mapping = mapper.map(self.table)
        self.tick = np.searchsorted(ticks, increases.at)
        self.inside = (increases.at > start) & (self.tick < len(ticks))
        self._shown: dict[str, NDArray[np.bool_]] = {}
        self._covered: dict[str, Counts] = {}
        self._ticks = len(ticks)
        self._requests: dict[str, list[int]] = {}
        for row, series in enumerate(self.table.series):
            request = read_request(series)
            if request is not None:
                self._requests.setdefault(request.vantage, []).append(row)

    def first_tick(self, rows: Sequence[int]) -> int:
        """The tick that takes the first answer with any of these rows."""
        firsts = [int(self.increases.rows[row].answers[0]) for row in rows if len(self.increases.rows[row].answers)]
        return int(self.tick[min(firsts)]) if firsts else self._ticks

    def requests(self, vantage: str) -> list[int]:
        """Rows of request histograms counted there."""
        return self._requests.get(vantage, [])

    def covered(self, metric: str) -> Counts:
        """Milliseconds by tick from which its answers are, where they show the metric and follow one another."""
        found = self._covered.get(metric)
        if found is None:
            found = self._covered[metric] = self._by_tick(self.shown(metric) & self.increases.timed)
        return found

    def shown(self, metric: str) -> NDArray[np.bool_]:
        """By answer, whether it shows the metric."""
        found = self._shown.get(metric)
        if found is None:
            names = {metric, metric.removesuffix("_total"), *(metric + part for part in ("_bucket", "_count"))}
            rows = [row for row, series in enumerate(self.table.series) if series.name in names]
            found = self._shown[metric] = self.answers_with(rows)
        return found

    def answers_with(self, rows: Sequence[int]) -> NDArray[np.bool_]:
        """By answer, whether it shows any of these rows."""
        shown = np.zeros(len(self.increases.at), dtype=np.bool_)
        for row in rows:
            shown[self.increases.rows[row].answers] = True
        return shown

    def ticks_with(self, answers: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """By tick, whether it takes any of these answers."""
        found = np.zeros(self._ticks, dtype=np.bool_)
        found[self.tick[answers & self.inside]] = True
        return found

    def _by_tick(self, answers: NDArray[np.bool_]) -> Counts:
        chosen = answers & self.inside
        covered = np.zeros(self._ticks, dtype=np.int64)
        np.add.at(covered, self.tick[chosen], self.increases.gaps[chosen])
        return covered


class _Counting:
    """Adds up all scrape targets, column by column."""

    def __init__(self, catalog: Catalog, targets: list[_Target], ticks: Counts) -> None:
        self.catalog = catalog
        self.targets = targets
        self.ticks = ticks
        self.columns: dict[tuple[int, int], dict[int, list[tuple[_Target, int]]]] = {}  # (stream, side) -> kind -> rows
        for target in targets:
            mapping = target.mapping
            for row, cell in zip(mapping.rows.tolist(), mapping.cells.tolist(), strict=True):
                place, kind = divmod(cell, KINDS)
                self.columns.setdefault(divmod(place, len(SIDES)), {}).setdefault(kind, []).append((target, row))
        for stream in catalog.streams:  # one that is covered without having counted anything has no side yet
            if not stream.probed and not any((stream.index, side) in self.columns for side in range(len(SIDES))):
                self.columns[stream.index, _UNKNOWN] = {}

    def counts(self, names: tuple[str, ...]) -> PastCounts:
        """All columns side by side."""
        columns = sorted(self.columns)
        total: Small = np.zeros((len(self.ticks), len(columns)), dtype=np.int32)
        bad: Small = np.zeros_like(total)
        untimed: dict[int, tuple[Counts, Counts]] = {}
        groups: dict[bytes, int] = {}
        covered: list[Counts] = []
        group: list[int] = []
        streams: dict[int, int] = {}
        for place, (index, side) in enumerate(columns):
            stream, kinds = self.catalog.streams[index], self.columns[index, side]
            whole, failed = self._column(stream, kinds, untimed, (place, len(columns)))
            if total.dtype == np.int32 and max(np.abs(whole).max(initial=0), np.abs(failed).max(initial=0)) > _MOST:
                total, bad = total.astype(np.int64), bad.astype(np.int64)
            total[:, place], bad[:, place] = whole, failed
            if index not in streams:
                time = self._coverage(stream)
                streams[index] = groups.setdefault(time.tobytes(), len(groups))
                if len(groups) > len(covered):
                    covered.append(time)
            group.append(streams[index])
        return PastCounts(
            ticks=self.ticks,
            keys=tuple(self.catalog.streams[index].key for index, _ in columns),
            sides=tuple(SIDES[side] for _, side in columns),
            total=total,
            bad=bad,
            covered=np.stack(covered, axis=1) if covered else np.zeros((len(self.ticks), 0), dtype=np.int64),
            group=np.array(group, dtype=np.int64),
            untimed=untimed,
            streams=frozenset(index for (index, _), kinds in self.columns.items() if kinds),
            started=tuple(
                (name, target.increases.started)
                for name, target in zip(names, self.targets, strict=True)
                if target.increases.started
            ),
        )

    def _column(
        self,
        stream: Stream,
        kinds: dict[int, list[tuple[_Target, int]]],
        untimed: dict[int, tuple[Counts, Counts]],
        place: tuple[int, int],
    ) -> tuple[Counts, Counts]:
        """(total, bad) by tick of one column; what belongs to no window goes to ``untimed``."""
        timed = {kind: self._sum(rows, timed=True) for kind, rows in kinds.items()}
        none = np.zeros(len(self.ticks), dtype=np.int64)
        if any(not target.increases.timed[1:].all() for rows in kinds.values() for target, _ in rows):
            late = {kind: self._sum(rows, timed=False) for kind, rows in kinds.items()}
            whole, failed = _total_and_bad(stream, late, none)
            for tick in np.flatnonzero((whole != 0) | (failed != 0)).tolist():
                columns = place[1]
                there = untimed.setdefault(tick, (np.zeros(columns, np.int64), np.zeros(columns, np.int64)))
                there[0][place[0]], there[1][place[0]] = whole[tick], failed[tick]
        return _total_and_bad(stream, timed, none)

    def _sum(self, rows: list[tuple[_Target, int]], *, timed: bool) -> Counts:
        found = np.zeros(len(self.ticks), dtype=np.int64)
        for target, number in rows:
            row = target.increases.rows[number]
            chosen = (target.increases.timed[row.answers] == timed) & target.inside[row.answers]
            np.add.at(found, target.tick[row.answers[chosen]], row.counts[chosen])
        return found

    def _coverage(self, stream: Stream) -> Counts:
        """Milliseconds by tick for which every scrape target that carries the stream was measured."""
        found: Counts = np.full(len(self.ticks), _FOREVER, dtype=np.int64)
        for target in self.targets:
            rows = target.requests(stream.service.vantage) if stream.sided else _rows_of(target.mapping, stream)
            if not rows:
                continue
            begun = target.first_tick(rows)
            covered = np.where(self._without_bucket(stream, target), 0, target.covered(metric_of(stream)))
            found[begun:] = np.minimum(found[begun:], covered[begun:])
        return np.where(found == _FOREVER, 0, found)

    def _without_bucket(self, stream: Stream, target: _Target) -> NDArray[np.bool_]:
        """By tick, whether the stream's histogram is shown without the bucket that its threshold names."""
        sli, mine = stream.slo.sli, _rows_of(target.mapping, stream)
        known = isinstance(sli, Latency) and Fraction(sli.threshold, SECOND) in BOUNDS
        if known or not isinstance(sli, (Latency, Histogram)) or not mine:
            return np.zeros(len(self.ticks), dtype=np.bool_)
        good = _rows_of(target.mapping, stream, GOOD)
        return target.ticks_with(target.answers_with(mine) & ~target.answers_with(good))


def _total_and_bad(stream: Stream, kinds: dict[int, Counts], none: Counts) -> tuple[Counts, Counts]:
    total, sli = kinds.get(TOTAL, none), stream.slo.sli
    counts_bad = isinstance(sli, Availability) or (isinstance(sli, Events) and bool(sli.bad))
    return total, kinds.get(BAD, none) if counts_bad else total - kinds.get(GOOD, none)


def _rows_of(mapping: Mapping, stream: Stream, kind: int | None = None) -> list[int]:
    """Rows that count for a stream."""
    mine = mapping.cells // (len(SIDES) * KINDS) == stream.index
    if kind is not None:
        mine &= mapping.cells % KINDS == kind
    return sorted(set(mapping.rows[mine].tolist()))
