"""Pyrra: ``ServiceLevelObjective`` of pyrra.dev/v1alpha1."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any, Final

from figwatch_agent.durations import MINUTE, Duration
from figwatch_agent.files.document import Document, Path
from figwatch_agent.files.fields import FLAG, TEXT, word
from figwatch_agent.files.foreign.imported import Burn, ForeignSlo, Reading
from figwatch_agent.files.foreign.pieces import (
    ANYTHING,
    LABELS,
    METADATA,
    PERCENT,
    PROMQL_DURATION,
    QUERY,
    Query,
    members,
    query,
)
from figwatch_agent.files.foreign.ratio import Found, sli_of_counts
from figwatch_agent.files.foreign.window_template import over_window
from figwatch_agent.files.schema import exactly_one, may, need, read, record, scalar, wrong
from figwatch_agent.model.names import Severity

API: Final = "pyrra.dev/v1alpha1"
KIND: Final = "ServiceLevelObjective"
INDICATORS: Final = ("ratio", "latency", "latencyNative", "bool_gauge")
SERVICE_LABELS: Final = ("pyrra.dev/service", "service", "app.kubernetes.io/name", "app")
"""Where the name of the service may stand, best first."""

_OF_ALERTING: Final = {
    "name": "alerts here have names that their runbooks share",
    "absentName": "TelemetryLost and TrafficLost take its place",
    "absent": "TelemetryLost and TrafficLost take its place",
    "severities": "a tier is a page or a ticket",
    "burnRateType": "factors stay those of static burn rates, and evidence weighs the traffic",
}
_OF_SPEC: Final = {
    "partial_response_strategy": "a partial answer is unknown here",
    "performanceOverAccuracy": "long windows are kept by the agent itself",
}


WAITS: Final = "Pyrra's alerts also wait for half their short window; that is not carried over, here evidence decides"


def _counter(value: object) -> Query:
    import promql_parser

    found = query(value) if isinstance(value, str) else None
    if found is None or not isinstance(found.tree, promql_parser.VectorSelector):
        raise wrong("expected a selector", 'write a metric and labels only, such as requests_total{code=~"5.."}')
    return found


def _one_indicator(**given: Any) -> dict[str, Any]:
    exactly_one("an indicator", given, *INDICATORS)
    return given


_METRIC: Final = members({"metric": need(scalar(_counter, QUERY), "")})
_GROUPING: Final = may(ANYTHING, "")
_INDICATOR: Final = record(
    _one_indicator,
    {
        "ratio": may(members({"errors": need(_METRIC, ""), "total": need(_METRIC, ""), "grouping": _GROUPING}), ""),
        "latency": may(members({"success": need(_METRIC, ""), "total": need(_METRIC, ""), "grouping": _GROUPING}), ""),
        "latencyNative": may(
            members({"total": need(_METRIC, ""), "latency": need(PROMQL_DURATION, ""), "grouping": _GROUPING}), ""
        ),
        "bool_gauge": may(members({"metric": need(scalar(_counter, QUERY), ""), "grouping": _GROUPING}), ""),
    },
)
_ALERTING: Final = members(
    {
        "disabled": may(FLAG, ""),
        "burnrates": may(FLAG, ""),
        "absent": may(FLAG, ""),
        "name": may(TEXT, ""),
        "absentName": may(TEXT, ""),
        "severities": may(LABELS, ""),
        "burnRateType": may(word("static", "dynamic"), ""),
    }
)
_FILE: Final = members(
    {
        "apiVersion": need(word(API), ""),
        "kind": need(word(KIND), ""),
        "metadata": need(METADATA, ""),
        "spec": need(
            members(
                {
                    "description": may(TEXT, ""),
                    "target": need(PERCENT, ""),
                    "window": need(PROMQL_DURATION, ""),
                    "indicator": need(_INDICATOR, ""),
                    "alerting": may(_ALERTING, ""),
                    "partial_response_strategy": may(TEXT, ""),
                    "performanceOverAccuracy": may(FLAG, ""),
                }
            ),
            "",
        ),
        "status": may(ANYTHING, ""),
    }
)

_ROWS: Final = (
    # hours and minutes of Pyrra's table for 28 days: long, short, factor, severity
    (28 * 24, 28 * 24 * 12, 14, Severity.PAGE),
    (28 * 4, 28 * 24 * 2, 7, Severity.PAGE),
    (28, 28 * 12, 2, Severity.TICKET),
    (7, 28 * 4, 1, Severity.TICKET),
)
"""What the window is divided by for the long and the short window, and the factor (slo/rules.go, Windows)."""


def burns_of(window: Duration) -> tuple[Burn, ...]:
    """Pyrra's alerts for a window: those of 28 days in proportion, rounded to whole minutes, with the same factors."""
    return tuple(
        Burn(long=_rounded(window, long), short=_rounded(window, short), severity=severity, factor=Fraction(factor))
        for long, short, factor, severity in _ROWS
    )


def _rounded(window: Duration, parts: int) -> Duration:
    """A part of the window in whole minutes, halves upwards; the division itself rounds down, to a nanosecond."""
    nanoseconds = window * 1_000_000 // parts
    minute = MINUTE * 1_000_000
    return (2 * nanoseconds + minute) // (2 * minute) * MINUTE


def mine(root: Mapping[str, object]) -> bool:
    """Whether the document is meant for Pyrra."""
    return str(root.get("apiVersion", "")).startswith("pyrra.dev/")


def read_pyrra(document: Document, reading: Reading) -> None:
    """The SLO of a document."""
    found, problems = read(document, _FILE, {})
    reading.diagnostics += problems
    if found is None:
        return
    spec = found["spec"]
    reading.metadata(document, _named_by(found["metadata"]))
    reading.dropped(document, ("spec",), spec, _OF_SPEC)
    name = reading.name(document, ("metadata", "name"), found["metadata"]["name"], "slo")
    service = _service(document, reading, found["metadata"], name)
    kind = next(iter(spec["indicator"]))
    indicator = spec["indicator"][kind]
    place: Path = ("spec", "indicator", kind)
    if indicator.get("grouping"):
        message = f"{name}: grouping is not carried over: one error budget is kept for all groups together"
        reading.notice(document, (*place, "grouping"), message, "write one SLO for each group to keep them apart")
    sli = _sli(kind, indicator)
    if sli.sli is None or spec["target"] >= 1:
        why = sli.said[0] if sli.sli is None else "an objective of 100% leaves no error budget"
        reading.notice(document, place, f"the SLO {name} is not carried over: {why}")
        return
    for said in sli.said:
        reading.notice(document, place, f"{name}: {said}")
    burns = _burns(document, reading, spec)
    if burns:
        reading.once(document, ("spec", "window"), WAITS)
    reading.slos.append(
        ForeignSlo(
            document=document,
            place=("metadata", "name"),
            name=name,
            service=service,
            window=spec["window"],
            sli=sli.sli,
            objective=spec["target"],
            tiers=reading.tiers(document, ("spec", "window"), burns, spec["window"], spec["target"]),
            description=spec.get("description", "").strip(),
        )
    )


def _service(document: Document, reading: Reading, metadata: dict[str, Any], name: str) -> str:
    for label in _named_by(metadata):
        return reading.name(document, ("metadata", "labels", label), metadata["labels"][label], "service")
    reading.notice(document, ("metadata", "name"), f"no label names the service, so it is called {name} like the SLO")
    return name


def _named_by(metadata: dict[str, Any]) -> tuple[str, ...]:
    """The label that names the service, if there is one."""
    return tuple(label for label in SERVICE_LABELS if metadata.get("labels", {}).get(label))[:1]


def _sli(kind: str, indicator: dict[str, Any]) -> Found:
    if kind == "latencyNative":
        return Found(None, ("native histograms have no bucket bounds that a count could rest on",))
    if kind == "bool_gauge":
        return _gauge(indicator["metric"].text)
    part = indicator["errors" if kind == "ratio" else "success"]["metric"]
    return sli_of_counts("bad" if kind == "ratio" else "good", part, indicator["total"]["metric"], raw=True)


def _gauge(text: str) -> Found:
    """Samples at 0 are bad; they are counted by the server."""
    ranged = over_window(text)
    samples, good = (query(f"sum({function}({ranged}))") for function in ("count_over_time", "sum_over_time"))
    return sli_of_counts("good", good, samples)


def _burns(document: Document, reading: Reading, spec: dict[str, Any]) -> tuple[Burn, ...]:
    alerting: dict[str, Any] = spec.get("alerting", {})
    usual = {"absent": False, "burnRateType": "static"}
    given = [key for key in alerting if key not in usual or alerting[key] != usual[key]]
    reading.dropped(document, ("spec", "alerting"), given, _OF_ALERTING)
    if alerting.get("disabled") or not alerting.get("burnrates", True):
        return ()
    return burns_of(spec["window"])
