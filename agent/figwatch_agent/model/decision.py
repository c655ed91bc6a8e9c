"""Whether a rollback was decided, why, and on what evidence."""

from dataclasses import dataclass
from enum import StrEnum

from figwatch_agent.durations import Instant
from figwatch_agent.model.names import Tri


class DecisionOutcome(StrEnum):
    """What was decided."""

    ROLLBACK = "rollback"  # it will be done now
    WITHHELD = "withheld"  # a condition does not hold or is unknown
    DRY_RUN = "dry_run"  # every condition but the mode holds
    AWAITING_APPROVAL = "awaiting_approval"  # every condition but a person's word holds


class Reason(StrEnum):
    """Why; the first condition in the order they are listed that does not hold gives it."""

    CONDITIONS_HOLD = "conditions_hold"
    NO_PAGE_TIER = "no_page_tier"  # nothing that pages fires on this route now
    STALE_DATA = "stale_data"  # the edge was not measured just now
    SHARED_CAUSE = "shared_cause"  # legacy fails alike
    NOT_WORSE = "not_worse"  # the service side is as good as its control
    COMPARISON_UNDECIDED = "comparison_undecided"  # not enough requests yet to compare the sides
    NO_CONTROL = "no_control"  # legacy serves nothing on this route and no baseline is recorded
    LEGACY_UNFIT = "legacy_unfit"  # legacy's own probe or a precondition fails
    LEGACY_UNKNOWN = "legacy_unknown"  # legacy was not probed just now
    OVER_CAPACITY = "over_capacity"  # legacy cannot carry the traffic
    FORWARD_ONLY = "forward_only"  # data written by the service would be lost
    LAG_UNKNOWN = "lag_unknown"  # how far legacy's data is behind could not be read
    LAG_TOO_LARGE = "lag_too_large"
    RETIRED_ROUTE = "retired_route"
    NO_PLAN = "no_plan"  # the route names no rollback plan
    GATEWAY_UNKNOWN = "gateway_unknown"  # what the gateway does now could not be read
    GATEWAY_CHANGED = "gateway_changed"  # a person changed the gateway since the incident began
    ALREADY_RUNNING = "already_running"  # this incident's one execution was used
    LATCHED = "latched"  # one automatic rollback per route until a person re-arms
    COOL_DOWN = "cool_down"
    BLAST_CAP = "blast_cap"
    FREEZE = "freeze"
    KILL_SWITCH = "kill_switch"
    AGENT_UNHEALTHY = "agent_unhealthy"  # the store does not take commits
    DRY_RUN = "dry_run"
    AWAITING_APPROVAL = "awaiting_approval"


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One of the guard's conditions with what is known about it."""

    name: str  # page_tier | worse_than_control | legacy_fit | data_safe | allowed | gateway_unchanged
    holds: Tri
    evidence: str  # for people, with numbers
    reason: Reason | None = None  # given when it does not hold


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What the guard said at one instant."""

    at: Instant
    outcome: DecisionOutcome
    reason: Reason
    conditions: tuple[Condition, ...]
    plan: str | None = None
    plan_digest: str | None = None
