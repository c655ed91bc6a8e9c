"""The JSON document of a plain webhook: the same facts twice, for machines and (``message``) for people."""

from dataclasses import asdict
from typing import Final

from figwatch_agent.durations import Instant as Moment
from figwatch_agent.durations import format_instant
from figwatch_agent.model import incident as model
from figwatch_agent.model import page as pages
from figwatch_agent.model.journal import Delivery
from figwatch_agent.notify import webhook_shape as shape
from figwatch_agent.notify.facts import ALERTS_SHOWN
from figwatch_agent.notify.keys import wire_key
from figwatch_agent.notify.message import Message
from figwatch_agent.notify.words import fit

_RAW_LIMIT: Final = 2048
"""Identifiers are passed on as they are, so that machines can compare them, but not without end."""


def document(delivery: Delivery, message: Message) -> dict[str, object]:
    """What is sent, as ``webhook_shape`` describes it."""
    page = delivery.row.page
    return asdict(
        shape.Document(
            version=shape.VERSION,
            id=wire_key(delivery.row.id),
            kind=page.kind,
            group=wire_key(page.group),
            severity=page.severity,
            at=format_instant(page.at),
            message=_words(message),
            links={link.name: link.url for link in message.links},
            incident=_incident(page.incident),
            facts=None if page.facts is None else _facts(page.facts),
            decision=_decision(page.incident),
            rollback=_rollback(page.incident),
        )
    )


def _words(message: Message) -> shape.Words:
    return shape.Words(
        tag=message.tag,
        title=message.title,
        lines=tuple(shape.Line(label=line.label, texts=line.texts) for line in message.lines),
        figures=tuple(shape.Figure(label=figure.label, text=figure.text) for figure in message.figures),
        steps=tuple(shape.Step(text=step.text, command=step.command) for step in message.steps),
    )


def _incident(incident: model.Incident) -> shape.Incident:
    return shape.Incident(
        id=_raw(incident.id),
        kind=incident.kind,
        migration=_raw(incident.migration),
        service=_raw(incident.service),
        route=_raw(incident.route),
        impact_start=format_instant(incident.impact_start),
        detected_at=format_instant(incident.detected_at),
        paged_at=_instant(incident.paged_at),
        acknowledged_at=_instant(incident.acknowledged_at),
        mitigated_at=_instant(incident.mitigated_at),
        resolved_at=_instant(incident.resolved_at),
        resolved_by=_raw(incident.resolved_by),
        alerts=tuple(_alert(alert) for alert in incident.alerts[:ALERTS_SHOWN]),
    )


def _alert(alert: model.Alert) -> shape.Alert:
    return shape.Alert(
        name=alert.name,
        slo=_raw(alert.slo),
        route=_raw(alert.route),
        tier=alert.tier,
        fired_at=format_instant(alert.fired_at),
        resolved_at=_instant(alert.resolved_at),
    )


def _facts(facts: pages.Facts) -> shape.Facts:
    return shape.Facts(
        bad=facts.bad,
        total=facts.total,
        over_ms=facts.over,
        objective=facts.objective,
        burn_rate=facts.burn_rate,
        budget_left=facts.budget_left,
        exhausted_in_ms=facts.exhausted_in,
        legacy_share=facts.legacy_share,
        service=shape.Side(bad=facts.service_bad, total=facts.service_total),
        legacy=shape.Side(bad=facts.legacy_bad, total=facts.legacy_total),
    )


def _decision(incident: model.Incident) -> shape.Decision | None:
    decision = incident.decision
    if decision is None:
        return None
    return shape.Decision(
        at=format_instant(decision.at),
        outcome=decision.outcome,
        reason=decision.reason,
        plan=decision.plan,
        conditions=tuple(
            shape.Condition(name=one.name, holds=one.holds, evidence=_raw(one.evidence)) for one in decision.conditions
        ),
    )


def _rollback(incident: model.Incident) -> shape.Rollback | None:
    run = incident.rollback
    if run is None:
        return None
    return shape.Rollback(
        id=_raw(run.id), plan=_raw(run.plan), state=run.state, verdict=run.verdict, detail=_raw(run.detail)
    )


def _instant(instant: Moment | None) -> str | None:
    return None if instant is None else format_instant(instant)


def _raw(text: str) -> str:
    return fit(text, _RAW_LIMIT)
