"""Figures of the report in the words that Markdown and HTML share."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from figwatch_agent.durations import SECOND, format_duration, format_seconds
from figwatch_agent.model.event import BROUGHT
from figwatch_agent.model.names import Measure
from figwatch_agent.report.summary import decision_in_words
from figwatch_agent.report.words import NOTHING, bounds, budget, percent, quantity, visible

Json = Mapping[str, Any]

_TOLD: Final = frozenset((Measure.DEPLOYMENT_FREQUENCY.value, *(kind.value for kind in BROUGHT)))
"""Measures that count events of which none is bad."""

STAGES: Final = ("detected", "paged", "acknowledged", "mitigated", "resolved")


def verdict_line(document: Json) -> str:
    """How many of each."""
    counts = document["verdicts"]
    return f"{counts['met']} met, {counts['missed']} missed, {counts['inconclusive']} inconclusive"


def value_of(criterion: Json) -> str:
    """The figure with its bounds, where they say more."""
    unit, low, high = criterion["unit"], criterion["low"], criterion["high"]
    value = quantity(criterion["value"], unit)
    if (low is None and high is None) or low == high:
        return value
    return f"{value} ({bounds({'low': low, 'high': high}, unit)})"


def evidence_of(criterion: Json) -> str:
    """Why it is inconclusive, and what was counted."""
    return visible("; ".join(text for text in (criterion["reason"], criterion["evidence"]) if text))


def rests_on(criterion: Json) -> list[tuple[str, str]]:
    """(what, said) of everything a verdict rests on."""
    window, recorded = criterion["window"], criterion["recorded"]
    said = [("Counted", criterion["query"] or NOTHING)]
    if window["start"] and window["end"]:
        said.append(("Window", f"{window['start']} to {window['end']} ({criterion['over']})"))
    if criterion["counts"] is not None:
        bad, total = criterion["counts"]["bad"], criterion["counts"]["total"]
        said.append(("Counts", f"{total}" if criterion["measure"] in _TOLD else f"{bad} of {total}"))
    if criterion["coverage"] is not None:
        said.append(("Coverage", percent(criterion["coverage"])))
    if recorded is not None:
        said.append(("Baseline", _recorded(recorded)))
    if criterion["by"]:
        said.append(("By", criterion["by"]))
    # Every stage of incidents has a table of its own below.
    shown = [each for each in criterion["figures"] if criterion["measure"] != Measure.MTTR or _decides(each)]
    said += [(visible(figure["name"]).replace("_", " "), _figure(figure)) for figure in shown]
    return [(what, visible(text)) for what, text in said]


def _decides(figure: Json) -> bool:
    return str(figure["name"]).startswith("mitigated ")


def _recorded(recorded: Json) -> str:
    count = "" if recorded["count"] is None else f", {recorded['count']} events"
    window = f", {recorded['start']} to {recorded['end']}" if recorded["start"] else ""
    told = f"recorded {recorded['recorded_at']} by {recorded['actor']}"
    return f"{quantity(recorded['value'], recorded['unit'])}{count}{window}, {told}"


def _figure(figure: Json) -> str:
    unit, low, high = figure["unit"], figure["low"], figure["high"]
    said = quantity(figure["value"], unit)
    if (low is not None or high is not None) and not low == high == figure["value"]:
        said += f" ({bounds({'low': low, 'high': high}, unit)})"
    if figure["coverage"] is not None:
        said += f", coverage {percent(figure['coverage'])}"
    return f"{said}; {figure['note']}" if figure["note"] else said


def legacy_line(document: Json) -> str:
    """How far legacy is from serving nothing."""
    legacy = document["legacy"]
    ratio = legacy["ratio_last_hour"]
    served = (
        "no request was counted in the last hour"
        if ratio is None
        else (f"legacy served {percent(float(ratio))} of all requests of the last hour")
    )
    return f"{served}; {legacy['forecast']['text']}"


def legacy_rows(document: Json) -> list[tuple[str, ...]]:
    """Route, stage, legacy of all, forecast."""
    return [
        (
            visible(each["route"]),
            each["stage"] or NOTHING,
            f"{each['legacy']} of {each['total']}",
            percent(each["legacy"] / each["total"]) if each["total"] else "no requests",
            each["forecast"]["text"],
        )
        for each in document["legacy"]["routes"]
    ]


def budget_rows(document: Json) -> list[tuple[str, ...]]:
    """SLO, route, objective, counts, budget left, coverage, state."""
    return [_budget_row(each) for each in document["budgets"]]


def _budget_row(each: Json) -> tuple[str, ...]:
    counts, uptime, left = each["counts"], each["uptime"], each["budget_remaining"]
    counted = f"{counts['bad']} of {counts['total']} bad"
    return (
        visible(each["slo"]),
        visible(each["route"]) or NOTHING,
        percent(each["objective"]),
        format_duration(round(each["window_seconds"] * SECOND)),
        counted if uptime is None else f"up {percent(uptime['availability'])}",
        "no events" if left is None else budget(left),
        percent(each["coverage"]),
        visible(each["finding"] or each["state"]),
    )


def recovery_rows(document: Json) -> list[tuple[str, ...]]:
    """Stage, mean, median, p90, worst, reached, open, skipped."""
    return [
        (
            f"until {each['stage']}",
            lasting(each["mean_seconds"]) if not each["open"] else _open_mean(each),
            lasting(each["median_seconds"]),
            lasting(each["p90_seconds"]),
            lasting(each["worst_seconds"]),
            str(each["count"]),
            str(each["open"]),
            str(each["skipped"]),
        )
        for each in document["recovery"]
    ]


def _open_mean(each: Json) -> str:
    """With open ones at their age the mean cannot be lower."""
    mean = "" if each["mean_seconds"] is None else f"{lasting(each['mean_seconds'])}, "
    return f"{mean}at least {lasting(each['mean_low_seconds'])}"


def lasting(length: float | None) -> str:
    """Seconds for people."""
    return NOTHING if length is None else format_seconds(round(length * SECOND))


def incident_rows(document: Json) -> list[tuple[str, ...]]:
    """Newest first: what, since when, every stage after it, what was done."""
    return [_incident_row(each) for each in document["incidents"]]


def _incident_row(each: Json) -> tuple[str, ...]:
    run = each["rollback"]
    return (
        visible(each["id"]),
        visible(each["route"]) or "figwatch itself",
        each["severity"],
        each["impact_start"],
        *(each[f"{stage}_at"] or ("open" if each["open"] else NOTHING) for stage in STAGES),
        decision_in_words(each["decision"]),
        NOTHING if run is None else f"{run['state']}, {run['verdict']}",
    )


def deployment_line(document: Json) -> str:
    """How many, by service."""
    told = document["deployments"]
    days = round(told["over_seconds"] / 86_400)
    services = ", ".join(f"{visible(name)} {count}" for name, count in told["services"].items())
    return (
        f"{told['succeeded']} succeeded and {told['failed']} failed in {days} days{': ' + services if services else ''}"
    )


def deployment_rows(document: Json, most: int = 50) -> list[tuple[str, ...]]:
    """The newest."""
    return [
        (
            each["at"],
            visible(each["fields"].get("service", "")),
            visible(each["fields"].get("version", "")) or NOTHING,
            each["fields"].get("status") or "success",
            visible(each["id"]),
        )
        for each in document["deployments"]["newest"][:most]
    ]


def exclusion_rows(document: Json) -> list[tuple[str, ...]]:
    """Id, what, counted from and to, state, who, why; newest first."""
    return [
        (
            visible(each["id"]),
            visible(f"{each['scope']} {each['name']}"),
            each["counted_from"],
            each["counted_to"] or "left open",
            each["state"],
            visible(each["who"]),
            visible(each["why"]),
        )
        for each in document["exclusions"]
    ]


def set_aside_rows(document: Json) -> list[tuple[str, ...]]:
    """SLO, route, and of its window what is left, what is set aside, and both together: all that was counted."""
    return [
        (
            visible(each["slo"]),
            visible(each["route"]) or NOTHING,
            _bad_of(each["counts"]),
            _bad_of(each["excluded"]),
            _bad_of({name: each["counts"][name] + each["excluded"][name] for name in ("bad", "total")}),
            lasting(each["excluded_seconds"]),
        )
        for each in document["budgets"]
        if each["excluded_seconds"] or each["excluded"]["total"] or each["excluded"]["bad"]
    ]


def _bad_of(counts: Json) -> str:
    return f"{counts['bad']} of {counts['total']} bad"


def deadline_rows(document: Json) -> list[tuple[str, ...]]:
    """Criterion, day, verdict now, whether the forecast is in time."""
    words = {True: "in time", False: "too late", None: "cannot be said"}
    return [
        (visible(each["criterion"]), each["by"], each["met"], words[each["in_time"]], each["text"])
        for each in document["deadlines"]
    ]


Section = tuple[str, str, tuple[str, ...], Sequence[tuple[str, ...]], str]
"""Title, a line, columns, rows, and what is said where there are none."""


def _set_aside(document: Json) -> Iterator[Section]:
    columns: tuple[str, ...] = ("Id", "What", "From", "To", "State", "Who", "Why")
    yield "Exclusions", "Set aside, with who and why.", columns, exclusion_rows(document), ""
    line = "Counted and set aside are all events, exactly; budgets and criteria are judged by what is counted."
    columns = ("SLO", "Route", "Counted", "Set aside", "All", "Time set aside")
    yield "What is set aside", line, columns, set_aside_rows(document), "Nothing in any window."


def sections(document: Json) -> list[Section]:
    """Everything below the criteria, in order."""
    found: list[Section] = [
        (
            "Legacy",
            legacy_line(document),
            ("Route", "Stage", "Legacy of all", "Share", "Forecast"),
            legacy_rows(document),
            "No route is declared.",
        ),
        (
            "Error budgets",
            "",
            ("SLO", "Route", "Objective", "Window", "Counted", "Budget left", "Coverage", "State"),
            budget_rows(document),
            "No SLO is declared.",
        ),
        (
            "Time to recover",
            "Of incidents that paged, from impact_start.",
            ("Stage", "Mean", "Median", "90th percentile", "Worst", "Reached", "Open", "Without it"),
            recovery_rows(document),
            "No incident paged.",
        ),
        (
            "Incidents",
            "",
            (
                "Id",
                "About",
                "Severity",
                "Impact since",
                *(stage.capitalize() for stage in STAGES),
                "Decision",
                "Rollback",
            ),
            incident_rows(document),
            "No incident.",
        ),
        (
            "Deployments",
            deployment_line(document),
            ("At", "Service", "Version", "Status", "Id"),
            deployment_rows(document),
            "No deployment was told of.",
        ),
    ]
    if document["deadlines"]:
        columns = ("Criterion", "By", "Now", "Forecast of zero", "Why")
        found.insert(1, ("Deadlines of legacy", "", columns, deadline_rows(document), ""))
    if document["exclusions"]:
        found += _set_aside(document)
    if document["findings"]:
        rows = [(visible(finding),) for finding in document["findings"]]
        found.append(("Findings", "Odd about the data.", ("Finding",), rows, ""))
    return found
