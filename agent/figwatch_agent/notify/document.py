"""The JSON document of a plain webhook: version 1. Members are added, never renamed or removed, within a version."""

from typing import Final

from figwatch_agent.durations import Instant, format_instant
from figwatch_agent.model.incident import Incident
from figwatch_agent.model.journal import Delivery
from figwatch_agent.model.page import Facts
from figwatch_agent.notify.facts import ALERTS_SHOWN
from figwatch_agent.notify.keys import wire_key
from figwatch_agent.notify.message import Message
from figwatch_agent.notify.words import fit

VERSION: Final = 1
_RAW_LIMIT: Final = 2048
"""Identifiers are passed on as they are, so that machines can compare them, but not without end."""


def document(delivery: Delivery, message: Message) -> dict[str, object]:
    """What is sent: the same facts twice, for machines and (``message``) for people. Instants are ISO 8601, UTC."""
    page = delivery.row.page
    return {
        "version": VERSION,
        "id": wire_key(delivery.row.id),
        "kind": page.kind.value,
        "group": wire_key(page.group),
        "severity": page.severity.value,
        "at": format_instant(page.at),
        "message": {
            "title": message.title,
            "lines": [{"label": line.label, "texts": list(line.texts)} for line in message.lines],
        },
        "links": {link.text.lower(): link.url for link in message.links},
        "incident": _incident(page.incident),
        "facts": None if page.facts is None else _facts(page.facts),
        "decision": _decision(page.incident),
        "rollback": _rollback(page.incident),
    }


def _incident(incident: Incident) -> dict[str, object]:
    return {
        "id": _raw(incident.id),
        "kind": incident.kind.value,
        "migration": _raw(incident.migration),
        "service": _raw(incident.service),
        "route": _raw(incident.route),
        "impact_start": format_instant(incident.impact_start),
        "detected_at": format_instant(incident.detected_at),
        "paged_at": _instant(incident.paged_at),
        "acknowledged_at": _instant(incident.acknowledged_at),
        "mitigated_at": _instant(incident.mitigated_at),
        "resolved_at": _instant(incident.resolved_at),
        "resolved_by": _raw(incident.resolved_by),
        "alerts": [
            {
                "name": alert.name.value,
                "slo": _raw(alert.slo),
                "route": _raw(alert.route),
                "tier": alert.tier,
                "fired_at": format_instant(alert.fired_at),
                "resolved_at": _instant(alert.resolved_at),
            }
            for alert in incident.alerts[:ALERTS_SHOWN]
        ],
    }


def _facts(facts: Facts) -> dict[str, object]:
    return {
        "bad": facts.bad,
        "total": facts.total,
        "over_ms": facts.over,
        "objective": facts.objective,
        "burn_rate": facts.burn_rate,
        "budget_left": facts.budget_left,
        "exhausted_in_ms": facts.exhausted_in,
        "legacy_share": facts.legacy_share,
        "service": {"bad": facts.service_bad, "total": facts.service_total},
        "legacy": {"bad": facts.legacy_bad, "total": facts.legacy_total},
    }


def _decision(incident: Incident) -> dict[str, object] | None:
    decision = incident.decision
    if decision is None:
        return None
    return {
        "at": format_instant(decision.at),
        "outcome": decision.outcome.value,
        "reason": decision.reason.value,
        "plan": decision.plan,
        "conditions": [
            {"name": one.name, "holds": one.holds.value, "evidence": _raw(one.evidence)} for one in decision.conditions
        ],
    }


def _rollback(incident: Incident) -> dict[str, object] | None:
    run = incident.rollback
    if run is None:
        return None
    return {
        "id": _raw(run.id),
        "plan": _raw(run.plan),
        "state": run.state.value,
        "verdict": run.verdict.value,
        "detail": _raw(run.detail),
    }


def _instant(instant: Instant | None) -> str | None:
    return None if instant is None else format_instant(instant)


def _raw(text: str) -> str:
    return fit(text, _RAW_LIMIT)
