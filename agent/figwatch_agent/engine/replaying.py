"""Lets the engine live through a history that was counted, and keeps what a store would have kept of it."""

from collections.abc import Iterable
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from figwatch_agent.durations import Duration, Instant
from figwatch_agent.engine.catalog import Stream
from figwatch_agent.engine.engine import Engine, Readings
from figwatch_agent.engine.past import PastCounts
from figwatch_agent.model.decision import Decision, DecisionOutcome
from figwatch_agent.model.incident import Incident
from figwatch_agent.model.outcome import LedgerEntry, Outcome
from figwatch_agent.model.replayed import Count, PastLedger, Replayed, ReplayedAlert, ReplayedStream, WouldRollBack

SIGNAL = "signal"
"""Tier of alerts about what a history does not hold: requests that stop, telemetry that is lost."""

TOGETHER = 512
"""Ticks that are handed to the engine at once; whoever watches the progress sees as many go by."""

Integers = NDArray[np.int64]

_Cell = tuple[Instant, str, str, str, str]

_NOT_IN_A_HISTORY = {
    "uptime": "probes are no part of a history",
    "promql": "PromQL is not evaluated over a history; name the selectors with events",
}


def replay(
    engine: Engine,
    counts: PastCounts,
    step: Duration,
    ticks: Iterable[int],
    readings: Readings = lambda now: (),
) -> Replayed:
    """Everything that the engine decides at ``ticks``, which are all of the counts' in order.

    ``readings`` stand for questions that a live agent asks and a history does not answer.
    """
    kept = _Kept()
    following = iter(ticks)
    while some := list(islice(following, TOGETHER)):
        for outcome in engine.advance_many(counts, range(some[0], some[-1] + 1), readings):
            kept.take(outcome)
    start, end = (int(counts.ticks[0]), int(counts.ticks[-1])) if len(counts.ticks) else (None, None)
    return Replayed(
        start=start,
        end=end,
        step=step,
        ticks=len(counts.ticks),
        streams=_Sums(counts).streams(engine.catalog.streams),
        alerts=kept.alerts(),
        incidents=tuple(kept.incidents.values()),
        ledger=PastLedger(lambda: kept.cells(engine)),
        rollbacks=tuple(kept.rollbacks.values()),
    )


class _Kept:
    """What Outcomes said so far."""

    def __init__(self) -> None:
        self.incidents: dict[str, Incident] = {}
        self.ledger: dict[_Cell, LedgerEntry] = {}
        self.rollbacks: dict[str, WouldRollBack] = {}

    def take(self, outcome: Outcome) -> None:
        """One tick's."""
        for entry in outcome.ledger:
            self.ledger[_cell(entry)] = entry
        for incident in outcome.incidents:
            self.incidents[incident.id] = incident
            decision = incident.decision
            if decision is not None and incident.id not in self.rollbacks and _would(decision):
                self.rollbacks[incident.id] = WouldRollBack(
                    incident=incident.id, route=incident.route, at=decision.at, conditions=decision.conditions
                )

    def cells(self, engine: Engine) -> list[LedgerEntry]:
        """Of the ledger, in order; those of an engine that stores nothing are its own."""
        cells = self.ledger | {_cell(entry): entry for entry in engine.ledger()}
        return [cells[cell] for cell in sorted(cells)]

    def alerts(self) -> tuple[ReplayedAlert, ...]:
        """Those of tiers and of the early lane, in the order in which they fired."""
        found = [
            ReplayedAlert(alert=alert, incident=incident.id)
            for incident in self.incidents.values()
            for alert in incident.alerts
            if alert.tier != SIGNAL
        ]
        return tuple(sorted(found, key=lambda one: (one.alert.fired_at, one.alert.id)))


def _cell(entry: LedgerEntry) -> _Cell:
    return entry.interval, entry.slo, entry.route, entry.side, entry.incident


def _would(decision: Decision) -> bool:
    return decision.outcome is not DecisionOutcome.WITHHELD


class _Sums:
    """Events over many ticks, of all columns at once."""

    def __init__(self, counts: PastCounts) -> None:
        self._counts = counts
        self._places: dict[str, list[int]] = {}
        for place, key in enumerate(counts.keys):
            self._places.setdefault(key, []).append(place)
        self._since: dict[int, tuple[Integers, Integers, Integers]] = {}  # by first tick: total, bad, covered

    def streams(self, streams: Iterable[Stream]) -> tuple[ReplayedStream, ...]:
        """What every stream counted."""
        return tuple(self._stream(stream) for stream in streams)

    def _stream(self, stream: Stream) -> ReplayedStream:
        ticks = self._counts.ticks
        places = self._places.get(stream.key, [])
        untimed = [(late[0][places].sum(), late[1][places].sum()) for late in self._counts.untimed.values()]
        first = int(np.searchsorted(ticks, ticks[-1] - stream.service.window, side="right")) if len(ticks) else 0
        return ReplayedStream(
            slo=stream.slo.name,
            route=stream.route,
            service=stream.service.service,
            kind=stream.kind,
            objective=stream.slo.objective,
            period=stream.service.window,
            whole=self._count(places, 0),
            window=self._count(places, first),
            untimed_total=int(sum(total for total, _ in untimed)),
            untimed_bad=int(sum(bad for _, bad in untimed)),
            reason=_NOT_IN_A_HISTORY.get(stream.kind, ""),
        )

    def _count(self, places: list[int], first: int) -> Count:
        """Of the ticks from ``first`` on, and of the time since the tick before them."""
        counts = self._counts
        if not len(counts.ticks):
            return Count(total=0, bad=0, covered=0, span=0)
        total, bad, covered = self._sums(first)
        return Count(
            total=int(total[places].sum()),
            bad=int(bad[places].sum()),
            covered=int(covered[counts.group[places[0]]]) if places else 0,
            span=int(counts.ticks[-1] - counts.ticks[max(first - 1, 0)]),
        )

    def _sums(self, first: int) -> tuple[Integers, Integers, Integers]:
        found = self._since.get(first)
        if found is None:
            columns = self._counts.total, self._counts.bad, self._counts.covered
            total, bad, covered = (column[first:].sum(axis=0, dtype=np.int64) for column in columns)
            found = self._since[first] = total, bad, covered
        return found
