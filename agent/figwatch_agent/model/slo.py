"""What is promised: the content of one slo/*.yaml file."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from figwatch_agent.durations import Duration
from figwatch_agent.model.names import Measure, Stage
from figwatch_agent.model.selector import Selector
from figwatch_agent.model.tier import Tier

Vantage = Literal["edge", "application"]
Burn = Literal["time", "traffic"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """A question asked over HTTP; 2xx within the timeout is up, an answer of another kind is down, none is down."""

    http: str  # URL
    interval: Duration
    timeout: Duration


@dataclass(frozen=True, slots=True, kw_only=True)
class Availability:
    """Requests of the contract's histogram that did not fail."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """Requests of the contract's histogram that did not fail and were done within the threshold."""

    threshold: Duration
    of: Literal["last_byte", "first_byte"] = "last_byte"


@dataclass(frozen=True, slots=True, kw_only=True)
class Uptime:
    """Time during which the probe found the service up."""

    probe: Probe


@dataclass(frozen=True, slots=True, kw_only=True)
class Events:
    """Counters of one's own: total and either good or bad, each the sum of its selectors."""

    total: tuple[Selector, ...]
    good: tuple[Selector, ...] = ()
    bad: tuple[Selector, ...] = ()  # exactly one of good and bad is given


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram:
    """A histogram of one's own: good is the bucket whose bound is the threshold, total its count."""

    selectors: tuple[Selector, ...]  # without _bucket or _count
    threshold: Fraction  # in the histogram's own unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Promql:
    """PromQL that a Prometheus source evaluates; the embedded scrape cannot."""

    bad: str
    total: str


Sli = Availability | Latency | Uptime | Events | Histogram | Promql


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A route of the service under migration."""

    template: str  # such as /api/v1/chat/{id}
    stage: Stage
    rollback: str | None = None  # name of a plan in figwatch.yaml


@dataclass(frozen=True, slots=True, kw_only=True)
class Slo:
    """One promise: an SLI, its objective, and when somebody is told."""

    name: str  # unique over all files
    sli: Sli
    objective: Fraction  # 999/1000 for 99.9%
    tiers: tuple[Tier, ...]  # page and ticket tiers, without the early lane
    early: bool = True  # whether the early lane watches it
    routes: tuple[str, ...] = ()  # templates it is for; empty: every route of the file
    description: str = ""
    burn: Burn = "time"  # traffic: what is weighted by the period's traffic has to burn as well, before an alert fires


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlSample:
    """A query that compares records, asked regularly; it only reads, and answers one row.

    Its columns are named checked and mismatched, or lag_seconds, or all three.
    """

    sqlite: str  # path of the database
    query: str
    timeout: Duration


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """A success criterion of the migration."""

    name: str
    measure: Measure
    target: str  # as written: "< 15m", "> 99.9%", "x5", "+40%", "-30%", "kept", "up"
    over: Duration  # measured over this time back from now
    by: str | None = None  # date, YYYY-MM-DD
    slo: str | None = None  # the SLO whose figures decide, for uptime and latency
    route: str | None = None
    every: Duration | None = None  # time between two samples of data_loss
    sql: SqlSample | None = None  # where samples of data_loss come from, beside events


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSlos:
    """One slo/*.yaml file."""

    path: str  # as given, for messages
    migration: str
    service: str
    window: Duration  # the budget's period
    routes: tuple[Route, ...]
    slos: tuple[Slo, ...]
    criteria: tuple[Criterion, ...] = ()
    vantage: Vantage = "edge"  # application only where no edge series exists; figures then carry that limit
