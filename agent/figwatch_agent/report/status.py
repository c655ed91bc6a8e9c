"""The status of a migration as one JSON document: what /api/v1/status answers and `figwatch status` shows.

Instants are ISO 8601 in UTC. Counts are whole numbers and exact. Ratios and burn rates are JSON numbers rounded half to
even at 9 decimals (a ratio that is not whole never shows as 0 or 1); ``legacy_ratio`` is decimal text with up to 12
decimals, since the last requests to legacy are what a migration waits for. Members whose name ends in ``_seconds`` or
``_ms`` carry that unit. What is not known is null, and a ``reason`` or ``finding`` beside it says why. NaN and Inf do
not occur. Passwords in URLs are struck out.
"""

import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Final

from figwatch_agent.durations import format_instant
from figwatch_agent.evaluate.error_budget import error_ratio
from figwatch_agent.evaluate.legacy_ratio import Requests, overall
from figwatch_agent.evaluate.uptime import Uptime
from figwatch_agent.model.view import Counts, RouteView, SideView, Span, StreamView, TargetView, TierView, View
from figwatch_agent.report.criteria import criterion_document
from figwatch_agent.report.incidents import incident_document
from figwatch_agent.report.numbers import number, seconds, text

VERSION: Final = 1
"""Of the document; members may be added to a version, and none changes its meaning."""

_NOT_USERS: Final = frozenset({"shadow"})
"""Sides whose answers no user sees; they are in no ratio."""

_USERINFO: Final = re.compile(r"(?<=://)[^/?#\s@]*@")


def status_document(view: View, healthy: Mapping[str, bool]) -> dict[str, object]:
    """Everything there is to see, ready for ``json.dumps(..., allow_nan=False)``."""
    ratio = overall({f"{route.service} {route.route}": _users(route) for route in view.routes}).legacy_ratio
    return {
        "version": VERSION,
        "at": format_instant(view.at),
        "started_at": format_instant(view.started_at),
        "migration": view.migration,
        "mode": view.mode,
        "hold_seconds": seconds(view.hold),
        "agent": _agent(view, healthy),
        "legacy_ratio": text(ratio),
        "routes": [_route(route) for route in view.routes],
        "slos": [_stream(stream) for stream in view.streams],
        "incidents": [incident_document(incident) for incident in view.incidents],
        "silences": [
            {"subject": each.subject, "until": format_instant(each.until), "actor": each.actor, "why": each.why}
            for each in view.silences
        ],
        "criteria": [criterion_document(measured) for measured in view.criteria],
    }


def without_userinfo(given: str) -> str:
    """A text whose URLs name no user and no password."""
    return _USERINFO.sub("***@", given)


def _agent(view: View, healthy: Mapping[str, bool]) -> dict[str, object]:
    return {
        "sequence": view.sequence,
        "healthy": dict(healthy),
        "findings": [without_userinfo(finding) for finding in view.findings],
        "wall_clock_step_seconds": seconds(view.wall_step),
        "targets": [_target(target) for target in view.targets],
    }


def _target(target: TargetView) -> dict[str, object]:
    return {
        "target": without_userinfo(target.target),
        "up": target.up,
        "reason": without_userinfo(target.reason) or None,
        "last_answer": None if target.last_answer is None else format_instant(target.last_answer),
    }


def _users(route: RouteView) -> Requests:
    by_side = dict(route.requests)
    total = sum(count for side, count in by_side.items() if side not in _NOT_USERS)
    return Requests(legacy=by_side.get("legacy", 0), total=total)


def _route(route: RouteView) -> dict[str, object]:
    ratio = _users(route).legacy_ratio
    return {
        "route": route.route,
        "service": route.service,
        "stage": route.stage.value,
        "plan": route.plan,
        "armed": route.armed,
        "requests": dict(route.requests),
        "legacy_ratio": text(ratio),
        "reason": "no request of a user was seen in the last hour" if ratio is None else None,
        "sides": [_side(side) for side in route.sides],
    }


def _side(side: SideView) -> dict[str, object]:
    return {
        "side": side.side,
        "over_seconds": seconds(side.over),
        "requests": side.requests,
        "failed": side.failed,
        "p50_ms": _bounds(side.p50),
        "p95_ms": _bounds(side.p95),
        "p99_ms": _bounds(side.p99),
    }


def _bounds(bounds: tuple[Fraction, Fraction | None] | None) -> dict[str, object] | None:
    """A quantile lies between these; without an upper end it is beyond the last bucket."""
    if bounds is None:
        return None
    low, high = bounds
    return {"low": number(low * 1000), "high": None if high is None else number(high * 1000)}


def _stream(stream: StreamView) -> dict[str, object]:
    ratio = error_ratio(stream.counts.bad, stream.counts.total)
    return {
        "slo": stream.slo,
        "service": stream.service,
        "route": stream.route,
        "kind": stream.kind,
        "objective": number(stream.objective),
        "window_seconds": seconds(stream.window),
        "counts": _counts(stream.counts),
        "totals": _counts(stream.totals),
        "error_ratio": number(ratio),
        "budget_remaining": number(stream.budget_left),
        "coverage": number(stream.coverage),
        "known": number(stream.known),
        "state": stream.state,
        "finding": without_userinfo(stream.finding) or None,
        "reason": _why_no_ratio(stream) if ratio is None else None,
        "tiers": [_tier(tier) for tier in stream.tiers],
        "uptime": None if stream.span is None else _uptime(stream.span),
    }


def _why_no_ratio(stream: StreamView) -> str:
    if stream.span is not None:
        return "it is measured as time: see uptime"
    return "nothing was measured in its window" if stream.coverage == 0 else "no event was counted in its window"


def _tier(tier: TierView) -> dict[str, object]:
    return {
        "name": tier.name,
        "severity": tier.severity,
        "factor": number(tier.factor),
        "long_seconds": seconds(tier.long),
        "short_seconds": seconds(tier.short),
        "burn_rate_low": number(tier.burn_low),
        "burn_rate_high": number(tier.burn_high),
        "firing": tier.firing,
    }


def _uptime(span: Span) -> dict[str, object]:
    account = Uptime(up_ms=span.up, down_ms=span.down, unknown_ms=span.unknown)
    return {
        "up_ms": span.up,
        "down_ms": span.down,
        "unknown_ms": span.unknown,
        "availability": number(account.availability),
        "lower_bound": number(account.lower_bound),
        "upper_bound": number(account.upper_bound),
        "coverage": number(account.coverage),
        "reason": None if account.availability is not None else "no probe was answered in this time",
    }


def _counts(counts: Counts) -> dict[str, int]:
    return {"bad": counts.bad, "total": counts.total}
