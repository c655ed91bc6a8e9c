"""Everything that is known of one incident: stages, decisions, who was told, what was done, how big it was."""

from collections.abc import Container, Sequence
from typing import Final

from figwatch_agent.durations import Instant, format_instant
from figwatch_agent.model.incident import Incident
from figwatch_agent.model.journal import Delivery, RollbackRecord
from figwatch_agent.model.outcome import Transition, TransitionKind
from figwatch_agent.model.page import Facts
from figwatch_agent.report.charts import Phase
from figwatch_agent.report.incidents import incident_document
from figwatch_agent.report.numbers import seconds
from figwatch_agent.report.records import delivery_document, rollback_document, transition_document

MOST_DECISIONS: Final = 50
MOST_HAPPENINGS: Final = 200


def incident_record(
    incident: Incident,
    now: Instant,
    *,
    deliveries: Sequence[Delivery] = (),
    rollback: RollbackRecord | None = None,
    transitions: Sequence[Transition] = (),
    runbooks: Container[str] = (),
) -> dict[str, object]:
    """The incident's page. ``transitions`` may hold those of others; ``runbooks`` are the names that can be read."""
    mine = sorted((each for each in transitions if _about(each, incident)), key=lambda each: each.at)
    names = list(dict.fromkeys(alert.name.value for alert in incident.alerts))
    return {
        "version": 1,
        "at": format_instant(now),
        "incident": incident_document(incident),
        "stages": [_stage(incident, name, at, by) for name, at, by in _stages(incident)],
        "age_seconds": seconds((incident.resolved_at or max(now, incident.impact_start)) - incident.impact_start),
        "decisions": [_decision(each) for each in mine if each.kind is TransitionKind.DECIDED][-MOST_DECISIONS:],
        "size": _size(_newest_facts(deliveries)),
        "deliveries": [delivery_document(delivery) for delivery in deliveries],
        "rollback": None if rollback is None else rollback_document(rollback),
        "runbooks": [{"alert": name, "path": f"/runbooks/{name}" if name in runbooks else None} for name in names],
        "transitions": [transition_document(each) for each in mine][-MOST_HAPPENINGS:],
    }


def phases(incident: Incident) -> tuple[Phase, ...]:
    """The stretches that people count: until noticed, until told, until somebody came, until it was over."""
    start = incident.impact_start
    found = [
        Phase(name="until detected", start=start, end=incident.detected_at, css="unknown"),
        Phase(name="until paged", start=incident.detected_at, end=incident.paged_at, css="unknown"),
        Phase(name="until acknowledged", start=incident.detected_at, end=incident.acknowledged_at, css="unknown"),
        Phase(name="impact", start=start, end=incident.mitigated_at, css="bad"),
        Phase(name="whole incident", start=start, end=incident.resolved_at, css="service"),
    ]
    # What never came about until the end will not come any more: such a stretch is left out.
    return tuple(phase for phase in found if phase.end is not None or incident.open)


def _stages(incident: Incident) -> tuple[tuple[str, Instant | None, str | None], ...]:
    return (
        ("impact_start", incident.impact_start, None),
        ("detected", incident.detected_at, None),
        ("paged", incident.paged_at, None),
        ("acknowledged", incident.acknowledged_at, incident.acknowledged_by),
        ("mitigated", incident.mitigated_at, None),
        ("resolved", incident.resolved_at, incident.resolved_by or None),
    )


def _stage(incident: Incident, name: str, at: Instant | None, by: str | None) -> dict[str, object]:
    since = None if at is None else seconds(max(at - incident.impact_start, 0))
    return {"stage": name, "at": None if at is None else format_instant(at), "by": by, "seconds_since_impact": since}


def _about(transition: Transition, incident: Incident) -> bool:
    return transition.subject in {incident.id, *(alert.id for alert in incident.alerts)}


def _decision(transition: Transition) -> dict[str, object]:
    conditions = []
    for name, text in transition.data:
        holds, _, evidence = text.partition(": ")
        conditions.append({"name": name, "holds": holds, "evidence": evidence})
    return {"at": format_instant(transition.at), "text": transition.text, "conditions": conditions}


def _newest_facts(deliveries: Sequence[Delivery]) -> tuple[Instant, Facts] | None:
    pages = (each.row.page for each in deliveries)
    known = [(page.at, page.facts) for page in pages if page.facts is not None]
    return max(known, key=lambda pair: pair[0], default=None)


def _size(known: tuple[Instant, Facts] | None) -> dict[str, object] | None:
    """As the newest page said it, both sides beside each other."""
    if known is None:
        return None
    at, facts = known
    return {
        "at": format_instant(at),
        "bad": facts.bad,
        "total": facts.total,
        "over_seconds": seconds(facts.over),
        "objective": facts.objective,
        "burn_rate": facts.burn_rate,
        "budget_left": facts.budget_left,
        "exhausted_in_seconds": None if facts.exhausted_in is None else seconds(facts.exhausted_in),
        "legacy_share": facts.legacy_share,
        "service": {"bad": facts.service_bad, "total": facts.service_total},
        "legacy": {"bad": facts.legacy_bad, "total": facts.legacy_total},
    }
