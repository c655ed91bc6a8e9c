"""What can be seen of the engine at one instant; pages, status and reports are made from it."""

from dataclasses import dataclass
from fractions import Fraction

from figwatch_agent.durations import Duration, Instant
from figwatch_agent.model.exclusion import Exclusion
from figwatch_agent.model.incident import Incident
from figwatch_agent.model.names import Stage
from figwatch_agent.model.slo import Criterion


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Events: bad of total."""

    bad: int
    total: int


NOTHING = Counts(bad=0, total=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Milliseconds up, down and unknown; they partition the window."""

    up: Duration
    down: Duration
    unknown: Duration


@dataclass(frozen=True, slots=True, kw_only=True)
class TierView:
    """A tier now."""

    name: str
    severity: str
    factor: Fraction
    long: Duration
    short: Duration
    burn_low: Fraction | None  # of the long window; None where nothing is known
    burn_high: Fraction | None
    firing: bool
    traffic_low: Fraction | None = None  # burn rate weighted by the traffic of the SLO's period; None without any
    traffic_high: Fraction | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamView:
    """One SLO on one route now."""

    slo: str
    service: str
    route: str
    kind: str  # availability | latency | uptime | events | histogram | promql
    objective: Fraction
    window: Duration
    counts: Counts  # over the window
    budget_left: Fraction | None  # None where there were no events
    coverage: Fraction  # measured time / window
    known: Fraction  # measured time / time since the agent first ran, within the window
    totals: Counts  # since the beginning, events outside every window included
    state: str  # ok | idle | unknown | excluded
    finding: str  # why unknown, in words; "" otherwise
    tiers: tuple[TierView, ...]
    span: Span | None = None  # uptime only
    burn: str = "time"  # traffic: the weighted burn rate has to exceed a tier's factor as well
    excluded: Counts = NOTHING  # of the window, beside ``counts``: both add up to what was counted
    excluded_edge: Counts = NOTHING  # of ``excluded``, those in the slot that the window's start cuts
    excluded_time: Duration = 0  # of the window; neither known nor unknown
    edge: Counts = NOTHING  # of ``counts``, those in the slot that the window's start cuts: they may lie before it


@dataclass(frozen=True, slots=True, kw_only=True)
class SideView:
    """One side of a route over the last minutes."""

    side: str
    over: Duration
    requests: int
    failed: int
    p50: tuple[Fraction, Fraction | None] | None  # bounds in seconds; no upper bound beyond the last bucket
    p95: tuple[Fraction, Fraction | None] | None
    p99: tuple[Fraction, Fraction | None] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteView:
    """One route now."""

    route: str
    service: str
    stage: Stage
    plan: str | None
    armed: bool  # an automatic rollback is possible as far as the latch is concerned
    requests: tuple[tuple[str, int], ...]  # by side, over the last hour
    sides: tuple[SideView, ...]
    lately: tuple[tuple[str, int], ...] = ()  # by side, over the last five minutes
    known: bool = True  # whether its requests were measured at the last tick


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One more exact figure beside the one that decides a criterion."""

    name: str  # closed words, such as request_based or "detected mean"
    low: Fraction | None
    high: Fraction | None
    estimate: Fraction | None
    unit: str
    coverage: Fraction | None = None
    counts: Counts | None = None
    note: str = ""  # for people


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineView:
    """What a criterion is compared with."""

    value: Fraction
    unit: str
    count: int | None
    start: Instant | None
    end: Instant | None
    recorded_at: Instant
    actor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """The figure of a criterion before it is judged: worst and best that the data allow."""

    criterion: Criterion
    low: Fraction | None
    high: Fraction | None
    estimate: Fraction | None
    unit: str  # ratio | ms | number | per_day, or the unit of figures that people brought
    coverage: Fraction | None
    counts: Counts | None
    evidence: str  # for people, with numbers
    reason: str = ""  # why there is no figure
    baseline: Fraction | None = None
    query: str = ""  # what was counted, in words or as the query that was asked
    start: Instant | None = None  # of the window
    end: Instant | None = None
    figures: tuple[Figure, ...] = ()
    recorded: BaselineView | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetView:
    """One scrape target now."""

    target: str
    up: bool
    reason: str
    last_answer: Instant | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SilenceView:
    """Somebody asked for quiet."""

    subject: str  # route or incident id
    until: Instant
    actor: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """All of it."""

    at: Instant
    started_at: Instant  # first tick of this state
    sequence: int
    migration: str
    streams: tuple[StreamView, ...]
    routes: tuple[RouteView, ...]
    incidents: tuple[Incident, ...]  # open ones first, then the newest closed
    criteria: tuple[Measured, ...]
    targets: tuple[TargetView, ...]
    findings: tuple[str, ...]
    silences: tuple[SilenceView, ...]
    mode: str
    hold: Duration
    wall_step: Duration
    exclusions: tuple[Exclusion, ...] = ()  # newest first
