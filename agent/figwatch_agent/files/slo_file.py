"""The grammar of slo/*.yaml: what is promised."""

from fractions import Fraction
from typing import Any

from pydantic_core import core_schema

from figwatch.contract import BUCKETS
from figwatch_agent.durations import SECOND, Duration, format_duration
from figwatch_agent.files.diagnostics import did_you_mean, quoted
from figwatch_agent.files.fields import DATE, DURATION, FLAG, NAME, PATH, SHARE, URL, WORDS, choice, string, word
from figwatch_agent.files.schema import describe, exactly_one, items, may, need, one_of, record, scalar, wrong
from figwatch_agent.files.selectors import EXPRESSION, HISTOGRAMS, SELECTORS
from figwatch_agent.files.written import WrittenCriterion, WrittenFile, WrittenSlo, WrittenTier
from figwatch_agent.model.names import Measure, Severity, Stage
from figwatch_agent.model.slo import Availability, Events, Histogram, Latency, Probe, Promql, Route, SqlSample, Uptime

KINDS = ("availability", "latency", "uptime")

DEFAULT_PROBE_INTERVAL: Duration = 5 * SECOND
DEFAULT_PROBE_TIMEOUT: Duration = 2 * SECOND
DEFAULT_QUERY_TIMEOUT: Duration = 10 * SECOND

LEAST_EVERY: Duration = 10 * SECOND
"""Between two samples of data; each is kept as long as everything else that was told."""


def _template(value: object) -> str:
    text = string(value, "a route such as /api/v1/chat")
    if not text.startswith("/") or len(text) > 200 or any(char.isspace() or char in "?#" for char in text):
        raise wrong(f"{quoted(text)} is not a route", "write the template of its path, such as /api/v1/chat/{id}")
    return text


def _threshold(value: object) -> Fraction:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value <= 0:
        raise wrong(
            f"expected a number above 0, found {describe(value)}",
            "write the bucket's bound in the histogram's own unit",
        )
    return Fraction(repr(value))


def _version(value: object) -> int:
    if value != 1 or isinstance(value, bool):
        raise wrong(f"expected version 1, found {describe(value)}", "write version: 1")
    return 1


def _availability(kind: str) -> Availability:
    return Availability()


def _latency(kind: str, **members: Any) -> Latency:
    latency = Latency(**members)
    bounds = [round(bound * 1000) for bound in BUCKETS]
    if latency.threshold not in bounds:
        close = min(bounds, key=lambda bound: abs(bound - latency.threshold))
        raise wrong(
            f"requests are not counted at {format_duration(latency.threshold)}, which is no bucket bound",
            f"the nearest is {format_duration(close)}; of all: {', '.join(format_duration(bound) for bound in bounds)}",
            key="threshold",
        )
    return latency


def _uptime(kind: str, probe: Probe) -> Uptime:
    return Uptime(probe=probe)


def _probe(http: str, interval: Duration = DEFAULT_PROBE_INTERVAL, timeout: Duration | None = None) -> Probe:
    chosen = timeout if timeout is not None else min(DEFAULT_PROBE_TIMEOUT, interval)
    if chosen > interval:
        raise wrong(
            "the probe's timeout is longer than its interval", "wait at most as long as the next probe takes to come"
        )
    return Probe(http=http, interval=interval, timeout=chosen)


def _events(**members: Any) -> Events:
    if ("good" in members) == ("bad" in members):
        raise wrong("events names exactly one of good and bad", "the other is what is left of total")
    return Events(**members)


def _histogram(histogram: Any, threshold: Fraction) -> Histogram:
    return Histogram(selectors=histogram, threshold=threshold)


def _inner(**members: Any) -> Any:
    return next(iter(members.values()))


def _sli_form(value: Any) -> str | None:
    if not isinstance(value, dict):
        return None
    if "kind" in value:
        return str(value["kind"])  # known, or refused before
    return next((form for form in ("events", "histogram", "promql") if form in value), None)


def _known_kind(value: Any) -> Any:
    kind = value.get("kind", KINDS[0]) if isinstance(value, dict) else KINDS[0]
    if kind not in KINDS:
        raise wrong(f"{describe(kind)} is no kind of sli", did_you_mean(str(kind), KINDS, "known kinds"), key="kind")
    return value


def _kind(name: str) -> Any:
    return need(word(name), "what is counted")


def _factor(value: object) -> Fraction:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < 1_000_000:
        raise wrong(f"expected a burn rate, found {describe(value)}", "write a number above 0, such as 14.4")
    return Fraction(repr(value))


def _tier(**members: Any) -> WrittenTier:
    exactly_one("a tier", members, "share", "factor")
    return WrittenTier(**members)


def _sql(sqlite: str, query: str, timeout: Duration = DEFAULT_QUERY_TIMEOUT) -> SqlSample:
    if not query.lstrip().lower().startswith(("select", "with")):
        raise wrong("the query is no SELECT", "it only reads: SELECT ... AS checked, ... AS mismatched", key="query")
    return SqlSample(sqlite=sqlite, query=query, timeout=timeout)


PROBE = record(
    _probe,
    {
        "http": need(URL, "URL asked with GET; 2xx is up"),
        "interval": may(DURATION, "time between two probes, 5s if left out"),
        "timeout": may(DURATION, "longest wait, 2s if left out"),
    },
)

_SLI_FORMS = one_of(
    _sli_form,
    {
        "availability": record(_availability, {"kind": _kind("availability")}),
        "latency": record(
            _latency,
            {
                "kind": _kind("latency"),
                "threshold": need(DURATION, "a bucket bound, such as 200ms"),
                "of": may(word("last_byte", "first_byte"), "what has to arrive in time, last_byte if left out"),
            },
        ),
        "uptime": record(_uptime, {"kind": _kind("uptime"), "probe": need(PROBE, "the question asked")}),
        "events": record(
            _inner,
            {
                "events": need(
                    record(
                        _events,
                        {
                            "good": may(SELECTORS, "counters of good events"),
                            "bad": may(SELECTORS, "counters of bad events"),
                            "total": need(SELECTORS, "counters of all events"),
                        },
                    ),
                    "counters of one's own",
                )
            },
        ),
        "histogram": record(
            _histogram,
            {
                "histogram": need(HISTOGRAMS, "a histogram of one's own, without _bucket"),
                "threshold": need(
                    scalar(_threshold, core_schema.float_schema(gt=0)),
                    "bound of the bucket that is good, in its own unit",
                ),
            },
        ),
        "promql": record(
            _inner,
            {
                "promql": need(
                    record(Promql, {"bad": need(EXPRESSION, "bad events"), "total": need(EXPRESSION, "all events")}),
                    "PromQL that a Prometheus source evaluates",
                )
            },
        ),
    },
    "expected {kind: availability|latency|uptime}, {events: ...}, {histogram: ..., threshold: ...} or {promql: ...}",
)

SLI = core_schema.no_info_before_validator_function(_known_kind, _SLI_FORMS)

TIER = record(
    _tier,
    {
        "share": may(SHARE, "of the error budget that the long window may spend, such as 2%"),
        "factor": may(
            scalar(_factor, core_schema.float_schema(gt=0)), "burn rate at which it fires, such as 14.4, for share"
        ),
        "long": need(DURATION, "long window"),
        "short": need(DURATION, "short window"),
        "severity": need(choice(Severity), "how loudly it is told"),
        "allow_slow": may(FLAG, "a burn rate below 1 is meant"),
        "name": may(NAME, "the long window if left out"),
    },
)


def _often_enough(every: Duration) -> Duration:
    if every < LEAST_EVERY:
        raise wrong(f"{format_duration(every)} is shorter than {format_duration(LEAST_EVERY)}")
    return every


EVERY = core_schema.no_info_after_validator_function(_often_enough, DURATION)

SQL = record(
    _sql,
    {
        "sqlite": need(PATH, "an SQLite database, seen from this file"),
        "query": need(
            WORDS, "one SELECT of one row with the columns checked and mismatched, or lag_seconds, or all three"
        ),
        "timeout": may(DURATION, "longest wait, 10s if left out"),
    },
)

TEMPLATE = scalar(_template, core_schema.str_schema(pattern="^/"))

ROUTE = record(
    lambda route, stage, rollback=None: Route(template=route, stage=stage, rollback=rollback),
    {
        "route": need(TEMPLATE, "template of the path, such as /api/v1/chat/{id}"),
        "stage": need(choice(Stage), "where it stands in the migration"),
        "rollback": may(NAME, "a plan of figwatch.yaml"),
    },
)

SLO = record(
    WrittenSlo,
    {
        "name": need(NAME, "unique over all files"),
        "description": may(WORDS, "for people"),
        "sli": need(SLI, "good events of total events"),
        "objective": need(SHARE, "such as 99.9%"),
        "routes": may(items(TEMPLATE), "routes of this file it is for, all if left out"),
        "tiers": may(items(TIER, least=0), "when somebody is told: the usual four if left out, nobody if empty"),
        "early": may(FLAG, "whether the early lane watches for outages, true if left out"),
        "burn": may(word("time", "traffic"), "what has to burn before somebody is told, time if left out"),
    },
)

CRITERION = record(
    WrittenCriterion,
    {
        "name": need(NAME, "unique over all files"),
        "measure": need(choice(Measure), "what is measured"),
        "target": need(WORDS, "such as < 15m, > 99.9%, x5, +40%, -30%, kept, up"),
        "by": may(DATE, "the day it must be met"),
        "over": may(DURATION, "measured over this time back from now, the file's window if left out"),
        "slo": may(NAME, "the SLO whose figures decide, for uptime and latency_p95"),
        "route": may(TEMPLATE, "this route alone"),
        "every": may(EVERY, "of data_loss: time between two samples, 1d if left out"),
        "sql": may(SQL, "of data_loss: a query that only reads, asked every so often"),
    },
)

FILE = record(
    WrittenFile,
    {
        "version": need(scalar(_version, core_schema.literal_schema([1])), "of this grammar: 1"),
        "migration": need(NAME, "the migration this belongs to"),
        "service": may(NAME, "the service that takes the routes over"),
        "window": need(DURATION, "the error budget's period, such as 30d"),
        "vantage": may(word("edge", "application"), "where requests are counted, edge if left out"),
        "routes": may(items(ROUTE), "routes under migration"),
        "slos": may(items(SLO), "promises"),
        "criteria": may(items(CRITERION), "success criteria of the migration"),
    },
)
"""slo/*.yaml as a pydantic core schema; it yields a WrittenFile."""
