"""From cumulative counters to increases: resets, births, and what belongs to no window.

A counter that goes down, or that was created anew, was reset and counts from 0. A counter that appears counts from 0
only if its scrape target answered before and the value can have come about since; otherwise its first value is where
counting starts. Last values outlive restarts of the agent: what happened meanwhile is known in number and unknown in
time.
"""

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from figwatch_agent.durations import Duration, Instant
from figwatch_agent.model.batch import EMPTY_TABLE, Batch, Series, SeriesTable

Counts = NDArray[np.int64]

PLAUSIBLE_TIMES = 10
"""A newborn counter may hold at most this many times what its scrape target counted lately over the same time."""

CREATED_SLACK: Duration = 1_000
"""Clocks of two machines differ: a created-timestamp may lie this much before the previous answer."""

_REMEMBERED = 4
_SPARE = 10_000


@dataclass(frozen=True, slots=True, eq=False)
class Increase:
    """What one answer added."""

    counts: Counts  # one per row of the batch's table
    gap: Duration | None  # since the previous answer; None for the first ever
    timed: bool  # whether the counts belong to windows: the previous answer is recent
    answered_before: bool
    born: int = 0  # series counted from 0
    started: int = 0  # series whose first value is where counting starts
    reset: int = 0


def joined(earlier: Increase | None, later: Increase | None) -> Increase | None:
    """Two answers of one tick, for who asks how much time they cover: that of both, where both belong to windows."""
    if earlier is None or later is None or not (earlier.timed and later.timed):
        return later
    return replace(later, gap=(earlier.gap or 0) + (later.gap or 0))


@dataclass(slots=True)
class CounterMemory:
    """Last values of one scrape target's counters."""

    at: Instant | None = None  # of the last answer
    answered: bool = False  # whether the last scrape was answered
    rate: float = 0.0  # requests counted per millisecond lately
    table: SeriesTable = EMPTY_TABLE
    last: Counts = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    created: Counts = field(default_factory=lambda: np.empty(0, dtype=np.int64))  # of the same series; 0 is unknown
    vanished: dict[Series, tuple[int, int]] = field(default_factory=dict)  # (last, created) of series not shown now
    _counting: Counts = field(default_factory=lambda: np.empty(0, dtype=np.int64))  # rows that count one per event

    def fail(self) -> None:
        """The scrape was not answered."""
        self.answered = False

    def observe(self, batch: Batch, longest_gap: Duration) -> Increase:
        """Take an answer; its counts belong to windows where the previous one is at most ``longest_gap`` old."""
        values = batch.values.astype(np.int64)
        gap = None if self.at is None else batch.at - self.at
        timed = gap is not None and gap <= longest_gap
        if batch.table is self.table:
            counts, created, born, started = values - self.last, self.created, 0, 0
        else:
            counts, created, born, started = self._compare(batch, values, gap)
        resets = (counts < 0) | ((created > 0) & (batch.created > created))
        counts = np.where(resets, values, counts)
        increase = Increase(counts, gap, timed, self.answered, born, started, int(resets.sum()))
        self._remember(batch, values, counts, gap)
        return increase

    def _compare(self, batch: Batch, values: Counts, gap: Duration | None) -> tuple[Counts, Counts, int, int]:
        known = self._known()
        last = values.copy()  # a newborn that is not plausible starts where it stands
        created = np.zeros_like(values)
        newborn: list[int] = []
        for row, series in enumerate(batch.table.series):
            earlier = known.get(series)
            if earlier is None:
                newborn.append(row)
            else:
                last[row], created[row] = earlier
        plausible = self._plausible(batch, values, gap, newborn)
        last[plausible] = 0
        shown = set(batch.table.series)
        self.vanished = {series: earlier for series, earlier in known.items() if series not in shown}
        return values - last, created, len(plausible), len(newborn) - len(plausible)

    def _plausible(self, batch: Batch, values: Counts, gap: Duration | None, newborn: list[int]) -> list[int]:
        if gap is None or self.at is None or not self.answered:
            return []
        most = PLAUSIBLE_TIMES * self.rate * gap
        largest: dict[object, int] = {}
        for row in newborn:  # the rows of one histogram are born together: its count decides for all of them
            family = family_of(batch.table.series[row])
            largest[family] = max(largest.get(family, 0), int(values[row]))
        accepted: list[int] = []
        for row in newborn:
            created = int(batch.created[row])
            if created:
                if created >= self.at - CREATED_SLACK:
                    accepted.append(row)
            elif largest[family_of(batch.table.series[row])] <= most:
                accepted.append(row)
        return accepted

    def _known(self) -> dict[Series, tuple[int, int]]:
        """(last, created) of every series that is remembered."""
        shown = zip(self.table.series, zip(self.last.tolist(), self.created.tolist(), strict=True), strict=True)
        known = self.vanished | dict(shown)
        if len(known) > _REMEMBERED * len(self.table.series) + _SPARE:
            return {series: known[series] for series in self.table.series}
        return known

    def _remember(self, batch: Batch, values: Counts, counts: Counts, gap: Duration | None) -> None:
        if batch.table is not self.table:
            self._counting = _counting_rows(batch.table)
        if gap is not None and gap > 0:
            lately = int(counts[self._counting].sum()) / gap
            self.rate = lately if self.rate == 0.0 else 0.9 * self.rate + 0.1 * lately
        self.at, self.answered, self.table = batch.at, True, batch.table
        self.last, self.created = values, batch.created


def _counting_rows(table: SeriesTable) -> Counts:
    """Rows that count one per event: ``_count`` of histograms and ``_total`` of counters."""
    rows = [row for row, series in enumerate(table.series) if series.name.endswith(("_count", "_total"))]
    return np.array(rows, dtype=np.int64)


def family_of(series: Series) -> tuple[str, tuple[tuple[str, str], ...]]:
    """What is born together: the metric without its suffix, and the labels without the bucket's bound."""
    name = series.name
    for suffix in ("_bucket", "_count", "_sum"):
        name = name.removesuffix(suffix)
    return name, tuple(pair for pair in series.labels if pair[0] != "le")
