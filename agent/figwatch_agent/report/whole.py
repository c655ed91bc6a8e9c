"""The report: everything that a migration is judged by, as one JSON document.

It is made of a view, the rings and what was told, and of nothing else: the same state gives the same document. Figures
are those of report.status; ``/api/v1/report`` answers it, and `figwatch report` writes it as Markdown and HTML as well.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from figwatch_agent.decide.incidents import timed
from figwatch_agent.durations import DAY, SECOND, Instant, format_instant
from figwatch_agent.evaluate.legacy_ratio import NoForecast
from figwatch_agent.evaluate.mttr import Mttr, StageFigures, Stages, stages
from figwatch_agent.model.baseline import RecordedBaseline
from figwatch_agent.model.event import FAILURE, Event, EventKind
from figwatch_agent.model.history import BudgetHistory, RouteHistory, RouteShare, Shares
from figwatch_agent.model.incident import Incident, IncidentKind
from figwatch_agent.model.names import Measure, Verdict
from figwatch_agent.model.view import View
from figwatch_agent.report.criteria import criterion_document, verdict_of
from figwatch_agent.report.exclusions import exclusion_document
from figwatch_agent.report.forecast import forecast_document
from figwatch_agent.report.incidents import incident_document
from figwatch_agent.report.numbers import number, seconds, text
from figwatch_agent.report.overview import axis_document
from figwatch_agent.report.route import budget_left
from figwatch_agent.report.secrecy import without_userinfo
from figwatch_agent.report.sides import users
from figwatch_agent.report.streams import stream_document
from figwatch_agent.report.told import baseline_document, event_document

MOST_INCIDENTS: Final = 50
MOST_DEPLOYMENTS: Final = 200
MOST_BUDGETS: Final = 100
MOST_DRAWN: Final = 12
OVER: Final = 30 * DAY
"""Deployments and shares of legacy are listed so far back."""

Document = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What a report is made of."""

    view: View
    shares: Shares
    histories: tuple[RouteHistory, ...] = ()  # of the routes whose budgets are drawn
    events: tuple[Event, ...] = ()
    baselines: tuple[RecordedBaseline, ...] = ()


def drawn_routes(view: View) -> tuple[str, ...]:
    """The routes whose budgets are drawn."""
    return tuple(route.route for route in view.routes[:MOST_DRAWN])


def report_document(material: Material) -> Document:
    """All of it, ready for ``json.dumps(..., allow_nan=False)``."""
    view = material.view
    verdicts = [verdict_of(each)[0] for each in view.criteria]
    return {
        "version": 1,
        "at": format_instant(view.at),
        "started_at": format_instant(view.started_at),
        "migration": view.migration,
        "mode": view.mode,
        "verdicts": {each.value: verdicts.count(each) for each in Verdict},
        "criteria": [criterion_document(each) for each in view.criteria],
        "legacy": _legacy(material),
        "deadlines": _deadlines(material),
        "budgets": _budgets(material),
        "recovery": [_stage(each) for each in _recovery(view)],
        "incidents": [incident_document(each) for each in view.incidents[:MOST_INCIDENTS]],
        "deployments": _deployments(material.events, view.at),
        "baselines": [baseline_document(each) for each in material.baselines],
        "exclusions": [exclusion_document(each, view.at) for each in view.exclusions],
        "findings": [without_userinfo(finding) for finding in view.findings],
    }


def _legacy(material: Material) -> Document:
    shares, view = material.shares, material.view
    stage = {route.route: route.stage.value for route in view.routes}
    lately = users(_summed(view).items()).legacy_ratio
    return {
        "ratio_last_hour": text(lately),
        "axis": axis_document(shares.axis),
        "share": _points(shares.overall),
        "forecast": forecast_document(shares.axis, shares.overall.legacy, shares.overall.total),
        "routes": [
            {
                "route": each.route,
                "service": each.service,
                "stage": stage.get(each.route),
                "legacy": sum(count or 0 for count in each.legacy),
                "total": sum(count or 0 for count in each.total),
                "share": _points(each),
                "forecast": forecast_document(shares.axis, each.legacy, each.total),
            }
            for each in shares.routes
        ],
    }


def _deadlines(material: Material) -> list[Document]:
    """Of every legacy ratio with a day it must be met by: whether the forecast reaches zero in time."""
    by_route = {each.route: each for each in material.shares.routes}
    found: list[Document] = []
    for each in material.view.criteria:
        criterion = each.criterion
        share = by_route.get(criterion.route or "") if criterion.route else material.shares.overall
        if criterion.measure is not Measure.LEGACY_RATIO or criterion.by is None or share is None:
            continue
        forecast = forecast_document(material.shares.axis, share.legacy, share.total)
        found.append(
            {
                "criterion": criterion.name,
                "route": criterion.route,
                "by": criterion.by,
                "met": verdict_of(each)[0].value,
                "zero_at": forecast["zero_at"],
                "in_time": _in_time(forecast, criterion.by),
                "text": forecast["text"],
            }
        )
    return found


def _in_time(forecast: Mapping[str, object], by: str) -> bool | None:
    """Whether zero comes on that day or before; None where there is no forecast."""
    if forecast["reason"] == NoForecast.ALREADY_ZERO:
        return True
    return None if forecast["zero_at"] is None else str(forecast["zero_at"])[:10] <= by


def _summed(view: View) -> dict[str, int]:
    found: dict[str, int] = {}
    for route in view.routes:
        for side, count in route.requests:
            found[side] = found.get(side, 0) + count
    return found


def _points(share: RouteShare) -> list[Document | None]:
    return [
        None if mine is None or everything is None else {"legacy": mine, "total": everything}
        for mine, everything in zip(share.legacy, share.total, strict=True)
    ]


def _budgets(material: Material) -> list[Document]:
    drawn: dict[tuple[str, str], BudgetHistory] = {
        (budget.slo, history.route): budget for history in material.histories for budget in history.budgets
    }
    found: list[Document] = []
    for stream in material.view.streams[:MOST_BUDGETS]:
        history = drawn.get((stream.slo, stream.route))
        found.append({**stream_document(stream), "history": None if history is None else _history(history)})
    return found


def _history(budget: BudgetHistory) -> Document:
    return {"axis": axis_document(budget.axis), "left": [number(left) for left in budget_left(budget)]}


def _recovery(view: View) -> tuple[StageFigures, ...]:
    """Over every incident of a route that paged, as far back as they are remembered."""
    return stages([_stages_of(each) for each in view.incidents if _paged(each)], view.at)


def _paged(incident: Incident) -> bool:
    return incident.kind is IncidentKind.ROUTE and timed(incident)


def _stages_of(incident: Incident) -> Stages:
    return Stages(
        impact_start=incident.impact_start,
        detected=incident.detected_at,
        paged=incident.paged_at,
        acknowledged=incident.acknowledged_at,
        mitigated=incident.mitigated_at,
        resolved=incident.resolved_at,
    )


def _stage(stage: StageFigures) -> Document:
    found: Mttr = stage.figures
    return {
        "stage": stage.stage,
        "count": found.count,
        "open": found.open_count,
        "skipped": stage.skipped,
        "mean_seconds": None if found.mean is None else number(found.mean / SECOND),
        "mean_low_seconds": number(found.mean_low / SECOND),
        "median_seconds": None if found.median is None else number(found.median / SECOND),
        "p90_seconds": None if found.p90 is None else seconds(found.p90),
        "worst_seconds": seconds(found.worst),
    }


def _deployments(events: Sequence[Event], at: Instant) -> Document:
    told = [each for each in events if each.kind is EventKind.DEPLOYMENT and at - OVER < each.at <= at]
    told.sort(key=lambda event: (event.at, event.key), reverse=True)
    counted = {(each.service, each.id) for each in told if each.get("status") != FAILURE}
    return {
        "over_seconds": seconds(OVER),
        "succeeded": len(counted),
        "failed": sum(each.get("status") == FAILURE for each in told),
        "services": {
            service: sum(each == service for each, _ in counted) for service in sorted({each for each, _ in counted})
        },
        "newest": [event_document(each) for each in told[:MOST_DEPLOYMENTS]],
    }
