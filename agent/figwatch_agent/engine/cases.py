"""An incident while the engine works on it: the value people see and what the engine must remember beside it."""

from dataclasses import dataclass, field
from fractions import Fraction

from figwatch_agent.durations import Duration, Instant
from figwatch_agent.model.decision import Reason
from figwatch_agent.model.incident import Incident, IncidentKind
from figwatch_agent.model.names import Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What one SLO shows on the whole route since a rollback was done."""

    stream: str  # key of the stream
    ratio: Fraction  # error ratio that must be rejected
    bad: int = 0
    total: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseState:
    """The part of a case that outlives a restart."""

    incident: Incident
    group: str  # what its pages are deduplicated by: id of the incident that spoke first
    told: tuple[str, ...] = ()  # receivers that got a trigger
    looks: int = 0  # how often the sides were compared
    gateway_at_start: str | None = None
    awaiting_since: Instant | None = None  # a person's word is awaited
    said: Reason | None = None  # of the decision, as people were told it last
    verify_within: Duration = 0
    checks: tuple[Check, ...] = ()  # what shows whether the rollback helped


@dataclass(slots=True)
class Case:
    """A CaseState that changes during a tick, and what is new in this tick."""

    incident: Incident
    group: str
    told: tuple[str, ...] = ()
    looks: int = 0
    gateway_at_start: str | None = None
    awaiting_since: Instant | None = None
    said: Reason | None = None
    verify_within: Duration = 0
    checks: tuple[Check, ...] = ()
    changed: bool = False
    news: list[str] = field(default_factory=list)  # what people are told in this tick, most important last

    @property
    def subject(self) -> tuple[IncidentKind, str]:
        """One incident is open per subject."""
        return self.incident.kind, self.incident.route

    @property
    def pages(self) -> bool:
        """Whether it wakes a person."""
        return self.incident.severity is Severity.PAGE

    def put(self, incident: Incident) -> None:
        """Replace the incident; remembered as changed where it differs."""
        if incident != self.incident:
            self.incident = incident
            self.changed = True

    def state(self) -> CaseState:
        """What outlives a restart."""
        return CaseState(
            incident=self.incident,
            group=self.group,
            told=self.told,
            looks=self.looks,
            gateway_at_start=self.gateway_at_start,
            awaiting_since=self.awaiting_since,
            said=self.said,
            verify_within=self.verify_within,
            checks=self.checks,
        )

    @classmethod
    def of(cls, state: CaseState) -> "Case":
        """The case again after a restart."""
        return cls(
            incident=state.incident,
            group=state.group,
            told=state.told,
            looks=state.looks,
            gateway_at_start=state.gateway_at_start,
            awaiting_since=state.awaiting_since,
            said=state.said,
            verify_within=state.verify_within,
            checks=state.checks,
        )
