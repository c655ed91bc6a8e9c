"""Everything that is watched, laid out for arithmetic: streams, watches and routes with fixed positions."""

from dataclasses import dataclass
from fractions import Fraction

from figwatch_agent.durations import Duration
from figwatch_agent.evaluate.early_lane import EarlyLane
from figwatch_agent.evaluate.evidence import alpha_for
from figwatch_agent.model.names import AlertName, Severity
from figwatch_agent.model.plan import RollbackPlan
from figwatch_agent.model.settings import Settings
from figwatch_agent.model.slo import (
    Availability,
    Criterion,
    Events,
    Histogram,
    Latency,
    Promql,
    Route,
    ServiceSlos,
    Slo,
    Uptime,
)
from figwatch_agent.model.tier import EARLY

KINDS: dict[type, str] = {
    Availability: "availability",
    Latency: "latency",
    Uptime: "uptime",
    Events: "events",
    Histogram: "histogram",
    Promql: "promql",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """One SLO on one route: the unit that is counted."""

    index: int
    service: ServiceSlos
    slo: Slo
    route: str  # template; "" for SLOs that are not about requests of a route

    @property
    def key(self) -> str:
        """Stable over restarts and edits of the files."""
        return f"{self.slo.name} {self.route}"

    @property
    def kind(self) -> str:
        """The word of its SLI."""
        return KINDS[type(self.slo.sli)]

    @property
    def probed(self) -> bool:
        """Whether it counts probes and not requests."""
        return isinstance(self.slo.sli, Uptime)

    @property
    def sided(self) -> bool:
        """Whether its requests are split by who served them."""
        return isinstance(self.slo.sli, (Availability, Latency))


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """One reason to raise an alert on one stream: a tier, or the early lane on the stream or its service side."""

    index: int
    stream: Stream
    tier: str
    name: AlertName
    severity: Severity
    lane: str  # all | service
    factor: Fraction  # burn rate at which it fires
    ratio: Fraction  # error ratio at which it fires, and above which a tick is bad
    long: Duration  # of a tier; 0 for the early lane
    short: Duration
    alpha: Fraction  # level of the evidence test
    early: EarlyLane | None

    @property
    def key(self) -> str:
        """Stable over restarts and edits of the files."""
        return f"{self.stream.key} {self.tier} {self.lane}"


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedRoute:
    """A route of the migration with the plan that would send it back."""

    index: int
    route: Route
    service: ServiceSlos
    plan: RollbackPlan | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """The files, compiled."""

    settings: Settings
    services: tuple[ServiceSlos, ...]
    streams: tuple[Stream, ...]
    watches: tuple[Watch, ...]
    routes: tuple[WatchedRoute, ...]
    criteria: tuple[tuple[ServiceSlos, Criterion], ...]

    @property
    def migration(self) -> str:
        """The migration's name; files of several migrations name the first."""
        return self.services[0].migration if self.services else ""

    @property
    def longest_window(self) -> Duration:
        """What the budget rings must reach."""
        lengths = [stream.service.window for stream in self.streams]
        lengths += [watch.long for watch in self.watches]
        lengths += [criterion.over for _, criterion in self.criteria]
        return max(lengths, default=0)

    @property
    def longest_gap(self) -> Duration:
        """Two answers or ticks further apart than this leave the time between them unknown."""
        return self.settings.interval * 5 // 2

    def route(self, template: str) -> WatchedRoute | None:
        """The route of this template."""
        return next((route for route in self.routes if route.route.template == template), None)


def compile_catalog(services: tuple[ServiceSlos, ...], settings: Settings) -> Catalog:
    """Lay out streams and watches in the order of the files."""
    streams = _streams(services)
    return Catalog(
        settings=settings,
        services=services,
        streams=streams,
        watches=_watches(streams),
        routes=_routes(services, settings),
        criteria=tuple((service, criterion) for service in services for criterion in service.criteria),
    )


def _streams(services: tuple[ServiceSlos, ...]) -> tuple[Stream, ...]:
    found: list[Stream] = []
    for service in services:
        for slo in service.slos:
            for route in _routes_of(service, slo):
                found.append(Stream(index=len(found), service=service, slo=slo, route=route))
    return tuple(found)


def _routes_of(service: ServiceSlos, slo: Slo) -> tuple[str, ...]:
    if isinstance(slo.sli, (Availability, Latency)):
        return slo.routes or tuple(route.template for route in service.routes)
    return ("",)


def _watches(streams: tuple[Stream, ...]) -> tuple[Watch, ...]:
    found: list[Watch] = []
    paging = {stream.service.service: 0 for stream in streams}
    for stream in streams:
        if not stream.probed and any(tier.severity is Severity.PAGE for tier in stream.slo.tiers):
            paging[stream.service.service] += 1
    for stream in streams:
        alpha = alpha_for(max(paging[stream.service.service], 1))
        found += _tier_watches(stream, alpha, len(found))
        found += _early_watches(stream, alpha, len(found))
    return tuple(found)


def _tier_watches(stream: Stream, alpha: Fraction, first: int) -> list[Watch]:
    budget = 1 - stream.slo.objective
    watches: list[Watch] = []
    for tier in stream.slo.tiers:
        factor = tier.factor(stream.service.window)
        severity = Severity.TICKET if stream.probed else tier.severity
        watches.append(
            Watch(
                index=first + len(watches),
                stream=stream,
                tier=tier.name,
                name=_name(stream, severity),
                severity=severity,
                lane="all",
                factor=factor,
                ratio=factor * budget,
                long=tier.long,
                short=tier.short,
                alpha=alpha,
                early=None,
            )
        )
    return watches


def _early_watches(stream: Stream, alpha: Fraction, first: int) -> list[Watch]:
    lane = EarlyLane.for_objective(stream.slo.objective)
    if lane is None or stream.probed or not stream.slo.early:
        return []
    budget = 1 - stream.slo.objective
    name = AlertName.LATENCY_DEGRADED if stream.kind == "latency" else AlertName.EARLY_OUTAGE
    return [
        Watch(
            index=first + offset,
            stream=stream,
            tier=EARLY,
            name=name,
            severity=Severity.PAGE,
            lane=side,
            factor=lane.p1 / budget,
            ratio=lane.p1,
            long=0,
            short=0,
            alpha=alpha,
            early=lane,
        )
        for offset, side in enumerate(("all", "service") if stream.sided else ("all",))
    ]


def _name(stream: Stream, severity: Severity) -> AlertName:
    if stream.probed:
        return AlertName.UPTIME_LOW
    if severity is Severity.TICKET:
        return AlertName.ERROR_BUDGET_BURN_SLOW
    return AlertName.LATENCY_DEGRADED if stream.kind == "latency" else AlertName.ERROR_BUDGET_BURN_FAST


def _routes(services: tuple[ServiceSlos, ...], settings: Settings) -> tuple[WatchedRoute, ...]:
    plans = {plan.name: plan for plan in settings.rollback.plans}
    found: list[WatchedRoute] = []
    for service in services:
        for route in service.routes:
            plan = plans.get(route.rollback) if route.rollback else None
            found.append(WatchedRoute(index=len(found), route=route, service=service, plan=plan))
    return tuple(found)
