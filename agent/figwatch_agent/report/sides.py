"""Routes as JSON: who serves them, and how each side does."""

from collections.abc import Iterable
from typing import Final

from figwatch_agent.evaluate.legacy_ratio import Requests
from figwatch_agent.model.history import Bounds
from figwatch_agent.model.view import RouteView, SideView
from figwatch_agent.report.numbers import number, seconds, text

_NOT_USERS: Final = frozenset({"shadow"})
"""Sides whose answers no user sees; they are in no ratio."""


def users(requests: Iterable[tuple[str, int]]) -> Requests:
    """Requests whose answers users saw, by side: legacy's, and all of them."""
    by_side = dict(requests)
    total = sum(count for side, count in by_side.items() if side not in _NOT_USERS)
    return Requests(legacy=by_side.get("legacy", 0), total=total)


def route_row(route: RouteView) -> dict[str, object]:
    """One route: who serves it, and how well each side does."""
    ratio = users(route.requests).legacy_ratio
    return {
        "route": route.route,
        "service": route.service,
        "stage": route.stage.value,
        "plan": route.plan,
        "armed": route.armed,
        "served_by": served_by(route),
        "lately": dict(route.lately),
        "requests": dict(route.requests),
        "legacy_ratio": text(ratio),
        "reason": "no request of a user was seen in the last hour" if ratio is None else None,
        "sides": [_side(side) for side in route.sides],
    }


def served_by(route: RouteView) -> str:
    """Who answered users in the last five minutes: service, legacy, both, nobody, or unknown where nothing is seen."""
    if not route.known:
        return "unknown"
    sides = [side for side, count in route.lately if count and side in ("service", "legacy")]
    return "both" if len(sides) == 2 else sides[0] if sides else "nobody"


def _side(side: SideView) -> dict[str, object]:
    return {
        "side": side.side,
        "over_seconds": seconds(side.over),
        "requests": side.requests,
        "failed": side.failed,
        "p50_ms": milliseconds(side.p50),
        "p95_ms": milliseconds(side.p95),
        "p99_ms": milliseconds(side.p99),
    }


def milliseconds(bounds: Bounds | None) -> dict[str, object] | None:
    """A quantile lies between these; without an upper end it is beyond the last bucket."""
    if bounds is None:
        return None
    low, high = bounds
    return {"low": number(low * 1000), "high": None if high is None else number(high * 1000)}
