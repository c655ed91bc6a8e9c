"""Lets the engine live through a history that was counted, and keeps what a store would have kept of it."""

from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np

from figwatch_agent.durations import Duration, Instant
from figwatch_agent.engine.catalog import Stream
from figwatch_agent.engine.engine import Engine
from figwatch_agent.engine.past import PastCounts
from figwatch_agent.model.batch import Reading
from figwatch_agent.model.decision import Decision, DecisionOutcome
from figwatch_agent.model.incident import Incident
from figwatch_agent.model.outcome import LedgerEntry, Outcome
from figwatch_agent.model.replayed import Count, Replayed, ReplayedAlert, ReplayedStream, WouldRollBack

SIGNAL = "signal"
"""Tier of alerts about what a history does not hold: requests that stop, telemetry that is lost."""

_Cell = tuple[Instant, str, str, str, str]

Readings = Callable[[Instant], tuple[Reading, ...]]

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
    for index in ticks:
        now = int(counts.ticks[index])
        kept.take(engine.advance(replace(counts.inputs(index), readings=readings(now)), now))
    kept.ledger.update((_cell(entry), entry) for entry in engine.ledger())
    start, end = (int(counts.ticks[0]), int(counts.ticks[-1])) if len(counts.ticks) else (None, None)
    return Replayed(
        start=start,
        end=end,
        step=step,
        ticks=len(counts.ticks),
        streams=tuple(_stream(stream, counts) for stream in engine.catalog.streams),
        alerts=kept.alerts(),
        incidents=tuple(kept.incidents.values()),
        ledger=tuple(sorted(kept.ledger.values(), key=_cell)),
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


def _stream(stream: Stream, counts: PastCounts) -> ReplayedStream:
    places = np.flatnonzero(np.array([key == stream.key for key in counts.keys], dtype=np.bool_))
    untimed = [(late[0][places].sum(), late[1][places].sum()) for late in counts.untimed.values()]
    first = 0
    if len(counts.ticks):
        first = int(np.searchsorted(counts.ticks, counts.ticks[-1] - stream.service.window, side="right"))
    return ReplayedStream(
        slo=stream.slo.name,
        route=stream.route,
        service=stream.service.service,
        kind=stream.kind,
        objective=stream.slo.objective,
        period=stream.service.window,
        whole=_count(counts, places, 0),
        window=_count(counts, places, first),
        untimed_total=int(sum(total for total, _ in untimed)),
        untimed_bad=int(sum(bad for _, bad in untimed)),
        reason=_NOT_IN_A_HISTORY.get(stream.kind, ""),
    )


def _count(counts: PastCounts, places: np.typing.NDArray[np.intp], first: int) -> Count:
    """Of the ticks from ``first`` on, and of the time since the tick before them."""
    if not len(counts.ticks):
        return Count(total=0, bad=0, covered=0, span=0)
    since = counts.ticks[max(first - 1, 0)]
    group = counts.group[places[:1]]
    return Count(
        total=int(counts.total[first:, places].sum(dtype=np.int64)),
        bad=int(counts.bad[first:, places].sum(dtype=np.int64)),
        covered=int(counts.covered[first:, group].sum()),
        span=int(counts.ticks[-1] - since),
    )
