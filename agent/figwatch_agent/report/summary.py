"""Status and overview as tables of plain texts. Everything is said in words; whoever draws them may add colour."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

from figwatch_agent.durations import SECOND, format_duration
from figwatch_agent.model.tier import EARLY
from figwatch_agent.report.spark import BLOCKS, spark
from figwatch_agent.report.words import NOTHING, bounds, budget, percent, quantity, visible

Json = Mapping[str, Any]
"""A part of the status document; its form is that of report.status."""

SPARK: Final = 16
"""Characters of a sparkline."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table; ``empty`` is said where it has no rows."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    empty: str


def tables(document: Json, overview: Json, heights: str = BLOCKS) -> tuple[Table, ...]:
    """What to look at, most urgent first: of the status document, and of one page of the overview.

    ``heights`` are the characters of sparklines, lowest first.
    """
    return (
        incidents_table(document["incidents"]),
        routes_table(overview, heights),
        slos_table(document["slos"]),
        criteria_table(document["criteria"]),
    )


def headline(document: Json, forecast: Json) -> str:
    """Which migration, in which mode, how well figwatch itself is; then how far legacy is from serving nothing.

    What one should know before reading on follows, a line each: silences, scrape targets that are down.
    """
    agent = document["agent"]
    ill = [name for name, well in agent["healthy"].items() if not well]
    down = [target["target"] for target in agent["targets"] if not target["up"]]
    first = [
        f"{visible(document['migration'])} at {document['at']}",
        f"rollback mode {document['mode']}",
        "agent healthy" if not ill else f"agent NOT healthy: {', '.join(ill)}",
    ]
    lines = [" · ".join(first), _legacy(document["legacy_ratio"], forecast)]
    lines += [f"Silenced until {each['until']}: {visible(each['subject'])}" for each in document["silences"]]
    lines += [f"Scrape target down: {visible(target)}" for target in down]
    return "\n".join(lines)


def _legacy(ratio: str | None, forecast: Json) -> str:
    if ratio is None:
        return "Legacy: its share is unknown, no request was counted in the last hour"
    served = f"Legacy: serves {percent(float(ratio))} of all requests"
    return f"{served}, {forecast['text']}" if forecast["zero_at"] else f"{served}; no forecast, {forecast['text']}"


def incidents_table(incidents: Sequence[Json]) -> Table:
    """Open ones first, as the document has them."""
    return Table(
        title="Incidents",
        columns=("id", "state", "severity", "about", "alerts", "impact since", "decision", "rollback"),
        rows=tuple(_incident(incident) for incident in incidents),
        empty="No incident, open or closed.",
    )


def routes_table(overview: Json, heights: str = BLOCKS) -> Table:
    """Who serves what, how that changed, and how much of the budget is left; worst first."""
    page, rows = overview["page"], overview["routes"]
    part = f"{len(rows)} of {page['matching']}, page {page['number']} of {page['pages']}"
    more = "" if page["pages"] == 1 else f" ({part})"
    return Table(
        title=f"Routes, worst first{more}",
        columns=(
            "route",
            "stage",
            "served by",
            f"legacy over {_over(overview['axis'])}",
            "p95 service",
            "p95 legacy",
            "budget left",
            "burn",
            "rollback",
        ),
        rows=tuple(_route(route, heights) for route in rows),
        empty="No route is declared in slo/." if not page["all"] else "No route is like that.",
    )


def slos_table(slos: Sequence[Json]) -> Table:
    """What is promised, and what is left of it."""
    return Table(
        title="SLOs",
        columns=("slo", "route", "objective", "bad / total", "budget left", "coverage", "state", "firing"),
        rows=tuple(_slo(slo) for slo in slos),
        empty="No SLO is declared in slo/.",
    )


def criteria_table(criteria: Sequence[Json]) -> Table:
    """Met, missed, or why that cannot be said."""
    return Table(
        title="Success criteria",
        columns=("criterion", "target", "verdict", "value", "bounds", "over", "evidence"),
        rows=tuple(_criterion(criterion) for criterion in criteria),
        empty="No criterion is declared in slo/.",
    )


def _incident(incident: Json) -> tuple[str, ...]:
    state = "OPEN" if incident["open"] else "resolved"
    if incident["open"] and incident["acknowledged_by"]:
        state = f"OPEN, {visible(incident['acknowledged_by'])} is on it"
    elif incident["open"] and incident["mitigated_at"]:
        state = "OPEN, impact over"
    about = incident["route"] or "figwatch itself"
    return (
        visible(incident["id"]),
        state,
        incident["severity"],
        visible(about),
        ", ".join(_firing(incident["alerts"])) or NOTHING,
        incident["impact_start"],
        decision_in_words(incident["decision"]),
        _rollback(incident["rollback"]),
    )


def _firing(alerts: Iterable[Json]) -> list[str]:
    """Names without repetition, those that still fire first."""
    ordered = sorted(alerts, key=lambda alert: alert["resolved_at"] is not None)
    return list(dict.fromkeys(alert["name"] for alert in ordered))


def decision_in_words(decision: Json | None) -> str:
    """The outcome, with its reason where that says more."""
    if decision is None:
        return NOTHING
    outcome, reason = decision["outcome"], decision["reason"]
    return outcome if reason == outcome else f"{outcome} ({reason})"


def _rollback(run: Json | None) -> str:
    return NOTHING if run is None else f"{run['state']}, {run['verdict']}"


def _route(route: Json, heights: str) -> tuple[str, ...]:
    sides = {side["side"]: side for side in route["sides"]}
    return (
        visible(route["route"]),
        route["stage"],
        route["served_by"],
        _share(route, heights),
        bounds(sides.get("service", {}).get("p95_ms"), "ms"),
        bounds(sides.get("legacy", {}).get("p95_ms"), "ms"),
        "no events" if route["budget"] is None else budget(route["budget"]["remaining"], "x"),
        _burn(route["burn"]),
        "no plan" if route["plan"] is None else "armed" if route["armed"] else "latched",
    )


def _share(route: Json, heights: str) -> str:
    """Legacy's share over time and now."""
    ratio = route["legacy_ratio"]
    now = "no requests" if ratio is None else percent(float(ratio))
    points = [
        None if point is None or not point["total"] else Fraction(point["legacy"], point["total"])
        for point in route["share"] or ()
    ]
    return f"{spark(points, SPARK, heights)} {now}".lstrip()


def _burn(burn: Json | None) -> str:
    """Of the tier that is nearest to its factor, at its highest where the windows leave a range."""
    if burn is None:
        return NOTHING
    if burn["tier"].startswith(EARLY):
        return f"{_times(burn['high'])}, {burn['tier']} {'FIRES' if burn['firing'] else 'quiet'}"
    fires = " FIRES" if burn["firing"] else ""
    return f"{_times(burn['high'])} of {_times(burn['factor'])}{fires}"


def _times(rate: float | None) -> str:
    """A burn rate; what is not zero never reads 0x."""
    if rate is None:
        return "?"
    if 0 < rate < 0.1:
        return "< 0.1x"
    return f"{rate:.1f}x" if rate < 100 else f"{rate:.0f}x"


def _over(axis: Json) -> str:
    return format_duration(axis["slots"] * axis["step_seconds"] * SECOND)


def _slo(slo: Json) -> tuple[str, ...]:
    counts, uptime = slo["counts"], slo["uptime"]
    events = f"{counts['bad']} / {counts['total']}" if uptime is None else f"up {percent(uptime['availability'])}"
    spent = slo["budget_remaining"] is not None and slo["budget_remaining"] <= 0
    calm = "budget spent" if spent and slo["state"] == "ok" else slo["state"]
    state = calm if not slo["finding"] else f"{slo['state']}: {visible(slo['finding'])}"
    return (
        visible(slo["slo"]),
        visible(slo["route"]) or NOTHING,
        percent(slo["objective"]),
        events,
        budget(slo["budget_remaining"], "x") if slo["budget_remaining"] is not None else "no events",
        percent(slo["coverage"]),
        state,
        ", ".join(f"{tier['name']} {tier['severity']}" for tier in slo["tiers"] if tier["firing"]) or NOTHING,
    )


def _criterion(criterion: Json) -> tuple[str, ...]:
    unit = criterion["unit"]
    found = None
    if criterion["low"] is not None or criterion["high"] is not None:
        found = {"low": criterion["low"], "high": criterion["high"]}
    return (
        visible(criterion["name"]),
        visible(criterion["target"]),
        criterion["verdict"],
        quantity(criterion["value"], unit),
        bounds(found, unit),
        criterion["over"],
        visible("; ".join(text for text in (criterion["reason"], criterion["evidence"]) if text)),
    )
