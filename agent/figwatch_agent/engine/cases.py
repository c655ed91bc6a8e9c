"""An incident while the engine works on it: the value people see and what the engine must remember beside it."""

from dataclasses import dataclass, field
from fractions import Fraction

from figwatch_agent.durations import Duration, Instant
from figwatch_agent.model.incident import Incident, IncidentKind
from figwatch_agent.model.names import Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseState:
    """The part of a case that outlives a restart."""

    incident: Incident
    group: str  # what its pages are deduplicated by: id of the incident that spoke first
    told: tuple[str, ...] = ()  # receivers that got a trigger
    looks: int = 0  # how often the sides were compared
    gateway_at_start: str | None = None
    awaiting_since: Instant | None = None  # a person's word is awaited
    verify_slo: str = ""  # SLO that shows whether the rollback helped
    verify_within: Duration = 0
    verify_ratio: Fraction | None = None  # error ratio that must be rejected
    after_bad: int = 0  # events on the whole route since the rollback was done
    after_total: int = 0


@dataclass(slots=True)
class Case:
    """A CaseState that changes during a tick, and what is new in this tick."""

    incident: Incident
    group: str
    told: tuple[str, ...] = ()
    looks: int = 0
    gateway_at_start: str | None = None
    awaiting_since: Instant | None = None
    verify_slo: str = ""
    verify_within: Duration = 0
    verify_ratio: Fraction | None = None
    after_bad: int = 0
    after_total: int = 0
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
            verify_slo=self.verify_slo,
            verify_within=self.verify_within,
            verify_ratio=self.verify_ratio,
            after_bad=self.after_bad,
            after_total=self.after_total,
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
            verify_slo=state.verify_slo,
            verify_within=state.verify_within,
            verify_ratio=state.verify_ratio,
            after_bad=state.after_bad,
            after_total=state.after_total,
        )
