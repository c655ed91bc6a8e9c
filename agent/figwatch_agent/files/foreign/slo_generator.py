"""slo-generator: ``ServiceLevelObjective`` of sre.google.com/v2, and the policies of its shared configuration."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from pydantic_core import PydanticCustomError

from figwatch_agent.durations import DAY, Duration, format_duration
from figwatch_agent.files.document import Document, Path
from figwatch_agent.files.fields import FLAG, TEXT, WORDS, word
from figwatch_agent.files.foreign.imported import Burn, ForeignSlo, Reading
from figwatch_agent.files.foreign.pieces import (
    ANYTHING,
    METADATA,
    POSITIVE,
    RATIO,
    SECONDS,
    Query,
    decimal,
    members,
    query,
)
from figwatch_agent.files.foreign.promql_text import decimal_text
from figwatch_agent.files.foreign.ratio import Found, sli_of_both, sli_of_counts, sli_of_ratio, sli_of_terms
from figwatch_agent.files.foreign.terms import Terms
from figwatch_agent.files.schema import items, may, named, need, read, scalar
from figwatch_agent.files.selectors import parse_selector
from figwatch_agent.model.names import Severity
from figwatch_agent.model.selector import Matcher, Selector

API: Final = "sre.google.com/v2"
KIND: Final = "ServiceLevelObjective"
SHARED: Final = "error_budget_policies"
"""The key by which a shared configuration is known."""

SERVICE_LABELS: Final = ("service_name", "service")
USUAL_WINDOW: Final[Duration] = 30 * DAY
SUM: Final = ("increase", "sum")
"""What a filter is wrapped in where no operators are given."""

_OF_SPEC: Final = {
    "exporters": "the agent keeps and shows what it counts",
    "frequency": "figwatch.yaml says how often counts are read",
}
_FILE: Final = members(
    {
        "apiVersion": need(word(API), ""),
        "kind": need(word(KIND), ""),
        "metadata": need(METADATA, ""),
        "spec": need(
            members(
                {
                    "description": may(TEXT, ""),
                    "backend": need(WORDS, ""),
                    "method": need(WORDS, ""),
                    "exporters": may(ANYTHING, ""),
                    "frequency": may(ANYTHING, ""),
                    "error_budget_policy": may(WORDS, ""),
                    "service_level_indicator": need(
                        members(
                            {
                                "filter_good": may(WORDS, ""),
                                "filter_bad": may(WORDS, ""),
                                "filter_valid": may(WORDS, ""),
                                "operators": may(items(word("sum", "rate", "increase")), ""),
                                "expression": may(WORDS, ""),
                                "threshold_bucket": may(
                                    scalar(lambda one: decimal(one, "a bucket's bound"), RATIO), ""
                                ),
                            },
                            open_=True,
                        ),
                        "",
                    ),
                    "goal": need(RATIO, ""),
                }
            ),
            "",
        ),
    }
)
_STEP: Final = members(
    {
        "name": need(WORDS, ""),
        "burn_rate_threshold": need(POSITIVE, ""),
        "alert": need(FLAG, ""),
        "message_alert": may(TEXT, ""),
        "message_ok": may(TEXT, ""),
        "window": need(SECONDS, ""),
    }
)
_SHARED: Final = members({SHARED: need(named(dict, WORDS, members({"steps": need(items(_STEP), "")})), "")}, open_=True)


class Policy(NamedTuple):
    """An error budget policy: the period that its longest step looks at, and its alerts."""

    period: Duration
    burns: tuple[Burn, ...]


def mine(root: Mapping[str, object]) -> bool:
    """Whether the document is an SLO of slo-generator."""
    return str(root.get("apiVersion", "")).startswith("sre.google.com/")


def shared(root: Mapping[str, object]) -> bool:
    """Whether the document is a shared configuration."""
    return SHARED in root


def read_policies(document: Document, reading: Reading) -> dict[str, Policy]:
    """The error budget policies of a shared configuration."""
    found, wrong = read(document, _SHARED, {})
    reading.diagnostics += wrong
    if found is None:
        return {}
    reading.dropped(
        document,
        (),
        document.root(),
        {"backends": "source in figwatch.yaml says where counts come from", "exporters": _OF_SPEC["exporters"]},
    )
    return {name: _policy(document, reading, name, policy["steps"]) for name, policy in found[SHARED].items()}


def _policy(document: Document, reading: Reading, name: str, steps: tuple[dict[str, Any], ...]) -> Policy:
    burns = []
    for index, step in enumerate(steps):
        place: Path = (SHARED, name, "steps", index)
        short = max(1, step["window"] // 12)
        severity = Severity.PAGE if step["alert"] else Severity.TICKET
        message = f"slo-generator knows no short window: {format_duration(short)} is taken, a twelfth of the long one"
        reading.notice(document, (*place, "window"), message)
        burns.append(Burn(long=step["window"], short=short, severity=severity, factor=step["burn_rate_threshold"]))
    reading.once(document, (SHARED,), "messages of steps are not carried over; a step without alert is a ticket")
    return Policy(max(step["window"] for step in steps), tuple(burns))


def read_slo(document: Document, reading: Reading, policies: Mapping[str, Policy]) -> None:
    """The SLO of a document."""
    found, wrong = read(document, _FILE, {})
    reading.diagnostics += wrong
    if found is None:
        return
    spec = found["spec"]
    labels: dict[str, str] = found["metadata"].get("labels", {})
    reading.metadata(document, [label for label in SERVICE_LABELS if labels.get(label)][:1])
    reading.dropped(document, ("spec",), spec, _OF_SPEC)
    name = reading.name(document, ("metadata", "name"), found["metadata"]["name"], "slo")
    sli = _sli(document, reading, spec)
    if sli is None:
        return
    if sli.sli is None or spec["goal"] <= 0:
        why = sli.said[0] if sli.sli is None else "an objective of 0% promises nothing"
        reading.notice(document, ("metadata", "name"), f"the SLO {name} is not carried over: {why}")
        return
    for said in sli.said:
        reading.notice(document, ("metadata", "name"), f"{name}: {said}")
    policy = _chosen(document, reading, spec.get("error_budget_policy", "default"), policies)
    window = reading.options.window or (policy.period if policy is not None else USUAL_WINDOW)
    tiers = (
        None if policy is None else reading.tiers(document, ("metadata", "name"), policy.burns, window, spec["goal"])
    )
    reading.slos.append(
        ForeignSlo(
            document=document,
            place=("metadata", "name"),
            name=name,
            service=_service(document, reading, labels, name),
            window=window,
            sli=sli.sli,
            objective=spec["goal"],
            tiers=tiers,
            description=spec.get("description", "").strip(),
        )
    )


def _chosen(document: Document, reading: Reading, name: str, policies: Mapping[str, Policy]) -> Policy | None:
    if name not in policies:
        message = f"the error budget policy {name} is not at hand: the usual four tiers apply"
        reading.notice(document, ("metadata", "name"), message, "give the shared configuration along with this file")
    return policies.get(name)


def _service(document: Document, reading: Reading, labels: dict[str, str], name: str) -> str:
    for label in SERVICE_LABELS:
        if labels.get(label):
            return reading.name(document, ("metadata", "labels", label), labels[label], "service")
    reading.notice(document, ("metadata", "name"), f"no label names the service, so it is called {name} like the SLO")
    return name


def _sli(document: Document, reading: Reading, spec: dict[str, Any]) -> Found | None:
    backend = spec["backend"].split("/")[0]
    if backend.lower() != "prometheus":
        return Found(None, (f"{backend} is not asked in PromQL",))
    methods = {"good_bad_ratio": _good_bad_ratio, "distribution_cut": _distribution_cut, "query_sli": _query_sli}
    if spec["method"] not in methods:
        reading.problem(document, ("spec", "method"), f"{spec['method']} is no method of the Prometheus backend")
        return None
    try:
        return methods[spec["method"]](spec["service_level_indicator"])
    except PydanticCustomError as error:
        context = error.context or {}
        place: Path = ("spec", "service_level_indicator", *([context["key"]] if context.get("key") else []))
        reading.problem(document, place, str(context["message"]), str(context["hint"]))
        return None


def _missing(what: str) -> PydanticCustomError:
    from figwatch_agent.files.schema import wrong

    return wrong(f"the method needs {what}")


def _good_bad_ratio(given: dict[str, Any]) -> Found:
    if "filter_good" not in given or not {"filter_bad", "filter_valid"} & set(given):
        raise _missing("filter_good, and filter_bad or filter_valid")
    operators = given.get("operators", SUM)
    good = _filter(given["filter_good"], operators)
    if "filter_bad" in given:
        return sli_of_both(good, _filter(given["filter_bad"], operators))
    return sli_of_counts("good", good, _filter(given["filter_valid"], operators))


def _filter(text: str, operators: tuple[str, ...]) -> Query:
    """As slo-generator builds it: the window at the end where it stands nowhere, then each operator around it."""
    built = text.strip()
    built = built if "[window" in built else f"{built}[window]"
    for operator in operators:
        built = f"{operator}({built})"
    return query(built)


def _query_sli(given: dict[str, Any]) -> Found:
    if "expression" not in given:
        raise _missing("expression")
    return sli_of_ratio("good", query(given["expression"]))


def _distribution_cut(given: dict[str, Any]) -> Found:
    if "expression" not in given or "threshold_bucket" not in given:
        raise _missing("expression and threshold_bucket")
    buckets = parse_selector(given["expression"].strip().removesuffix("[window]"))
    bound = decimal_text(given["threshold_bucket"])
    bucket = Matcher(label="le", operator="=", value=bound or "")
    good = Selector(metric=buckets.metric, matchers=(*buckets.matchers, bucket))
    total = Selector(metric=buckets.metric.replace("_bucket", "_count"), matchers=buckets.matchers)
    return sli_of_terms("good", Terms((good,)), Terms((total,)))
