"""Closed sets of words. Each is shown to people as it is written here, in files, output, metrics and docs alike."""

from enum import StrEnum


class Severity(StrEnum):
    """How loudly something is told."""

    PAGE = "page"  # wakes a person
    TICKET = "ticket"  # waits for working hours


class Stage(StrEnum):
    """Where a route stands in the migration."""

    LEGACY = "legacy"  # served by the monolith
    SHADOW = "shadow"  # copies go to the service, users get legacy's answers
    CANARY = "canary"  # a share of users is served by the service
    MIGRATED = "migrated"  # all users are served by the service
    RETIRED = "retired"  # legacy cannot serve it any more


class AlertName(StrEnum):
    """Every alert there is; each has a runbook of the same name."""

    ERROR_BUDGET_BURN_FAST = "ErrorBudgetBurnFast"  # a page tier of an availability or events SLO fires
    ERROR_BUDGET_BURN_SLOW = "ErrorBudgetBurnSlow"  # a ticket tier of any SLO fires
    EARLY_OUTAGE = "EarlyOutage"  # the early lane of an availability or events SLO fires
    LATENCY_DEGRADED = "LatencyDegraded"  # a page tier or the early lane of a latency SLO fires
    UPTIME_LOW = "UptimeLow"  # probes of a service fail faster than its objective allows
    TRAFFIC_LOST = "TrafficLost"  # a route that had requests has none
    TELEMETRY_LOST = "TelemetryLost"  # what users see cannot be measured any more
    LEGACY_LEAK = "LegacyLeak"  # a migrated route still reaches legacy
    ROLLBACK_INEFFECTIVE = "RollbackIneffective"  # the route is back on legacy and still fails
    ROLLBACK_UNVERIFIED = "RollbackUnverified"  # too few requests since the rollback to tell
    ROLLBACK_NEEDS_HUMAN = "RollbackNeedsHuman"  # a rollback stopped half-way and must not go on by itself
    DELIVERY_FAILING = "DeliveryFailing"  # a receiver refuses pages
    EXTERNAL_ALERT = "ExternalAlert"  # an alert of another system, told by an Alertmanager


class Tri(StrEnum):
    """An answer that may be missing. Unknown is a value, never good and never bad."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class Verdict(StrEnum):
    """What is said of a criterion."""

    MET = "met"
    MISSED = "missed"
    INCONCLUSIVE = "inconclusive"


class Mode(StrEnum):
    """How far rollbacks may go without a person."""

    DRY_RUN = "dry-run"  # say what would be done
    APPROVE = "approve"  # ask, then do it
    AUTO = "auto"  # do it


class Repeat(StrEnum):
    """May a step that may have happened be done again?"""

    IDEMPOTENT = "idempotent"  # doing it twice is doing it once
    KEYED = "keyed"  # the other side drops a second call with the same key
    ONCE = "once"  # never again without a person; what is not declared is this


class DataPlan(StrEnum):
    """What happens to data that the service side wrote, when legacy serves again."""

    STATELESS = "stateless"  # there is none
    DUAL_WRITE = "dual_write"  # legacy has it too
    FORWARD_ONLY = "forward_only"  # it would be lost: never rolled back without a person


class Measure(StrEnum):
    """What a criterion measures."""

    UPTIME = "uptime"
    LATENCY_P95 = "latency_p95"
    DATA_LOSS = "data_loss"
    DEPLOYMENT_FREQUENCY = "deployment_frequency"
    MTTR = "mttr"
    LEGACY_RATIO = "legacy_ratio"
    SATISFACTION = "satisfaction"
    DELIVERY_SPEED = "delivery_speed"
    INFRASTRUCTURE_COST = "infrastructure_cost"
    DEVELOPER_PRODUCTIVITY = "developer_productivity"
    TIME_TO_MARKET = "time_to_market"
