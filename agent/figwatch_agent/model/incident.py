"""Alerts and the incident they join, with its stages."""

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from figwatch_agent.durations import Instant
from figwatch_agent.model.decision import Decision
from figwatch_agent.model.effect import RollbackState
from figwatch_agent.model.names import AlertName, Severity


class IncidentKind(StrEnum):
    """What an incident is about."""

    ROUTE = "route"  # users of a route
    UPTIME = "uptime"  # probes of a service; a ticket of its own
    TRAFFIC = "traffic"  # where requests go: lost, or to a legacy that should not get any
    AGENT = "agent"  # figwatch itself: lost telemetry, failing deliveries
    EXTERNAL = "external"  # an alert of another system that names no route of ours


class RollbackVerdict(StrEnum):
    """Whether a rollback that was executed helped."""

    PENDING = "pending"
    HELPED = "helped"
    INEFFECTIVE = "ineffective"
    UNVERIFIED = "unverified"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One alert that fires, or fired."""

    id: str  # derived from SLO, route, tier and fired_at
    name: AlertName
    slo: str
    route: str
    tier: str
    lane: str  # "all", or "service" where the early lane fired on the service side alone
    severity: Severity
    fired_at: Instant
    impact_start: Instant
    certified: bool
    bad: int  # counts of the long window when it fired
    total: int
    burn_rate: Fraction | None
    resolved_at: Instant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RollbackRun:
    """The execution of a plan for an incident, as the engine knows it."""

    id: str
    plan: str
    decided_at: Instant
    state: RollbackState
    done_at: Instant | None = None
    verdict: RollbackVerdict = RollbackVerdict.PENDING
    verified_at: Instant | None = None
    detail: str = ""
    approved_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """What users of one route suffer, from the first bad tick to the last alert's end."""

    id: str
    kind: IncidentKind
    migration: str
    service: str
    route: str  # template; name of the SLO for uptime; "" for the agent
    severity: Severity
    impact_start: Instant
    detected_at: Instant
    alerts: tuple[Alert, ...]
    paged_at: Instant | None = None  # when a receiver accepted the first page
    acknowledged_at: Instant | None = None
    acknowledged_by: str | None = None
    mitigated_at: Instant | None = None  # end of the last bad tick
    resolved_at: Instant | None = None
    resolved_by: str = ""  # "" for the data, else who
    decision: Decision | None = None
    rollback: RollbackRun | None = None
    shared_with: str | None = None  # incident whose page speaks for this one
    pages: int = 0  # pages made so far; numbers their idempotency keys
    last_bad: Instant | None = None  # end of the last bad tick so far

    @property
    def open(self) -> bool:
        """Whether it is not resolved."""
        return self.resolved_at is None
