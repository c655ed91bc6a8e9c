"""Metrics of OpenSLO: which query stands for which events."""

from collections.abc import Callable
from typing import Any, Final, Protocol

from pydantic_core import PydanticCustomError

from figwatch_agent.files.document import Document, Path
from figwatch_agent.files.foreign.imported import Reading
from figwatch_agent.files.foreign.pieces import Query, query
from figwatch_agent.files.foreign.ratio import Found, Side, sli_of_counts, sli_of_ratio

QUERY_KEYS: Final = ("query", "promql", "expr", "expression")
"""Members of a Prometheus source's spec that may hold its query; the specification leaves the name open."""

SPEAK_PROMQL: Final = frozenset(
    ("prometheus", "thanos", "mimir", "cortex", "victoriametrics", "victoria-metrics", "amazonprometheus", "amp", "gcm")
)
"""Types of sources, in lower case, that are asked in PromQL."""


class Located(Protocol):
    """An object and its place."""

    @property
    def document(self) -> Document:
        """The document that it stands in."""

    @property
    def place(self) -> Path:
        """Where in it."""

    @property
    def body(self) -> dict[str, Any]:
        """What it says."""


def sli_of_indicator(indicator: Located, source_type: Callable[[str], str | None], reading: Reading) -> Found | None:
    """The SLI of an indicator; None where it is wrong."""
    spec = indicator.body["spec"]
    if "thresholdMetric" in spec:
        return Found(None, ("a thresholdMetric compares a value with a bound, and counts no events",))
    metric = spec["ratioMetric"]
    found = {
        key: _query(indicator, key, metric[key]["metricSource"], source_type, reading)
        for key in ("good", "bad", "total", "raw")
        if key in metric
    }
    queries = {key: one for key, one in found.items() if isinstance(one, Query)}
    reasons = [one for one in found.values() if isinstance(one, str)]
    if len(queries) < len(found):
        return Found(None, tuple(reasons)) if reasons else None
    if "raw" in queries:
        return sli_of_ratio("good" if metric["rawType"] == "success" else "bad", queries["raw"])
    side: Side = "good" if "good" in queries else "bad"
    return sli_of_counts(side, queries[side], queries["total"], raw=_raw(metric, queries))


def _raw(metric: dict[str, Any], queries: dict[str, Query]) -> bool:
    """Whether the queries name counters: nothing says otherwise, and they count no range themselves."""
    return metric.get("counter", True) is True and not any(
        "[" in _without_strings(one.text) for one in queries.values()
    )


def _without_strings(text: str) -> str:
    return "".join(text.split('"')[::2])


def _query(
    indicator: Located,
    key: str,
    source: dict[str, Any],
    source_type: Callable[[str], str | None],
    reading: Reading,
) -> Query | str | None:
    """The query; a reason where it is none that could be carried over, None where it is wrong."""
    place: Path = (*indicator.place, "spec", "ratioMetric", key, "metricSource")
    named = source.get("metricSourceRef")
    kind = source.get("type") or (source_type(named) if named is not None else None)
    if kind is not None and kind.lower() not in SPEAK_PROMQL:
        return f"{kind} is not asked in PromQL"
    spec = source["spec"] if isinstance(source["spec"], dict) else {}
    given = [name for name in QUERY_KEYS if isinstance(spec.get(name), str)]
    if not given:
        reading.problem(indicator.document, (*place, "spec"), "the source has no query", "write query: PromQL")
        return None
    if kind is None:
        reading.once(indicator.document, place, "no type of source is given: its query is taken for PromQL")
    try:
        return query(spec[given[0]])
    except PydanticCustomError as error:
        context = error.context or {}
        reading.problem(indicator.document, (*place, "spec", given[0]), str(context["message"]), str(context["hint"]))
        return None
