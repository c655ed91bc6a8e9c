"""A rollback that was decided; committed before anything is done."""

from dataclasses import dataclass

from figwatch_agent.durations import Instant
from figwatch_agent.model.plan import RollbackPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class RollbackIntent:
    """At most one per incident. The plan is the copy that is executed, whatever the files say later."""

    id: str  # derived from the incident
    incident: str
    route: str
    plan: RollbackPlan
    decided_at: Instant
    valid_until: Instant  # not begun later than this
    gateway: str | None  # the gateway reading that was decided on, canonical JSON
