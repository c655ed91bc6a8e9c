"""The overview: what is broken, how far the migration is, which criteria hold, and every route."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, Final
from urllib.parse import urlencode

from markupsafe import Markup

from figwatch_agent.durations import DAY, HOUR, MINUTE, Duration, Instant
from figwatch_agent.model.history import Axis, Shares
from figwatch_agent.model.names import Stage
from figwatch_agent.report.charts import Line, lines
from figwatch_agent.report.words import percent, quantity, visible
from figwatch_agent.web.pages_story import (
    Json,
    about,
    doing,
    incident_state,
    incident_word,
    mitigated,
    sentence,
    symptom,
)

VERDICTS: Final[Mapping[str, str]] = {"met": "ok", "missed": "bad", "inconclusive": "unknown"}

MOST_INCIDENTS: Final = 9
"""Open ones on the overview; of more, the list has a page of its own."""

MOST_CRITERIA: Final = 24
"""Criteria on the overview, so that it weighs less than 100 kB."""

_SIDES: Final = ("service", "legacy", "unknown")
_LENGTH, _HEIGHT = 96, 20
"""Of the small picture of a share, in its own units."""


def span_for(lived: Duration) -> str:
    """The span of model.history.SPANS that an agent's life fills best."""
    fitting = (("15m", 15 * MINUTE), ("1h", HOUR), ("6h", 6 * HOUR), ("3d", 3 * DAY))
    return next((name for name, span in fitting if lived <= span), "30d")


def overview_values(document: Json, shares: Shares, since: Instant) -> dict[str, Any]:
    """What the template needs beside the document itself; ``since``: when figwatch began to look."""
    criteria = [_criterion(one) for one in document["criteria"][:MOST_CRITERIA]]
    return {
        "incidents": [incident_card(one) for one in document["incidents"][:MOST_INCIDENTS]],
        "more_incidents": document["open"]["page"] + document["open"]["ticket"] - MOST_INCIDENTS,
        "progress": _progress(document, shares, since),
        "criteria": [one for one in criteria if one["measured"]],
        "unmeasured": [one for one in criteria if not one["measured"]],
        "more_criteria": sum(document["verdicts"].values()) - len(criteria),
        "routes": [_route(row, shares.axis, since) for row in document["routes"]],
        "filter": _filter(document["page"]),
    }


def incident_card(incident: Json) -> dict[str, Any]:
    """An incident in a list."""
    return {
        **incident,
        "about": about(incident),
        "mitigated": mitigated(incident),
        "state": incident_state(incident),
        "word": incident_word(incident),
        "symptom": sentence(symptom(incident["alerts"], over=not incident["open"])),
        "doing": sentence(doing(incident)),
    }


def _progress(document: Json, shares: Shares, since: Instant) -> dict[str, Any]:
    ratio, overall = document["legacy_ratio"], shares.overall
    axis = shares.axis.since(since)
    values = [_ratio(mine, all_of_it) for mine, all_of_it in zip(overall.legacy, overall.total, strict=True)]
    line = Line(name="share of legacy", css="legacy", values=values)
    return {
        "legacy": "unknown" if ratio is None else percent(float(ratio)),
        "why": "no request of a user was seen in the last hour" if ratio is None else "",
        "chart": Markup(lines("legacy-share", "Legacy's share of all requests", axis, (line,), "ratio")),  # noqa: S704
        "forecast": document["forecast"]["text"] if _foreseen(shares.axis) else "a forecast needs some days of counts",
        "over": _reach(shares.axis) if axis == shares.axis else "",
        "stages": [(stage.value, document["stages"][stage.value]) for stage in Stage],
        "verdicts": [(VERDICTS[verdict], verdict, number) for verdict, number in document["verdicts"].items()],
    }


def _ratio(part: int | None, whole: int | None) -> Fraction | None:
    return None if part is None or not whole else Fraction(part, whole)


def _reach(axis: Axis) -> str:
    length = axis.end - axis.start
    if length >= 2 * DAY:
        return f"{length // DAY} days"
    return f"{length // HOUR} h" if length > HOUR else f"{length // MINUTE} min"


def _criterion(criterion: Json) -> dict[str, Any]:
    unit, low, high = criterion["unit"], criterion["low"], criterion["high"]
    value = criterion["value"]
    bounds = ""
    if low != high and (low is not None or high is not None):
        least = "" if low is None else f"at least {quantity(low, unit)}"
        most = "" if high is None else f"at most {quantity(high, unit)}"
        bounds = ", ".join(filter(None, (least, most)))
    return {
        **criterion,
        "state": VERDICTS[criterion["verdict"]],
        "figure": quantity(value, unit),
        "measured": value is not None,
        "bounds": bounds,
        "evidence": "; ".join(filter(None, (criterion["reason"], criterion["evidence"]))),
    }


def _foreseen(axis: Axis) -> bool:
    """Whether a forecast is worth saying: minutes tell nothing of the weeks that a migration takes."""
    return axis.step >= HOUR


def _route(row: Json, axis: Axis, since: Instant) -> dict[str, Any]:
    lately = row["lately"]
    total = sum(lately.get(side, 0) for side in _SIDES)
    state, word = _route_state(row)
    budget = row["budget"]
    return {
        **row,
        "parts": [(side, lately.get(side, 0)) for side in _SIDES],
        "total": total,
        "served": _served(row, total),
        "spark": share_path((row["share"] or ())[-axis.since(since).slots :]),
        "share_now": "no requests" if row["legacy_ratio"] is None else percent(float(row["legacy_ratio"])),
        "zero": _zero(row) if _foreseen(axis) else "",
        "state": state,
        "word": word,
        "budget_state": "unknown" if budget is None else "ok" if budget["remaining"] > 0 else "bad",
        "p95": {side["side"]: side["p95_ms"] for side in row["sides"]},
    }


def share_path(points: Sequence[Json | None]) -> str:
    """The path of legacy's share over time, all of it being the top; what was not measured is a gap.

    Whole numbers suffice for a picture of twenty steps, and cost a page of routes next to nothing.
    """
    step = _LENGTH / max(len(points) - 1, 1)
    parts, pen = [], "M"
    for place, point in enumerate(points):
        if point is None or not point["total"]:
            pen = "M"
            continue
        height = _HEIGHT + 2 - _HEIGHT * point["legacy"] // point["total"]
        alone = pen == "M" and (place + 1 == len(points) or not points[place + 1])
        parts.append(f"{pen}{place * step:.0f} {height}{'h0' if alone else ''}")
        pen = "L"
    return "".join(parts)


def _served(row: Json, total: int) -> list[tuple[str, str]]:
    """(side, share) of those who answered in the last five minutes."""
    if row["served_by"] == "unknown" or not total:
        return []
    return [(side, percent(row["lately"][side] / total)) for side in _SIDES if row["lately"].get(side)]


def _zero(row: Json) -> str:
    """When legacy will serve nothing, in a few words."""
    forecast = row["forecast"]
    return f"zero on {forecast['zero_at'][:10]}" if forecast is not None and forecast["zero_at"] else ""


def _route_state(row: Json) -> tuple[str, str]:
    incidents = [incident_card(one) for one in row["incidents"]]
    if incidents:
        worst = min(incidents, key=lambda one: ("bad", "warn", "ok").index(one["state"]))
        return worst["state"], worst["word"]
    if row["findings"]:
        return "unknown", "not measured"
    if row["budget"] is not None and row["budget"]["remaining"] <= 0:
        return "warn", "budget spent"
    if row["served_by"] == "unknown":
        return "unknown", "not measured"
    return ("unknown", "no traffic") if row["served_by"] == "nobody" else ("ok", "keeps promises")


def _filter(page: Json) -> dict[str, Any]:
    """The form above the table, and where its neighbours are."""

    def link(number: int) -> str:
        asked = {"query": page["query"], "stage": page["stage"] or "", "page": str(number) if number > 1 else ""}
        return "?" + urlencode({name: value for name, value in asked.items() if value}) if any(asked.values()) else "/"

    number, pages = page["number"], page["pages"]
    return {
        **page,
        "query": visible(page["query"]),
        "stages": [stage.value for stage in Stage],
        "previous": link(number - 1) if number > 1 else None,
        "next": link(number + 1) if number < pages else None,
        "filtered": bool(page["query"] or page["stage"]),
    }


def worst_first(states: Sequence[str]) -> str:
    """The worst of some states."""
    return min(states, key=("bad", "warn", "unknown", "ok").index, default="ok")
