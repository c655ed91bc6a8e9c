"""The figures of the success criteria, with the bounds that the data leave open. Verdicts are the report's."""

from collections.abc import Callable
from fractions import Fraction

from figwatch_agent.durations import Duration, Instant, format_duration, format_seconds
from figwatch_agent.engine.catalog import Stream
from figwatch_agent.engine.mapping import BOUNDS, BUCKET_SIDES
from figwatch_agent.engine.saving import Parts
from figwatch_agent.evaluate.latency import quantile
from figwatch_agent.evaluate.mttr import mttr
from figwatch_agent.evaluate.uptime import Uptime
from figwatch_agent.evaluate.windows import highest_ratio, lowest_ratio
from figwatch_agent.model.incident import Incident, IncidentKind
from figwatch_agent.model.names import Measure, Severity
from figwatch_agent.model.slo import Criterion, ServiceSlos
from figwatch_agent.model.view import Counts, Measured

FLOOR = Fraction(1, 2)
"""Less of the time measured than this, and traffic and latency figures decide nothing."""

_Figure = Callable[[Parts, ServiceSlos, Criterion, tuple[Incident, ...], Instant], Measured]


def measured(parts: Parts, incidents: tuple[Incident, ...], at: Instant) -> tuple[Measured, ...]:
    """One figure per criterion, in the order of the files."""
    figures: dict[Measure, _Figure] = {
        Measure.UPTIME: _uptime,
        Measure.LATENCY_P95: _latency,
        Measure.MTTR: _mttr,
        Measure.LEGACY_RATIO: _legacy_ratio,
    }
    return tuple(
        figures.get(criterion.measure, _not_yet)(parts, service, criterion, incidents, at)
        for service, criterion in parts.rings.catalog.criteria
    )


def _nothing(criterion: Criterion, unit: str, reason: str, coverage: Fraction | None = None) -> Measured:
    return Measured(
        criterion=criterion,
        low=None,
        high=None,
        estimate=None,
        unit=unit,
        coverage=coverage,
        counts=None,
        evidence="",
        reason=reason,
    )


def _not_yet(
    parts: Parts, service: ServiceSlos, criterion: Criterion, incidents: tuple[Incident, ...], at: Instant
) -> Measured:
    return _nothing(criterion, "number", "nothing was recorded for it yet")


def _uptime(
    parts: Parts, service: ServiceSlos, criterion: Criterion, incidents: tuple[Incident, ...], at: Instant
) -> Measured:
    stream = _stream_for(parts, service, criterion, "uptime")
    if stream is None:
        return _nothing(criterion, "ratio", "no uptime SLO is declared for it")
    up, down = parts.rings.uptime(criterion.over)[stream.index]
    surely_up, surely_down = parts.rings.uptime_at_least(criterion.over)[stream.index]
    unknown = max(criterion.over - up - down, 0)
    account = Uptime(up_ms=up, down_ms=down, unknown_ms=unknown)
    evidence = f"probes: up {format_seconds(up)}, down {format_seconds(down)}, unknown {format_seconds(unknown)}"
    requests = _stream_for(parts, service, criterion, "availability", any_slo=True)
    counts: Counts | None = None
    if requests is not None:
        window = parts.rings.streams(criterion.over)
        bad, total = int(window.bad.most[requests.index]), int(window.total.most[requests.index])
        counts = Counts(bad=bad, total=total)
        evidence += f"; requests: {bad} of {total} failed on {requests.route}"
    return Measured(
        criterion=criterion,
        low=Fraction(surely_up, criterion.over),
        high=1 - Fraction(surely_down, criterion.over),
        estimate=account.availability,
        unit="ratio",
        coverage=account.coverage,
        counts=counts,
        evidence=evidence,
        reason="" if up + down else "no probe was answered in this time",
    )


def _latency(
    parts: Parts, service: ServiceSlos, criterion: Criterion, incidents: tuple[Incident, ...], at: Instant
) -> Measured:
    routes = _routes_for(parts, service, criterion)
    side = BUCKET_SIDES.index("service")
    buckets = parts.rings.buckets(criterion.over)[routes, side].sum(axis=0).tolist() if routes else []
    coverage = _coverage(parts, service, criterion.over)
    if not sum(buckets):
        return _nothing(criterion, "ms", "the service side answered no request in this time", coverage)
    found = quantile([float(bound) for bound in BOUNDS], buckets, Fraction(95, 100))
    if found is None or coverage < FLOOR:
        return _nothing(criterion, "ms", f"only {float(coverage):.2%} of the time was measured", coverage)
    low, high = Fraction(str(found.low)) * 1000, None if found.high is None else Fraction(str(found.high)) * 1000
    within = f"{float(low):.0f} to {float(high):.0f} ms" if high is not None else f"above {float(low):.0f} ms"
    return Measured(
        criterion=criterion,
        low=low,
        high=high,
        estimate=None if found.estimate is None else Fraction(str(found.estimate)) * 1000,
        unit="ms",
        coverage=coverage,
        counts=Counts(bad=0, total=sum(buckets)),
        evidence=f"95th percentile of {sum(buckets)} requests of the service side lies in the bucket {within}",
    )


def _mttr(
    parts: Parts, service: ServiceSlos, criterion: Criterion, incidents: tuple[Incident, ...], at: Instant
) -> Measured:
    paged = [
        (incident.impact_start, incident.mitigated_at)
        for incident in incidents
        if incident.kind is IncidentKind.ROUTE
        and incident.severity is Severity.PAGE
        and incident.impact_start >= at - criterion.over
    ]
    found = mttr(paged, at)
    if found is None:
        return _nothing(criterion, "ms", f"no incident paged in {format_duration(criterion.over)}")
    evidence = f"{found.count} mitigated, {found.open_count} open, worst {format_seconds(found.worst)}"
    if found.median is not None and found.p90 is not None:
        evidence += f", median {format_seconds(int(found.median))}, p90 {format_seconds(found.p90)}"
    return Measured(
        criterion=criterion,
        low=found.mean_low,
        high=found.mean_high,
        estimate=found.mean if found.mean is not None else found.mean_low,
        unit="ms",
        coverage=None,
        counts=Counts(bad=found.open_count, total=len(paged)),
        evidence=evidence,
    )


def _legacy_ratio(
    parts: Parts, service: ServiceSlos, criterion: Criterion, incidents: tuple[Incident, ...], at: Instant
) -> Measured:
    route = parts.rings.catalog.route(criterion.route) if criterion.route else None
    served, everybody = parts.rings.users_by_legacy(criterion.over, route.index if route is not None else None)
    legacy, total = int(served.most[0]), int(everybody.most[0])
    coverage = _coverage(parts, service, criterion.over)
    if not total:
        return _nothing(criterion, "ratio", "no request was seen at the edge in this time", coverage)
    if coverage < FLOOR:
        return _nothing(criterion, "ratio", f"only {float(coverage):.2%} of the time was measured", coverage)
    low, high = lowest_ratio(served, everybody, 0), highest_ratio(served, everybody, 0)
    return Measured(
        criterion=criterion,
        low=low if low is not None else high,
        high=high if high is not None else low,
        estimate=Fraction(legacy, total),
        unit="ratio",
        coverage=coverage,
        counts=Counts(bad=legacy, total=total),
        evidence=f"{legacy} of {total} requests were served by legacy",
    )


def _stream_for(
    parts: Parts, service: ServiceSlos, criterion: Criterion, kind: str, *, any_slo: bool = False
) -> Stream | None:
    """The stream a criterion names, else the first of its kind in its file, else the first of all."""
    streams = [stream for stream in parts.rings.catalog.streams if stream.kind == kind]
    if criterion.slo and not any_slo:
        return next((stream for stream in streams if stream.slo.name == criterion.slo), None)
    home = service
    if criterion.slo:
        named = next((s for s in parts.rings.catalog.streams if s.slo.name == criterion.slo), None)
        home = named.service if named is not None else service
    return next((stream for stream in streams if stream.service is home), streams[0] if streams else None)


def _routes_for(parts: Parts, service: ServiceSlos, criterion: Criterion) -> list[int]:
    routes = parts.rings.catalog.routes
    if criterion.route:
        return [route.index for route in routes if route.route.template == criterion.route]
    if criterion.slo:
        named = {s.route for s in parts.rings.catalog.streams if s.slo.name == criterion.slo}
        return [route.index for route in routes if route.route.template in named]
    return [route.index for route in routes]


def _coverage(parts: Parts, service: ServiceSlos, over: Duration) -> Fraction:
    """Measured time / time of the requests that the criterion is about; the worst of its streams."""
    window = parts.rings.streams(over)
    streams = [s for s in parts.rings.catalog.streams if s.sided and s.service is service]
    streams = streams or [s for s in parts.rings.catalog.streams if s.sided]
    covered = min((int(window.covered.most[stream.index]) for stream in streams), default=0)
    return min(Fraction(covered, over), Fraction(1))
