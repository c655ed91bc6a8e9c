"""Incidents and figures of which the stories of messages are told: chat fails, and what becomes of it."""

from dataclasses import replace
from fractions import Fraction
from typing import Any, Final

from figwatch_agent.durations import HOUR, MINUTE, SECOND
from figwatch_agent.model.decision import Condition, Decision, DecisionOutcome, Reason
from figwatch_agent.model.effect import RollbackState
from figwatch_agent.model.incident import Alert, Incident, IncidentKind, RollbackRun, RollbackVerdict
from figwatch_agent.model.names import AlertName, Severity, Tri
from figwatch_agent.model.page import Facts
from support.model_values import NOON

ROUTE: Final = "/api/v1/chat"
ID: Final = f"ai-assistant:{ROUTE}:1"
PLAN: Final = "chat-to-legacy"

GOOD: Final = (
    Condition(
        name="page_tier",
        holds=Tri.YES,
        evidence="fires on fresh edge data: chat-availability early (24 of 50 since 12:00:00)",
    ),
    Condition(
        name="worse_than_control",
        holds=Tri.YES,
        evidence="24 of 40 requests failed on the service side in 5 s, 0 of 10 on legacy's",
    ),
    Condition(
        name="legacy_fit",
        holds=Tri.YES,
        evidence="legacy's own probe is good: 200 in 3 ms (0.8 s ago); "
        "52 requests/s after the rollback, capacity 200/s",
    ),
    Condition(name="data_safe", holds=Tri.YES, evidence="dual_write, legacy is 0.2 s behind, at most 30s"),
    Condition(
        name="gateway_unchanged", holds=Tri.YES, evidence='as it stood when the incident began: {"to":"service"}'
    ),
    Condition(
        name="allowed",
        holds=Tri.YES,
        evidence="mode auto; no latch, cool-down, cap, freeze or kill switch stands against it",
    ),
)

BROKEN: Final[dict[Reason, tuple[str, Tri, str]]] = {
    Reason.COMPARISON_UNDECIDED: (
        "worse_than_control",
        Tri.UNKNOWN,
        "3 of 12 requests failed on the service side in 5 s, 0 of 3 on legacy's: too few to tell",
    ),
    Reason.SHARED_CAUSE: (
        "worse_than_control",
        Tri.NO,
        "24 of 40 requests failed on the service side in 5 s, 6 of 10 on legacy's",
    ),
    Reason.NOT_WORSE: (
        "worse_than_control",
        Tri.NO,
        "24 of 400 requests failed on the service side in 1 min, 7 of 100 on legacy's",
    ),
    Reason.NO_CONTROL: (
        "worse_than_control",
        Tri.UNKNOWN,
        "legacy serves nothing on this route, no baseline is recorded",
    ),
    Reason.LEGACY_UNFIT: ("legacy_fit", Tri.NO, "legacy's own probe fails: 503 in 2 ms (1.1 s ago)"),
    Reason.OVER_CAPACITY: (
        "legacy_fit",
        Tri.NO,
        "too much traffic: 260 requests/s after the rollback, capacity 200/s",
    ),
    Reason.FORWARD_ONLY: ("data_safe", Tri.NO, "forward_only: legacy would lack the chats of the last 6 days"),
    Reason.LAG_TOO_LARGE: ("data_safe", Tri.NO, "dual_write, legacy is 94.0 s behind, at most 30s"),
    Reason.GATEWAY_CHANGED: (
        "gateway_unchanged",
        Tri.NO,
        'somebody changed it since the incident began: {"to":"service"} became {"to":"canary"}',
    ),
    Reason.LATCHED: ("allowed", Tri.NO, "rolled back before; a person must re-arm the route"),
    Reason.KILL_SWITCH: ("allowed", Tri.NO, "the kill switch /etc/figwatch/stop is set"),
}


def decided(outcome: DecisionOutcome, reason: Reason) -> Decision:
    """What the guard said; where it withholds, the condition that does not hold."""
    conditions: tuple[Condition, ...] = GOOD
    if reason in BROKEN:
        name, holds, evidence = BROKEN[reason]
        broken = Condition(name=name, holds=holds, evidence=evidence, reason=reason)
        conditions = tuple(broken if each.name == name else each for each in GOOD)
    return Decision(at=NOON, outcome=outcome, reason=reason, conditions=conditions, plan=PLAN, plan_digest="5f2c")


def an_alert(name: AlertName = AlertName.EARLY_OUTAGE, **changes: Any) -> Alert:
    """The early lane of chat-availability."""
    alert = Alert(
        id=f"chat-availability {ROUTE} early {NOON}",
        name=name,
        slo="chat-availability",
        route=ROUTE,
        tier="early",
        lane="all",
        severity=Severity.PAGE,
        fired_at=NOON,
        impact_start=NOON - 4 * SECOND,
        certified=True,
        bad=24,
        total=50,
        burn_rate=Fraction(480),
    )
    return replace(alert, **changes)


def failing(outcome: DecisionOutcome, reason: Reason, **changes: Any) -> Incident:
    """Chat fails, and the guard said so."""
    incident = Incident(
        id=ID,
        kind=IncidentKind.ROUTE,
        migration="ai-assistant",
        service="chat",
        route=ROUTE,
        severity=Severity.PAGE,
        impact_start=NOON - 4 * SECOND,
        detected_at=NOON,
        alerts=(an_alert(),),
        decision=decided(outcome, reason),
        pages=1,
        last_bad=NOON,
    )
    return replace(incident, **changes)


def rolled_back(verdict: RollbackVerdict, state: RollbackState = RollbackState.DONE, **changes: Any) -> Incident:
    """It was sent back to legacy, or that was tried."""
    judged = verdict is not RollbackVerdict.PENDING
    run = RollbackRun(
        id=f"{ID}/rollback",
        plan=PLAN,
        decided_at=NOON,
        state=state,
        done_at=NOON + 2 * SECOND if state is RollbackState.DONE else None,
        verdict=verdict,
        verified_at=NOON + 21 * SECOND if judged else None,
        detail=_DETAILS.get((state, verdict), ""),
    )
    acked = {"acknowledged_at": NOON + 40 * SECOND, "acknowledged_by": "operator@laptop", "paged_at": NOON + SECOND}
    named = _ALERTS.get((state, verdict))
    alerts = (
        (an_alert(),)
        if named is None
        else (an_alert(), an_alert(named, tier="rollback", slo="", fired_at=NOON + 12 * SECOND))
    )
    incident = failing(DecisionOutcome.ROLLBACK, Reason.CONDITIONS_HOLD, rollback=run, alerts=alerts, **acked)
    return replace(incident, **changes)


_DETAILS: Final = {
    (RollbackState.DONE, RollbackVerdict.HELPED): "0 of 240 requests failed since",
    (RollbackState.DONE, RollbackVerdict.INEFFECTIVE): "117 of 240 requests failed since",
    (RollbackState.DONE, RollbackVerdict.UNVERIFIED): "3 requests since, too few to tell",
    (RollbackState.NEEDS_HUMAN, RollbackVerdict.PENDING): "step redirect: no answer in 10 s, and nothing tells "
    "whether it was done",
}
_ALERTS: Final = {
    (RollbackState.DONE, RollbackVerdict.INEFFECTIVE): AlertName.ROLLBACK_INEFFECTIVE,
    (RollbackState.DONE, RollbackVerdict.UNVERIFIED): AlertName.ROLLBACK_UNVERIFIED,
    (RollbackState.NEEDS_HUMAN, RollbackVerdict.PENDING): AlertName.ROLLBACK_NEEDS_HUMAN,
}


def over(incident: Incident, by: str = "") -> Incident:
    """Users are well again and the data said so, or a person did."""
    ended = NOON + 5 * MINUTE + 12 * SECOND
    alerts = tuple(replace(alert, resolved_at=ended) for alert in incident.alerts)
    return replace(incident, alerts=alerts, mitigated_at=NOON + 8 * SECOND, resolved_at=ended, resolved_by=by)


def slow_burn() -> Incident:
    """A ticket: the budget leaks."""
    alert = an_alert(AlertName.ERROR_BUDGET_BURN_SLOW, tier="1d", severity=Severity.TICKET, bad=310, total=86_000)
    return replace(
        failing(DecisionOutcome.WITHHELD, Reason.NO_PAGE_TIER),
        id=f"ai-assistant:{ROUTE}:2",
        severity=Severity.TICKET,
        alerts=(alert,),
        decision=None,
    )


def a_signal(name: AlertName, kind: IncidentKind, subject: str, service: str) -> Incident:
    """Something that rests on no SLO."""
    alert = an_alert(
        name, slo=f"{name} {subject}", route=subject, tier="signal", severity=Severity.TICKET, burn_rate=None
    )
    return replace(
        slow_burn(), id=f"ai-assistant:{subject}:1", kind=kind, route=subject, service=service, alerts=(alert,)
    )


NOW_FACTS: Final = Facts(
    bad=24,
    total=50,
    over=5 * SECOND,
    objective="99.9%",
    burn_rate="480.0",
    budget_left="91.4%",
    exhausted_in=HOUR + 22 * MINUTE,
    legacy_share="20%",
    service_bad=24,
    service_total=40,
    legacy_bad=0,
    legacy_total=10,
)
SHARED_FACTS: Final = replace(NOW_FACTS, bad=30, legacy_bad=6, burn_rate="600.0")
FEW_FACTS: Final = replace(
    NOW_FACTS, bad=3, total=15, burn_rate="200.0", service_bad=3, service_total=12, legacy_total=3
)
AFTER_FACTS: Final = replace(
    NOW_FACTS,
    bad=62,
    total=130,
    over=12 * SECOND,
    burn_rate="476.9",
    budget_left="90.9%",
    exhausted_in=None,
    legacy_share="100%",
    service_bad=62,
    service_total=104,
    legacy_total=26,
)
STILL_FACTS: Final = replace(
    AFTER_FACTS, bad=179, total=370, over=24 * SECOND, burn_rate="483.8", legacy_bad=117, legacy_total=266
)
SLOW_FACTS: Final = replace(
    NOW_FACTS,
    bad=310,
    total=86_000,
    over=HOUR,
    burn_rate="3.6",
    budget_left="38%",
    exhausted_in=3 * 24 * HOUR,
    service_bad=290,
    service_total=68_800,
    legacy_bad=20,
    legacy_total=17_200,
)
