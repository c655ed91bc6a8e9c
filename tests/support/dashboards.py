"""The committed dashboards as values: panels, queries, and the series that a query asks for."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import promql_parser

from figwatch import contract
from figwatch_agent.generate.dashboards.business import REFERENCE
from figwatch_agent.report.series import FAMILIES
from figwatch_agent.telemetry import Telemetry
from support.generate import committed, rules_of
from support.parts import ROOT

Json = dict[str, Any]

FOLDER: Final = ROOT / "dashboards"
VARIABLES: Final = {
    "$__rate_interval": "1m",
    "$service": ".*",
    "$route": ".*",
    "$slo": ".*",
    "$chosen_route": ".*",
    "$job": ".*",
}
"""As Grafana fills them in where everything is chosen and Prometheus scrapes every fifteen seconds."""


def boards() -> dict[str, Json]:
    """Uid -> committed dashboard."""
    found = [json.loads(file.read_text("utf-8")) for file in sorted(FOLDER.glob("*.json"))]
    return {board["uid"]: board for board in found}


def panels(board: Json) -> list[Json]:
    """What draws; rows are headlines."""
    return [panel for panel in board["panels"] if panel["type"] != "row"]


def chosen(*values: str) -> str:
    """What Grafana makes of choices in a query of Prometheus: none of their characters means anything there."""
    escaped = [re.sub(r"[$^*{}\[\]'+?.()|]", r"\\\\\g<0>", value.replace("\\", "\\" * 4)) for value in values]
    return escaped[0] if len(escaped) == 1 else f"({'|'.join(escaped)})"


def filled(expr: str, choices: Mapping[str, str] = VARIABLES) -> str:
    """The query as Grafana would send it."""
    for name, value in {**VARIABLES, **choices}.items():
        expr = expr.replace(name, value)
    return expr


def variable_query(board: Json, name: str) -> str:
    """What a choice asks for, as PromQL whose answers carry its label."""
    (variable,) = [each for each in board["templating"]["list"] if each["name"] == name]
    found = re.fullmatch(r"label_values\((.+), (\w+)\)", str(variable["query"]))
    assert found
    return f"group by ({found[2]}) ({found[1]})"


def legends() -> Iterator[tuple[str, str, set[str]]]:
    """(where, query, labels that its legend names) of every panel."""
    for uid, board in boards().items():
        for panel in panels(board):
            for target in panel["targets"]:
                named = set(re.findall(r"\{\{(\w+)\}\}", target.get("legendFormat", "")))
                yield f"{uid}: {panel['title']} {target['refId']}", filled(target["expr"]), named


def queries(*, of_the_end: bool | None = None) -> Iterator[tuple[str, str]]:
    """(where, query) of every panel, annotation and variable; ``of_the_end``: only those for a value at one instant."""
    for uid, board in boards().items():
        for panel in panels(board):
            for target in panel["targets"]:
                if of_the_end in (None, target["instant"]):
                    yield f"{uid}: {panel['title']} {target['refId']}", filled(target["expr"])
        for annotation in board["annotations"].get("list", []) if not of_the_end else ():
            yield f"{uid}: {annotation['name']}", filled(annotation["expr"])
        if of_the_end is False:
            continue
        for variable in board["templating"]["list"]:
            if variable["type"] == "query":
                yield f"{uid}: ${variable['name']}", filled(variable_query(board, variable["name"]))


def selectors(tree: Any) -> Iterator[Any]:
    """Every vector selector of a parsed query."""
    if isinstance(tree, promql_parser.VectorSelector):
        yield tree
    for name in ("lhs", "rhs", "expr", "param", "args", "vector_selector"):
        inner = getattr(tree, name, None)
        for each in inner if isinstance(inner, (list, tuple)) else [inner]:
            if isinstance(each, promql_parser.Expr) or each.__class__.__module__ == "promql_parser":
                yield from selectors(each)


def asked(expr: str) -> set[str]:
    """Names of the series that a query asks for; one that is a pattern stands as the pattern."""
    names = set()
    for selector in selectors(promql_parser.parse(expr)):
        patterns = [each.value for each in selector.matchers.matchers if each.name == "__name__"]
        names |= {selector.name} if selector.name else set(patterns)
    return names


def known_series() -> set[str]:
    """Every series that figwatch, its rules, Prometheus or the reference migration's own code gives."""
    histograms = {name for name in (*contract.SERIES, *REFERENCE) if not name.endswith("_total")}
    names = {*contract.SERIES, *REFERENCE, *FAMILIES, "ALERTS", "up"}
    names |= {f"{name}_{part}" for name in histograms for part in ("bucket", "count", "sum")}
    names |= set(re.findall(r"^# TYPE (\w+) (?:counter|gauge)$", Telemetry().render().decode(), re.MULTILINE))
    names |= {f"figwatch_agent_tick_seconds_{part}" for part in ("bucket", "count", "sum")}
    for text in committed("agent/*.rules.yml").values():
        names |= {rule["record"] for rule in rules_of(text) if "record" in rule}
    return names
