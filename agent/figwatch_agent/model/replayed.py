"""What a replay of a history gave: counts, alerts, incidents and ledger, as a live agent would have kept them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from figwatch_agent.durations import Duration, Instant
from figwatch_agent.model.decision import Condition
from figwatch_agent.model.incident import Alert, Incident
from figwatch_agent.model.outcome import LedgerEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """Events, and the time from which they are."""

    total: int
    bad: int
    covered: Duration
    span: Duration  # the whole time, measured or not

    @property
    def coverage(self) -> Fraction | None:
        """Measured time / time; None for no time at all."""
        return min(Fraction(self.covered, self.span), Fraction(1)) if self.span > 0 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayedStream:
    """One SLO on one route."""

    slo: str
    route: str  # "" for SLOs that are not about requests of a route
    service: str
    kind: str  # of the SLI
    objective: Fraction
    period: Duration  # of the budget
    whole: Count  # from start to end
    window: Count  # of the budget's period before the end, or as much of it as there is
    untimed_total: int  # counted across a gap: in number, and in no window
    untimed_bad: int
    reason: str = ""  # why nothing of it can be counted from a history


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayedAlert:
    """An alert of a tier or of the early lane, with the incident that it joined."""

    alert: Alert
    incident: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WouldRollBack:
    """The first instant of an incident at which every condition that a history can answer held."""

    incident: str
    route: str
    at: Instant
    conditions: tuple[Condition, ...]


class PastLedger:
    """The budget ledger of a replay. A month of a thousand SLOs has a million cells: they are made when asked for."""

    def __init__(self, make: Callable[[], list[LedgerEntry]]) -> None:
        self._make = make
        self._by_slo: dict[str, list[LedgerEntry]] | None = None

    def __iter__(self) -> Iterator[LedgerEntry]:
        """By interval, SLO, route, side and incident."""
        return iter(self._make())

    def __eq__(self, other: object) -> bool:
        """Whether both hold the same cells."""
        return isinstance(other, PastLedger) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]  # as of every container that compares what it holds

    def of(self, slo: str) -> list[LedgerEntry]:
        """The cells of one SLO, in the same order."""
        if self._by_slo is None:
            self._by_slo = {}
            for entry in self:
                self._by_slo.setdefault(entry.slo, []).append(entry)
        return self._by_slo.get(slo, [])


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """A history, replayed."""

    start: Instant | None  # the first tick, at which counting starts; None where nothing of a history is counted
    end: Instant | None
    step: Duration  # between two samples
    ticks: int
    streams: tuple[ReplayedStream, ...]  # in the order of the files
    alerts: tuple[ReplayedAlert, ...]  # in the order in which they fired
    incidents: tuple[Incident, ...]
    ledger: PastLedger
    rollbacks: tuple[WouldRollBack, ...] = ()
    findings: tuple[str, ...] = ()  # selectors without series, counters that begin implausibly high
    notices: tuple[str, ...] = ()  # what was left out of the history
