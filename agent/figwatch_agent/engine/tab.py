"""The ledger of an engine that stores nothing: it adds up in arrays, and is told at the end."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from figwatch_agent.durations import Instant
from figwatch_agent.engine.catalog import Catalog
from figwatch_agent.engine.desk import Desk
from figwatch_agent.engine.ledger import interval_of
from figwatch_agent.engine.mapping import SIDES
from figwatch_agent.engine.tally import Tally
from figwatch_agent.model.incident import IncidentKind
from figwatch_agent.model.outcome import LedgerEntry

Counts = NDArray[np.int64]
_Cause = tuple[str, str]  # incident, exclusion
_NOTHING: _Cause = ("", "")


@dataclass(frozen=True, slots=True, eq=False)
class _Closed:
    """Cells of streams without an incident in an interval that is over."""

    interval: Instant
    places: NDArray[np.int32]  # flat [stream, side]
    bad: Counts
    total: Counts


class Tab:
    """The cells of a Ledger, by stream and side.

    The arrays hold the cells of the incidents and exclusions that are open, or of none; cells of those that came to an
    end, or have not begun yet, wait beside them. What is set aside after the fact is not moved.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._interval: Instant | None = None
        self._bad: Counts = np.zeros((len(catalog.streams), len(SIDES)), dtype=np.int64)
        self._total: Counts = np.zeros_like(self._bad)
        self._causes: dict[int, _Cause] = {}  # open ones by stream
        self._waiting: dict[tuple[int, _Cause], tuple[Counts, Counts]] = {}
        self._closed: list[_Closed | tuple[LedgerEntry, ...]] = []
        self._by_subject: dict[str, list[int]] = {}
        for stream in catalog.streams:
            self._by_subject.setdefault(stream.route or stream.slo.name, []).append(stream.index)

    def add(self, desk: Desk, tally: Tally, owner: Callable[[int], str], now: Instant) -> None:
        """Count a tick; ``owner`` names the exclusion that sets a stream aside now."""
        interval = interval_of(now)
        if interval != self._interval:
            self._turn(interval)
        causes = self._open(desk)
        for stream in np.flatnonzero(tally.excluded).tolist():
            causes[stream] = (causes.get(stream, _NOTHING)[0], owner(stream))
        if causes != self._causes:
            self._change(causes)
        self._bad += tally.bad
        self._total += tally.total

    def add_many(self, desk: Desk, bad: Counts, total: Counts, now: Instant) -> None:
        """Count [stream, side] of several ticks of one interval, of which no event is set aside; ``now``: the last."""
        interval = interval_of(now)
        if interval != self._interval:
            self._turn(interval)
        causes = self._open(desk)
        if causes != self._causes:
            self._change(causes)
        self._bad += bad
        self._total += total

    def entries(self) -> Iterator[LedgerEntry]:
        """All cells since the beginning."""
        for closed in self._closed:
            if isinstance(closed, tuple):
                yield from closed
                continue
            streams, sides = np.divmod(closed.places, len(SIDES))
            for stream, side, bad, total in zip(
                streams.tolist(), sides.tolist(), closed.bad.tolist(), closed.total.tolist(), strict=True
            ):
                yield self._entry(closed.interval, stream, side, _NOTHING, bad, total)
        yield from self._current()

    def restore(self, entries: tuple[LedgerEntry, ...]) -> None:
        """Go on counting in the cells of the current interval."""
        streams = {(stream.slo.name, stream.route): stream.index for stream in self._catalog.streams}
        for entry in entries:
            self._interval = entry.interval
            stream, side = streams.get((entry.slo, entry.route)), SIDES.index(entry.side)
            if stream is not None:
                bad, total = self._cell(stream, (entry.incident, entry.exclusion))
                bad[side], total[side] = entry.bad, entry.total

    def _cell(self, stream: int, cause: _Cause) -> tuple[Counts, Counts]:
        if cause == self._causes.get(stream, _NOTHING):
            return self._bad[stream], self._total[stream]
        nothing = np.zeros(len(SIDES), dtype=np.int64)
        return self._waiting.setdefault((stream, cause), (nothing, nothing.copy()))

    def _open(self, desk: Desk) -> dict[int, _Cause]:
        found: dict[int, _Cause] = {}
        for case in desk.cases.values():
            if case.incident.open and case.incident.kind is IncidentKind.ROUTE:
                for stream in self._by_subject.get(case.incident.route, ()):
                    found.setdefault(stream, (case.incident.id, ""))
        return found

    def _change(self, causes: dict[int, _Cause]) -> None:
        """Streams whose incident began or ended count in another cell from now on."""
        for stream in self._causes.keys() | causes.keys():
            before, after = self._causes.get(stream, _NOTHING), causes.get(stream, _NOTHING)
            if before != after:
                bad, total = self._cell(stream, after)
                self._waiting[stream, before] = self._bad[stream].copy(), self._total[stream].copy()
                self._bad[stream], self._total[stream] = bad, total
                del self._waiting[stream, after]
        self._causes = causes

    def _turn(self, interval: Instant) -> None:
        if self._interval is not None:
            self._close(self._interval)
        self._interval = interval
        self._waiting.clear()
        self._bad[:] = 0
        self._total[:] = 0

    def _close(self, interval: Instant) -> None:
        if self._causes or self._waiting:
            self._closed.append(tuple(self._current()))
            return
        bad, total = self._bad.reshape(-1), self._total.reshape(-1)
        places = np.flatnonzero((total != 0) | (bad != 0))
        self._closed.append(_Closed(interval, places.astype(np.int32), bad[places], total[places]))

    def _current(self) -> Iterator[LedgerEntry]:
        counted = (self._total != 0) | (self._bad != 0)
        yield from self._entries(*np.nonzero(counted))
        for (stream, cause), (bad, total) in sorted(self._waiting.items()):
            for side in np.flatnonzero((total != 0) | (bad != 0)).tolist():
                yield self._entry(self._interval or 0, stream, side, cause, int(bad[side]), int(total[side]))

    def _entries(self, streams: NDArray[np.intp], sides: NDArray[np.intp]) -> Iterator[LedgerEntry]:
        interval, causes = self._interval or 0, self._causes
        bad, total = self._bad[streams, sides].tolist(), self._total[streams, sides].tolist()
        for stream, side, *counts in zip(streams.tolist(), sides.tolist(), bad, total, strict=True):
            yield self._entry(interval, stream, side, causes.get(stream, _NOTHING), *counts)

    def _entry(self, interval: Instant, stream: int, side: int, cause: _Cause, bad: int, total: int) -> LedgerEntry:
        found = self._catalog.streams[stream]
        return LedgerEntry(
            interval=interval,
            slo=found.slo.name,
            route=found.route,
            side=SIDES[side],
            incident=cause[0],
            bad=bad,
            total=total,
            exclusion=cause[1],
        )
