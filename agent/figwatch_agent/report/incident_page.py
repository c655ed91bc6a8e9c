"""One incident as plain text: what is the matter, what figwatch did, who was told, and what to type next."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from figwatch_agent.report.summary import decision_in_words
from figwatch_agent.report.words import NOTHING, visible

Json = Mapping[str, Any]
"""Parts of the API; their form is that of report.incidents and of /api/v1/deliveries."""

_STAGES: Final = (
    ("impact began", "impact_start"),
    ("detected", "detected_at"),
    ("paged", "paged_at"),
    ("acknowledged", "acknowledged_at"),
    ("mitigated", "mitigated_at"),
    ("resolved", "resolved_at"),
)


def incident_page(incident: Json, deliveries: Iterable[Json]) -> str:
    """The page, with a line feed at its end. Texts that others wrote are cleaned."""
    about = incident["route"] or "figwatch itself"
    state = "OPEN" if incident["open"] else "resolved"
    parts = (
        (f"{visible(about)}: {state}", [f"incident {visible(incident['id'])}, severity {incident['severity']}"]),
        ("Stages", _stages(incident)),
        ("Alerts", [_alert(alert) for alert in incident["alerts"]]),
        ("Decision", list(_decision(incident["decision"]))),
        ("Rollback", list(_rollback(incident["rollback"]))),
        ("Who was told", [_delivery(row) for row in deliveries] or ["nobody"]),
        ("What you can do", list(_commands(incident))),
    )
    return "\n\n".join("\n".join((title, *(f"  {line}" for line in lines))) for title, lines in parts if lines) + "\n"


def _stages(incident: Json) -> Sequence[str]:
    by = {"acknowledged_at": incident["acknowledged_by"], "resolved_at": incident["resolved_by"]}
    return [
        f"{name:<14}{incident[member] or NOTHING}{f' by {visible(by[member])}' if by.get(member) else ''}"
        for name, member in _STAGES
    ]


def _alert(alert: Json) -> str:
    state = "fires" if alert["resolved_at"] is None else f"resolved {alert['resolved_at']}"
    counted = f", {alert['bad']} bad of {alert['total']}" if alert["total"] else ""
    return (
        f"{alert['name']} of {visible(alert['slo'])}, tier {alert['tier']}, since {alert['fired_at']}{counted}: {state}"
    )


def _decision(decision: Json | None) -> Iterator[str]:
    if decision is None:
        return
    yield f"{decision_in_words(decision)}, at {decision['at']}, plan {visible(decision['plan'] or NOTHING)}"
    for condition in decision["conditions"]:
        yield f"{condition['name']}: {condition['holds']}: {visible(condition['evidence'])}"


def _rollback(run: Json | None) -> Iterator[str]:
    if run is not None:
        detail = f": {visible(run['detail'])}" if run["detail"] else ""
        yield f"{run['state']}, {run['verdict']}, decided at {run['decided_at']}{detail}"


def _delivery(row: Json) -> str:
    reason = f" ({row['reason']})" if row["reason"] else ""
    instead = f" instead of {visible(row['original_receiver'])}" if row["original_receiver"] else ""
    return f"{row['created_at']} {row['kind']} to {visible(row['receiver'])}{instead}: {row['state']}{reason}"


def _commands(incident: Json) -> Iterator[str]:
    if not incident["open"]:
        return
    name, decision = incident["id"], incident["decision"]
    yield f"figwatch ack {name}"
    if decision is not None:
        yield f"figwatch rollback show {name}"
        if decision["outcome"] == "awaiting_approval" and incident["rollback"] is None:
            yield f"figwatch rollback approve {name}"
