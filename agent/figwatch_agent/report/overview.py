"""The overview: every route with its stage, who serves it, legacy's share over time, budget, burn and open incidents.

Worst first, a page at a time, so that a migration of a thousand SLOs is read, and sent, in small pieces. What all pages
of one tick have in common is worked out once: keep an Overview as long as its view is the newest.
"""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from figwatch_agent.durations import format_instant
from figwatch_agent.model.history import Axis, RouteShare, Shares
from figwatch_agent.model.incident import Incident
from figwatch_agent.model.names import Severity, Stage, Verdict
from figwatch_agent.model.view import RouteView, StreamView, TierView, View
from figwatch_agent.report.criteria import criterion_document, verdict_of
from figwatch_agent.report.forecast import forecast_document
from figwatch_agent.report.incidents import incident_brief
from figwatch_agent.report.numbers import number, seconds, text
from figwatch_agent.report.secrecy import without_userinfo
from figwatch_agent.report.sides import route_row, users
from figwatch_agent.report.streams import budget_bounds

PAGE: Final = 25
"""Routes of one page."""

MOST_CRITERIA: Final = 25
MOST_INCIDENTS: Final = 25
MOST_SILENCES: Final = 25
LONGEST_QUERY: Final = 100

_WORST: Final = (Verdict.MISSED, Verdict.INCONCLUSIVE, Verdict.MET)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """Which routes are wanted; a page beyond the last is the last."""

    page: int = 1
    query: str = ""  # part of a route's template or of its service's name
    stage: Stage | None = None


@dataclass(frozen=True, slots=True)
class _Row:
    route: RouteView
    share: RouteShare | None
    streams: tuple[StreamView, ...]
    incidents: tuple[Incident, ...]
    badness: tuple[float, ...]


def overview_document(view: View, shares: Shares, ask: Ask | None = None) -> dict[str, object]:
    """One page of the overview."""
    return Overview(view, shares).document(ask if ask is not None else Ask())


class Overview:
    """What all pages of one view share."""

    def __init__(self, view: View, shares: Shares) -> None:
        self.view = view
        self.shares = shares
        self._rows = _rows(view, shares)
        self._whole = _whole(view, shares)

    def document(self, ask: Ask) -> dict[str, object]:
        """One page of routes, and everything that is said of the whole."""
        wanted = ask.query[:LONGEST_QUERY].casefold()
        rows = [row for row in self._rows if _matches(row.route, wanted, ask.stage)]
        pages = max(-(-len(rows) // PAGE), 1)
        page = min(max(ask.page, 1), pages)
        shown = rows[(page - 1) * PAGE : page * PAGE]
        return {
            **self._whole,
            "axis": axis_document(self.shares.axis),
            "routes": [_row(row, self.shares.axis) for row in shown],
            "page": {
                "number": page,
                "pages": pages,
                "size": PAGE,
                "matching": len(rows),
                "all": len(self._rows),
                "query": ask.query[:LONGEST_QUERY],
                "stage": None if ask.stage is None else ask.stage.value,
            },
        }


def axis_document(axis: Axis) -> dict[str, object]:
    """Equal slots of time; the last one is cut at ``until``."""
    return {
        "start": format_instant(axis.start),
        "step_seconds": seconds(axis.step),
        "slots": axis.slots,
        "until": format_instant(axis.until),
    }


def _whole(view: View, shares: Shares) -> dict[str, object]:
    opened = [incident for incident in view.incidents if incident.open]
    ratio = users(_requests(view).items()).legacy_ratio
    stages = [route.stage for route in view.routes]
    judged = sorted(((verdict_of(each)[0], each) for each in view.criteria), key=lambda pair: _WORST.index(pair[0]))
    verdicts = [verdict for verdict, _ in judged]
    return {
        "version": 1,
        "at": format_instant(view.at),
        "started_at": format_instant(view.started_at),
        "sequence": view.sequence,
        "migration": view.migration,
        "mode": view.mode,
        "legacy_ratio": text(ratio),
        "share": _points(shares.overall),
        "forecast": forecast_document(shares.axis, shares.overall.legacy, shares.overall.total),
        "stages": {stage.value: stages.count(stage) for stage in Stage},
        "open": {each.value: sum(i.severity is each for i in opened) for each in Severity},
        "incidents": [incident_brief(incident) for incident in opened[:MOST_INCIDENTS]],
        "verdicts": {each.value: verdicts.count(each) for each in Verdict},
        "criteria": [criterion_document(each) for _, each in judged[:MOST_CRITERIA]],
        "silences": silences_document(view)[:MOST_SILENCES],
        "targets": {"up": sum(target.up for target in view.targets), "all": len(view.targets)},
        "findings": [without_userinfo(finding) for finding in view.findings[:MOST_INCIDENTS]],
    }


def _requests(view: View) -> dict[str, int]:
    """Of all routes in the last hour, by side."""
    found: dict[str, int] = defaultdict(int)
    for route in view.routes:
        for side, count in route.requests:
            found[side] += count
    return found


def silences_document(view: View) -> list[dict[str, object]]:
    """Who asked for quiet about what, and until when."""
    return [
        {"subject": each.subject, "until": format_instant(each.until), "actor": each.actor, "why": each.why}
        for each in view.silences
    ]


def _rows(view: View, shares: Shares) -> list[_Row]:
    streams: dict[str, list[StreamView]] = defaultdict(list)
    for stream in view.streams:
        streams[stream.route].append(stream)
    incidents: dict[str, list[Incident]] = defaultdict(list)
    for incident in view.incidents:
        if incident.open:
            incidents[incident.route].append(incident)
    by_route = {share.route: share for share in shares.routes}
    rows = [
        _Row(
            route,
            by_route.get(route.route),
            tuple(streams[route.route]),
            tuple(incidents[route.route]),
            _badness(streams[route.route], incidents[route.route]),
        )
        for route in view.routes
    ]
    return sorted(rows, key=lambda row: (row.badness, row.route.route))


def _badness(streams: Sequence[StreamView], incidents: Sequence[Incident]) -> tuple[float, ...]:
    """Pages, then tickets, then what is not measured, then tiers that fire, then the least budget: least is worst."""
    pages = sum(incident.severity is Severity.PAGE for incident in incidents) if incidents else 0
    left = min([_about(stream.budget_left) for stream in streams if stream.budget_left is not None], default=2.0)
    firing = sum([tier.firing for stream in streams for tier in stream.tiers])  # a list: there are thousands of them
    blind = any(stream.state == "unknown" for stream in streams)
    return (-pages, -(len(incidents) - pages), -blind, -firing, left)


def _about(ratio: Fraction | None) -> float:
    """Near enough to sort by, and never a NaN; nothing else is made of it."""
    if ratio is None:
        return 0.0
    try:
        return ratio.numerator / ratio.denominator
    except OverflowError:  # beyond what a float holds
        return math.copysign(math.inf, ratio.numerator)


def _matches(route: RouteView, wanted: str, stage: Stage | None) -> bool:
    named = not wanted or wanted in route.route.casefold() or wanted in route.service.casefold()
    return named and (stage is None or route.stage is stage)


def _row(row: _Row, axis: Axis) -> dict[str, object]:
    share = row.share
    return {
        **route_row(row.route),
        "share": None if share is None else _points(share),
        "forecast": None if share is None else forecast_document(axis, share.legacy, share.total),
        "slos": len(row.streams),
        "budget": _budget(row.streams),
        "burn": _burn(row.streams),
        "findings": sorted({without_userinfo(each.finding) for each in row.streams if each.finding})[:3],
        "incidents": [incident_brief(incident) for incident in row.incidents],
    }


def _points(share: RouteShare) -> list[dict[str, int] | None]:
    return [
        None if legacy is None or total is None else {"legacy": legacy, "total": total}
        for legacy, total in zip(share.legacy, share.total, strict=True)
    ]


def _budget(streams: Sequence[StreamView]) -> dict[str, object] | None:
    """Of the SLO that has the least left."""
    known = [stream for stream in streams if stream.budget_left is not None]
    if not known:
        return None
    worst = min(known, key=lambda stream: stream.budget_left or 0)
    low, high = budget_bounds(worst)
    return {
        "slo": worst.slo,
        "objective": number(worst.objective),
        "window_seconds": seconds(worst.window),
        "bad": worst.counts.bad,
        "total": worst.counts.total,
        "remaining": number(worst.budget_left),
        "remaining_low": number(low),
        "remaining_high": number(high),
        "coverage": number(worst.coverage),
        "state": worst.state,
    }


def _burn(streams: Sequence[StreamView]) -> dict[str, object] | None:
    """Of the tier that is nearest to its factor, or furthest above it; firing ones come first.

    The early lane adds up evidence and has no factor that it waits for: it counts here only while it fires.
    """
    known = [(stream, tier) for stream in streams for tier in stream.tiers if tier.burn_high is not None]
    tiers = [pair for pair in known if pair[1].firing or not adds_up(pair[1])] or known
    if not tiers:
        return None
    stream, worst = max(tiers, key=lambda pair: (pair[1].firing, _nearness(pair[1])))
    return {
        "slo": stream.slo,
        "tier": worst.name,
        "severity": worst.severity,
        "factor": number(worst.factor),
        "long_seconds": seconds(worst.long),
        "low": number(worst.burn_low),
        "high": number(worst.burn_high),
        "firing": worst.firing,
    }


def adds_up(tier: TierView) -> bool:
    """Whether a tier is the early lane, on the whole stream or on the service side alone."""
    return tier.short == 0


def _nearness(tier: TierView) -> float:
    return _about(tier.burn_high) / max(_about(tier.factor), 1e-9)
