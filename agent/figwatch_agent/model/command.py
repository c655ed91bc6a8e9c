"""A wish from a person or another system, kept in the durable inbox until the loop has decided on it."""

from dataclasses import dataclass
from enum import StrEnum

from figwatch_agent.durations import Instant


class CommandKind(StrEnum):
    """What may be wished for."""

    ACKNOWLEDGE = "acknowledge"  # subject: incident id
    SILENCE = "silence"  # subject: route or incident id; until, why
    RESOLVE = "resolve"  # subject: incident id; why
    APPROVE = "approve"  # subject: incident id; plan digest as read
    REARM = "re-arm"  # subject: route
    EVENT = "event"  # a deployment, a measurement, ... in `data`
    BASELINE = "baseline"  # a recorded baseline in `data`
    EXTERNAL_ALERT = "external_alert"  # from Alertmanager, in `data`
    EXCLUDE = "exclude"  # subject: route, SLO or service; why; scope, from, to and who in `data`
    END_EXCLUSION = "end_exclusion"  # subject: id of the exclusion; why


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One wish. The same id twice is one wish."""

    id: str
    kind: CommandKind
    at: Instant  # when it was accepted
    actor: str  # who: token name or user@host
    origin: str  # from where: "cli", "api 127.0.0.1", ...
    subject: str
    why: str = ""
    until: Instant | None = None
    plan_digest: str | None = None
    data: tuple[tuple[str, str], ...] = ()
