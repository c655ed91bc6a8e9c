"""Incidents as JSON: their stages, what fired, what was decided and what became of it."""

from figwatch_agent.durations import Instant, format_instant
from figwatch_agent.model.decision import Decision
from figwatch_agent.model.incident import Alert, Incident, RollbackRun
from figwatch_agent.report.numbers import number, seconds


def incident_document(incident: Incident) -> dict[str, object]:
    """One incident; a stage that did not happen is null."""
    mitigated = incident.mitigated_at
    return {
        "id": incident.id,
        "kind": incident.kind.value,
        "service": incident.service,
        "route": incident.route,
        "severity": incident.severity.value,
        "open": incident.open,
        "impact_start": format_instant(incident.impact_start),
        "detected_at": format_instant(incident.detected_at),
        "paged_at": _iso(incident.paged_at),
        "acknowledged_at": _iso(incident.acknowledged_at),
        "acknowledged_by": incident.acknowledged_by,
        "mitigated_at": _iso(mitigated),
        "resolved_at": _iso(incident.resolved_at),
        "resolved_by": incident.resolved_by or None,
        "seconds_to_mitigate": None if mitigated is None else seconds(mitigated - incident.impact_start),
        "shared_with": incident.shared_with,
        "pages": incident.pages,
        "alerts": [_alert(alert) for alert in incident.alerts],
        "decision": None if incident.decision is None else decision_document(incident.decision),
        "rollback": None if incident.rollback is None else _run(incident.rollback),
    }


def incident_brief(incident: Incident) -> dict[str, object]:
    """What a list says of an incident."""
    return {
        "id": incident.id,
        "kind": incident.kind.value,
        "route": incident.route,
        "severity": incident.severity.value,
        "open": incident.open,
        "impact_start": format_instant(incident.impact_start),
        "acknowledged_by": incident.acknowledged_by,
        "mitigated": incident.mitigated_at is not None,
        "alerts": list(dict.fromkeys(alert.name.value for alert in incident.alerts)),
        "decision": None if incident.decision is None else incident.decision.outcome.value,
        "reason": None if incident.decision is None else incident.decision.reason.value,
        "rollback": None if incident.rollback is None else incident.rollback.state.value,
    }


def decision_document(decision: Decision) -> dict[str, object]:
    """What the guard said, with every condition and its evidence."""
    return {
        "outcome": decision.outcome.value,
        "reason": decision.reason.value,
        "at": format_instant(decision.at),
        "plan": decision.plan,
        "plan_digest": decision.plan_digest,
        "conditions": [
            {"name": condition.name, "holds": condition.holds.value, "evidence": condition.evidence}
            for condition in decision.conditions
        ],
    }


def _alert(alert: Alert) -> dict[str, object]:
    return {
        "id": alert.id,
        "name": alert.name.value,
        "slo": alert.slo,
        "tier": alert.tier,
        "lane": alert.lane,
        "severity": alert.severity.value,
        "fired_at": format_instant(alert.fired_at),
        "resolved_at": _iso(alert.resolved_at),
        "impact_start": format_instant(alert.impact_start),
        "certified": alert.certified,
        "bad": alert.bad,
        "total": alert.total,
        "burn_rate": number(alert.burn_rate),
    }


def _run(run: RollbackRun) -> dict[str, object]:
    return {
        "id": run.id,
        "plan": run.plan,
        "state": run.state.value,
        "verdict": run.verdict.value,
        "decided_at": format_instant(run.decided_at),
        "done_at": _iso(run.done_at),
        "verified_at": _iso(run.verified_at),
        "approved_by": run.approved_by,
        "detail": run.detail,
    }


def _iso(at: Instant | None) -> str | None:
    return None if at is None else format_instant(at)
