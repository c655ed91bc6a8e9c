"""Why something pages, why it does not, and why a rollback is withheld: every condition with what is known about it."""

from dataclasses import dataclass
from fractions import Fraction

from figwatch_agent.durations import Duration, Instant
from figwatch_agent.model.exclusion import Exclusion
from figwatch_agent.model.incident import Alert, Incident
from figwatch_agent.model.names import AlertName, Mode, Severity, Stage, Tri
from figwatch_agent.model.view import Counts, SilenceView


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """What one exclusion sets aside of a window: with what is left, all of them are all that was counted."""

    exclusion: str  # id
    who: str
    why: str
    lasted: Duration  # of the window
    inside: Counts  # surely in the window
    edge: Counts  # in the slot that its start cuts


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowSeen:
    """One window of a tier, with what may lie on either side of its start, less what is set aside."""

    name: str  # long | short
    length: Duration
    inside: Counts  # surely in the window
    edge: Counts  # in the slot that its start cuts: they may lie before it
    imputed: int  # good events that time without measurement is taken to have had
    covered: Duration  # measured time, at most the length
    low: Fraction | None  # least error ratio that the counts allow, imputed events included; None without events
    high: Fraction | None
    over: Tri  # beyond the tier's threshold; unknown where low and high disagree, or nothing was measured
    certified: bool  # low and high agree
    left_out: tuple[LeftOut, ...] = ()  # by exclusion, in the order of their declaration


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The exact test of "within budget" on the long window. Without enough evidence no tier fires."""

    counts: Counts  # as tested: imputed events and the good ones of the cut slot counted good
    p_value: float  # chance of so many bad events within budget
    alpha: Fraction  # at most this is evidence
    needed: int  # the fewest bad events of so many that are evidence, two at least
    enough: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """Where the early lane's statistic stands, in nats."""

    statistic: Fraction
    threshold: Fraction  # it fires where the statistic reaches this
    null: Fraction  # error ratio that must not fire
    alternative: Fraction  # error ratio that must fire at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """What an alert that fires still waits for. Both must be there."""

    last_bad: Instant | None  # end of the last bad tick
    hold: Duration
    held: bool  # the hold has passed since then
    since: Counts  # events after it
    needed: int  # clean requests in a row that would reject "still burning"
    rejected: bool  # whether these events do


@dataclass(frozen=True, slots=True, kw_only=True)
class Because:
    """One condition, in words, and whether it holds."""

    name: str
    holds: Tri
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchExplained:
    """One reason to raise an alert on one SLO of a route."""

    key: str
    alert: AlertName
    slo: str
    service: str
    route: str
    tier: str
    lane: str  # all | service
    severity: Severity
    objective: Fraction
    factor: Fraction  # burn rate at which it fires
    threshold: Fraction  # error ratio at which it fires
    known: bool  # whether the last tick measured the SLO
    firing: Alert | None
    windows: tuple[WindowSeen, ...]  # long, then short; none for the early lane
    evidence: Evidence | None  # of a tier
    early: Lane | None  # of the early lane
    recovery: Recovery | None  # while it fires
    because: tuple[Because, ...]  # of firing, in the order in which they are asked
    ignored: int  # bad events counted before the last resolve; they cannot fire it


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteExplained:
    """What bears on a page and on a rollback beside the counts."""

    route: str
    service: str
    stage: Stage
    plan: str | None
    latched: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Everything about one subject at the last tick."""

    at: Instant
    subject: str  # as it was asked for
    kind: str  # route | slo | incident | alert
    watches: tuple[WatchExplained, ...]
    routes: tuple[RouteExplained, ...]
    incidents: tuple[Incident, ...]  # open ones first, then the newest closed, each with the guard's conditions
    silences: tuple[SilenceView, ...]
    mode: Mode
    exclusions: tuple[Exclusion, ...] = ()  # that concern its SLOs, in the order of their declaration
