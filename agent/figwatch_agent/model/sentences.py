"""What the closed words mean to somebody who was asleep a minute ago: short clauses that stand inside a sentence."""

from typing import Final

from figwatch_agent.model.decision import Reason
from figwatch_agent.model.names import AlertName

WHY: Final[dict[Reason, str]] = {
    Reason.CONDITIONS_HOLD: "nothing stands against it",
    Reason.NO_PAGE_TIER: "nothing that pages fires here now",
    Reason.STALE_DATA: "the newest data is missing",
    Reason.SHARED_CAUSE: "legacy fails alike",
    Reason.NOT_WORSE: "the service is no worse than legacy",
    Reason.COMPARISON_UNDECIDED: "comparing with legacy",
    Reason.NO_CONTROL: "there is no legacy to compare with",
    Reason.LEGACY_UNFIT: "legacy is not fit to take over",
    Reason.LEGACY_UNKNOWN: "whether legacy is fit is not known yet",
    Reason.OVER_CAPACITY: "legacy could not carry the traffic",
    Reason.FORWARD_ONLY: "data written since the move would be lost",
    Reason.LAG_UNKNOWN: "how far legacy's data is behind is unknown",
    Reason.LAG_TOO_LARGE: "legacy's data is too far behind",
    Reason.RETIRED_ROUTE: "legacy cannot serve this route any more",
    Reason.NO_PLAN: "the route names no rollback plan",
    Reason.GATEWAY_UNKNOWN: "what the gateway does now is unknown",
    Reason.GATEWAY_CHANGED: "a person changed the gateway meanwhile",
    Reason.ALREADY_RUNNING: "this incident's one rollback was used",
    Reason.LATCHED: "it was rolled back before and nobody has re-armed it",
    Reason.COOL_DOWN: "its last rollback was too short ago",
    Reason.BLAST_CAP: "too many rollbacks were done lately",
    Reason.FREEZE: "rollbacks are frozen at this time",
    Reason.KILL_SWITCH: "the kill switch is set",
    Reason.AGENT_UNHEALTHY: "figwatch cannot write its state",
    Reason.DRY_RUN: "the mode is dry-run",
    Reason.AWAITING_APPROVAL: "a person must approve",
}
"""Why a rollback is done or not: what follows ``no rollback: ``."""

OPEN: Final = frozenset({Reason.STALE_DATA, Reason.COMPARISON_UNDECIDED, Reason.LEGACY_UNKNOWN})
"""Reasons that the next seconds usually lift: the question is open, and nothing was refused. An unknown gateway is none
of them: what was not read when the incident began stays unknown for as long as it lasts."""

SYMPTOM: Final[dict[AlertName, str]] = {
    AlertName.ERROR_BUDGET_BURN_FAST: "errors use up the budget fast",
    AlertName.ERROR_BUDGET_BURN_SLOW: "errors use up the budget slowly",
    AlertName.EARLY_OUTAGE: "an outage begins",
    AlertName.LATENCY_DEGRADED: "answers are too slow",
    AlertName.UPTIME_LOW: "probes fail more often than the objective allows",
    AlertName.TRAFFIC_LOST: "no requests arrive any more",
    AlertName.TELEMETRY_LOST: "what users see cannot be measured",
    AlertName.LEGACY_LEAK: "a migrated route still reaches legacy",
    AlertName.ROLLBACK_INEFFECTIVE: "the rollback did not help",
    AlertName.ROLLBACK_UNVERIFIED: "whether the rollback helped cannot be told",
    AlertName.ROLLBACK_NEEDS_HUMAN: "the rollback stopped and needs a person",
    AlertName.DELIVERY_FAILING: "it refuses what it is sent",
    AlertName.EXTERNAL_ALERT: "another system reports it",
}
"""What is the matter, as it stands behind the name of a route or a receiver."""
