"""One route: service beside legacy on the same axes, its tiers, and what is left of its budgets."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, Final

from markupsafe import Markup

from figwatch_agent.durations import SECOND, Instant, format_duration, parse_instant
from figwatch_agent.model.history import Axis, BudgetHistory, RouteHistory, SideHistory
from figwatch_agent.report.charts import Line, Marker, Threshold, Value, burn_down, lines
from figwatch_agent.report.route import budget_left
from figwatch_agent.report.words import length, percent
from figwatch_agent.web.pages_overview import incident_card
from figwatch_agent.web.pages_story import Headline, Json

_SIDES: Final = ("service", "legacy", "unknown")


def route_values(document: Json, history: RouteHistory, since: Instant) -> dict[str, Any]:
    """What the template needs beside the document itself; ``since``: when figwatch began to look."""
    route = document["route"]
    markers = [_marker(each) for each in document["markers"]]
    budgets = {budget.slo: budget for budget in history.budgets}
    lately = route["lately"]
    total = sum(lately.get(side, 0) for side in _SIDES)
    incidents = [incident_card(one) for one in document["incidents"]]
    return {
        "route": route,
        "headline": _headline(document, incidents),
        "incidents": incidents,
        "parts": [(side, lately.get(side, 0)) for side in _SIDES],
        "total": total,
        "served": [(side, percent(lately[side] / total)) for side in _SIDES if total and lately.get(side)],
        "charts": _charts(history, history.axis.since(since), markers, document["slos"]),
        "slos": [_slo(place, slo, budgets, markers, since) for place, slo in enumerate(document["slos"])],
        "markers": list(reversed(document["markers"])),
        "covered": _covered(history, history.axis.since(since)),
    }


def _headline(document: Json, incidents: Sequence[Json]) -> Headline:
    route = document["route"]
    opened = [one for one in incidents if one["open"]]
    firing = [tier for slo in document["slos"] for tier in slo["tiers"] if tier["firing"]]
    spent = [slo for slo in document["slos"] if slo["budget_remaining"] is not None and slo["budget_remaining"] <= 0]
    blind = [slo for slo in document["slos"] if slo["state"] == "unknown"]
    state, more = "ok", "it keeps its promises"
    if opened:
        state, more = opened[0]["state"], f"{opened[0]['symptom']} {opened[0]['doing']}".strip()
    elif firing:
        state, more = "warn", "its error budget burns too fast"
    elif spent:
        state, more = "warn", f"it has spent the error budget of {' and '.join(slo['slo'] for slo in spent)}"
    elif blind:
        state, more = "unknown", f"not wholly measured: {blind[0]['finding'] or blind[0]['reason'] or 'no data'}"
    elif route["served_by"] in ("nobody", "unknown"):
        state, more = "unknown", "no request in the last five minutes"
    more = more[:1].upper() + more[1:] + ("" if more.endswith(".") else ".")
    return Headline(state=state, sentence=route["route"], more=more, title=f"{route['route']} · figwatch")


def _charts(
    history: RouteHistory, axis: Axis, markers: Sequence[Marker], slos: Sequence[Json]
) -> list[tuple[str, Markup]]:
    sides = history.sides
    promised = [Fraction(str(slo["objective"])) for slo in slos if slo["kind"] == "availability"]
    allowed = [Threshold(value=1 - each, label="promised") for each in promised[:1]]
    errors = [Line(name=side.side, css=side.side, values=_errors(side)) for side in sides]
    slow = [Line(name=side.side, css=side.side, values=_lows(side), highs=_highs(side)) for side in sides]
    traffic = [Line(name=side.side, css=side.side, values=side.requests) for side in sides]
    step = length(axis.step)
    drawn = (
        (
            "Share of requests that failed",
            lines(
                "errors",
                "Failed requests, service beside legacy",
                axis,
                errors,
                "ratio",
                thresholds=allowed,
                markers=markers,
            ),
        ),
        (
            "95th percentile of the time to answer: it lies within the band",
            lines("p95", "P95, service beside legacy", axis, slow, "ms", markers=markers),
        ),
        (
            f"Requests in {step}",
            lines("traffic", f"Requests in {step}, service beside legacy", axis, traffic, "requests", markers=markers),
        ),
    )
    return [(caption, Markup(chart)) for caption, chart in drawn]  # noqa: S704 (charts escape what they are given)


def _errors(side: SideHistory) -> list[Value]:
    return [
        None if failed is None or not judged else Fraction(failed, judged)
        for failed, judged in zip(side.failed, side.judged, strict=True)
    ]


def _lows(side: SideHistory) -> list[Value]:
    return [None if bounds is None else bounds[0] * SECOND for bounds in side.p95]


def _highs(side: SideHistory) -> list[Value]:
    return [None if bounds is None or bounds[1] is None else bounds[1] * SECOND for bounds in side.p95]


def _slo(
    place: int, slo: Json, budgets: Mapping[str, BudgetHistory], markers: Sequence[Marker], since: Instant
) -> dict[str, Any]:
    budget = budgets.get(slo["slo"])
    chart = ""
    if budget is not None:
        title = f"Error budget of {slo['slo']} that is left"
        chart = burn_down(f"budget-{place}", title, budget.axis.since(since), budget_left(budget), markers=markers)
    left = slo["budget_remaining"]
    return {
        **slo,
        "chart": Markup(chart),  # noqa: S704
        "tone": "unknown" if left is None else "ok" if left > 0 else "bad",
        "window": length(round(slo["window_seconds"] * SECOND)),
        "excluded_for": length(round(slo["excluded_seconds"] * SECOND)),
        "tiers": [_tier(tier) for tier in slo["tiers"]],
    }


def _tier(tier: Json) -> dict[str, Any]:
    high = tier["burn_rate_high"]
    tone, word = ("bad" if tier["severity"] == "page" else "warn", "fires") if tier["firing"] else ("ok", "quiet")
    if high is None:
        tone, word = "unknown", "unknown"
    return {
        **tier,
        "tone": tone,
        "word": word,
        "long": format_duration(round(tier["long_seconds"] * SECOND)),
        "short": format_duration(round(tier["short_seconds"] * SECOND)) if tier["short_seconds"] else "",
        "near": None if high is None else high / tier["factor"],
    }


def _marker(marker: Json) -> Marker:
    return Marker(at=parse_instant(marker["at"]), kind=marker["kind"], label=marker["label"])


def _covered(history: RouteHistory, axis: Axis) -> str:
    lasted = axis.until - axis.start
    return percent(min(sum(history.covered[-axis.slots :]) / lasted, 1)) if lasted > 0 else "nothing"
