"""One route: service beside legacy on the same axes, its tiers and budgets over time, and what happened meanwhile."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Final

from figwatch_agent.durations import Instant, format_instant, parse_instant
from figwatch_agent.evaluate.error_budget import budget_remaining
from figwatch_agent.model.history import SPANS, BudgetHistory, RouteHistory, SideHistory
from figwatch_agent.model.incident import Incident
from figwatch_agent.model.outcome import Transition, TransitionKind
from figwatch_agent.model.view import RouteView, View
from figwatch_agent.report.charts import Marker
from figwatch_agent.report.incidents import incident_brief
from figwatch_agent.report.numbers import number, seconds
from figwatch_agent.report.overview import axis_document
from figwatch_agent.report.sides import milliseconds, route_row
from figwatch_agent.report.streams import stream_document

MOST_MARKERS: Final = 50
MOST_INCIDENTS: Final = 25

_KINDS: Final[Mapping[TransitionKind, str]] = {
    TransitionKind.EVENT_RECORDED: "deployment",
    TransitionKind.ROLLBACK_STATE: "rollback",
    TransitionKind.RESTARTED: "restart",
}


def route_document(
    view: View, history: RouteHistory, span: str, transitions: Sequence[Transition] = ()
) -> dict[str, object] | None:
    """The route of a history over ``span`` (a key of model.history.SPANS); None where the view has no such route."""
    route = next((each for each in view.routes if each.route == history.route), None)
    if route is None:
        return None
    incidents = [incident for incident in view.incidents if incident.route == history.route]
    return {
        "version": 1,
        "at": format_instant(view.at),
        "span": span,
        "spans": list(SPANS),
        "route": route_row(route),
        "slos": [stream_document(stream) for stream in view.streams if stream.route == history.route],
        "axis": axis_document(history.axis),
        "covered_ms": list(history.covered),
        "sides": [_side(side) for side in history.sides],
        "budgets": [_budget(budget) for budget in history.budgets],
        "markers": [marker_document(marker) for marker in markers(history, route, incidents, transitions)],
        "incidents": [incident_brief(incident) for incident in incidents[:MOST_INCIDENTS]],
    }


def markers(
    history: RouteHistory, route: RouteView, incidents: Sequence[Incident], transitions: Sequence[Transition]
) -> list[Marker]:
    """What happened to the route within the span, oldest first: deployments, rollbacks, incidents, restarts."""
    ids = {incident.id for incident in incidents}
    found = [
        Marker(at=_when(each, kind), kind=kind, label=_label(each, kind))
        for each in transitions
        if (kind := _kind(each)) is not None and _concerns(each, kind, route, ids)
    ]
    for incident in incidents:
        found.append(Marker(at=incident.impact_start, kind="incident", label="impact began"))
        if incident.mitigated_at is not None:
            found.append(Marker(at=incident.mitigated_at, kind="incident", label="mitigated"))
    inside = [marker for marker in found if history.axis.start <= marker.at <= history.axis.end]
    return sorted(inside, key=lambda marker: (marker.at, marker.kind, marker.label))[-MOST_MARKERS:]


def marker_document(marker: Marker) -> dict[str, object]:
    """A marker as JSON."""
    return {"at": format_instant(marker.at), "kind": marker.kind, "label": marker.label}


def budget_left(budget: BudgetHistory) -> list[Fraction | None]:
    """The share of the window's budget that was left at the end of each slot; the last is what is left now.

    The whole window's events are the measure, so that the line ends at the figure beside it. What was burnt before the
    first slot is in its first point. None where nothing was measured.
    """
    found: list[Fraction | None] = []
    ahead = 0  # bad events of later slots
    for bad in reversed(budget.bad):
        left = None
        if bad is not None:
            left = budget_remaining(budget.window_bad - ahead, budget.window_total, budget.objective)
            ahead += bad
        found.append(left)
    return found[::-1]


def _side(side: SideHistory) -> dict[str, object]:
    return {
        "side": side.side,
        "requests": list(side.requests),
        "judged": list(side.judged),
        "failed": list(side.failed),
        "p95_ms": [milliseconds(bounds) for bounds in side.p95],
    }


def _budget(budget: BudgetHistory) -> dict[str, object]:
    return {
        "slo": budget.slo,
        "kind": budget.kind,
        "objective": number(budget.objective),
        "window_seconds": seconds(budget.window),
        "axis": axis_document(budget.axis),
        "bad": list(budget.bad),
        "total": list(budget.total),
        "left": [number(left) for left in budget_left(budget)],
    }


def _kind(transition: Transition) -> str | None:
    kind = _KINDS.get(transition.kind)
    if kind == "deployment":
        said = dict(transition.data)
        return kind if "deployment" in (said.get("kind"), said.get("event"), said.get("type")) else None
    return kind


def _concerns(transition: Transition, kind: str, route: RouteView, incidents: set[str]) -> bool:
    if kind == "restart":
        return True
    if kind == "rollback":
        return transition.subject in incidents
    said = dict(transition.data)
    return route.service in (transition.subject, said.get("service")) or transition.subject == route.route


def _when(transition: Transition, kind: str) -> Instant:
    """A deployment may be told of later than it happened."""
    told = dict(transition.data).get("at", "") if kind == "deployment" else ""
    try:
        return parse_instant(told) if told else transition.at
    except (ValueError, OverflowError):
        return transition.at


def _label(transition: Transition, kind: str) -> str:
    said = dict(transition.data)
    if kind == "rollback":
        return f"rollback {said.get('state', '')}".strip().replace("_", " ")
    if kind == "restart":
        return "agent restarted"
    failed = said.get("status") == "failure"
    return f"{'deployment failed' if failed else 'deployed'} {said.get('version', '')}".strip()
