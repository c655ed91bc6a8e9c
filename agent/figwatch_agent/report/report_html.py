"""The report as one HTML file that needs nothing else: styles and charts are in it."""

from collections.abc import Mapping
from fractions import Fraction
from functools import cache
from typing import Any, Final

import jinja2
from markupsafe import Markup

from figwatch_agent.durations import SECOND, parse_instant
from figwatch_agent.model.history import Axis
from figwatch_agent.report.charts import Line, Marker, Phase, Value, burn_down, lines, timeline
from figwatch_agent.report.lines_of_text import evidence_of, rests_on, sections, value_of, verdict_line
from figwatch_agent.report.words import visible

Json = Mapping[str, Any]

MOST_CHARTS: Final = 24
"""Budgets that are drawn; of more, the tables tell."""

MOST_PHASES: Final = 12


def report_html(document: Json) -> str:
    """The whole page. Everything that others wrote is escaped."""
    return _template().render(
        document=document,
        verdicts=verdict_line(document),
        criteria=[_criterion(each) for each in document["criteria"]],
        sections=sections(document),
        charts=_charts(document),
    )


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("figwatch_agent.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters["visible"] = visible
    return environment.get_template("report.html")


def _criterion(criterion: Json) -> dict[str, Any]:
    return {
        "name": criterion["name"],
        "target": criterion["target"],
        "verdict": criterion["verdict"],
        "value": value_of(criterion),
        "evidence": evidence_of(criterion),
        "rests_on": rests_on(criterion),
    }


def _charts(document: Json) -> dict[str, list[tuple[str, Markup]]]:
    """Pictures by the title of their section."""
    found = {
        "Legacy": [_share(document)],
        "Error budgets": _burns(document),
        "Incidents": _incidents(document),
    }
    return {
        title: [(caption, Markup(picture)) for caption, picture in pictures]  # noqa: S704 (charts escape what they are given)
        for title, pictures in found.items()
    }


def _share(document: Json) -> tuple[str, str]:
    legacy = document["legacy"]
    axis = _since(_axis(legacy["axis"]), document)
    values = [_ratio(point) for point in legacy["share"]][-axis.slots :] if axis.slots else []
    line = Line(name="legacy", css="legacy", values=values)
    markers = [
        Marker(at=parse_instant(each["at"]), kind="deployment", label=f"deployed {each['fields'].get('version', '')}")
        for each in document["deployments"]["newest"]
        if each["fields"].get("status") != "failure"
    ]
    return "Legacy's share of all requests", lines("share", "Legacy's share", axis, (line,), "ratio", markers=markers)


def _burns(document: Json) -> list[tuple[str, str]]:
    drawn = [each for each in document["budgets"] if each["history"] is not None][:MOST_CHARTS]
    found = []
    for place, each in enumerate(drawn):
        axis = _since(_axis(each["history"]["axis"]), document)
        left: list[Value] = [None if one is None else Fraction(str(one)) for one in each["history"]["left"]]
        name = f"{visible(each['slo'])} on {visible(each['route'])}"
        found.append((name, burn_down(f"budget-{place}", f"Budget left, {name}", axis, left[-axis.slots :])))
    return found


def _incidents(document: Json) -> list[tuple[str, str]]:
    newest = document["incidents"][:MOST_PHASES]
    if not newest:
        return []
    phases = [
        Phase(
            name=visible(each["route"]) or "figwatch itself",
            start=parse_instant(each["impact_start"]),
            end=_instant(each["mitigated_at"] or each["resolved_at"]),
        )
        for each in newest
    ]
    return [
        ("Impact of the newest incidents", timeline("incidents", "Incidents", phases, parse_instant(document["at"])))
    ]


def _since(axis: Axis, document: Json) -> Axis:
    """Charts begin when figwatch did."""
    return axis.since(parse_instant(document["started_at"])) if axis.slots else axis


def _axis(axis: Json) -> Axis:
    return Axis(
        start=parse_instant(axis["start"]),
        step=round(axis["step_seconds"] * SECOND),
        slots=axis["slots"],
        until=parse_instant(axis["until"]),
    )


def _ratio(point: Json | None) -> Value:
    return Fraction(point["legacy"], point["total"]) if point is not None and point["total"] else None


def _instant(text: str | None) -> int | None:
    return None if text is None else parse_instant(text)
