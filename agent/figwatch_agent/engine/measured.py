"""The figures of the success criteria, with the bounds that the data leave open. Verdicts are the report's."""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

from figwatch import contract
from figwatch_agent.decide.incidents import timed
from figwatch_agent.durations import Duration, Instant, format_duration, format_seconds
from figwatch_agent.engine.catalog import Stream
from figwatch_agent.engine.figures import EVENT_KINDS, brought_of, data_loss_of, frequency_of, nothing
from figwatch_agent.engine.mapping import BOUNDS, BUCKET_SIDES
from figwatch_agent.engine.measuring import StreamWindow
from figwatch_agent.engine.saving import Parts
from figwatch_agent.evaluate.latency import quantile, rank_bucket
from figwatch_agent.evaluate.mttr import Mttr, StageFigures, Stages, mttr, stages
from figwatch_agent.evaluate.uptime import RequestUptime, Uptime
from figwatch_agent.evaluate.windows import highest_ratio, lowest_ratio
from figwatch_agent.model.incident import Incident, IncidentKind
from figwatch_agent.model.names import Measure
from figwatch_agent.model.slo import Criterion, ServiceSlos
from figwatch_agent.model.view import Counts, Figure, Measured

PROBES, REQUESTS = "probe_based", "request_based"

P95 = Fraction(95, 100)

FLOOR = Fraction(1, 2)
"""Less of the time measured than this, and traffic and latency figures decide nothing."""

_BOUNDS = [float(bound) for bound in BOUNDS]

_Figure = Callable[[Parts, ServiceSlos, Criterion, tuple[Incident, ...], Instant], Measured]


def measured(parts: Parts, incidents: tuple[Incident, ...], at: Instant) -> tuple[Measured, ...]:
    """One figure per criterion, in the order of the files."""
    figures: dict[Measure, _Figure] = {
        Measure.UPTIME: _uptime,
        Measure.LATENCY_P95: _latency,
        Measure.MTTR: _mttr,
        Measure.LEGACY_RATIO: _legacy_ratio,
        **dict.fromkeys((*EVENT_KINDS, Measure.DATA_LOSS), _told),
    }
    return tuple(
        replace(
            figures[criterion.measure](parts, service, criterion, incidents, at),
            start=max(at - criterion.over, 0),
            end=at,
        )
        for service, criterion in parts.rings.catalog.criteria
    )


def _told(
    parts: Parts, service: ServiceSlos, criterion: Criterion, incidents: tuple[Incident, ...], at: Instant
) -> Measured:
    book = parts.desk.book
    if criterion.measure is Measure.DATA_LOSS:
        return data_loss_of(book, service, criterion, at, parts.desk.readings)
    if criterion.measure is Measure.DEPLOYMENT_FREQUENCY:
        return frequency_of(book, service, criterion, at)
    return brought_of(book, service, criterion, at)


def _uptime(
    parts: Parts, service: ServiceSlos, criterion: Criterion, incidents: tuple[Incident, ...], at: Instant
) -> Measured:
    """By probes and by requests, side by side. Probes decide, or requests where no uptime SLO is declared or named."""
    probes = _stream_for(parts, service, criterion, "uptime")
    named = _stream_for(parts, service, criterion, "availability")
    requests = named or _stream_for(parts, service, criterion, "availability", any_slo=True)
    figures = [
        *([] if probes is None else [_probe_based(parts, probes, criterion)]),
        *([] if requests is None else [_request_based(parts, requests, criterion)]),
    ]
    if not figures:
        return nothing(criterion, "ratio", "no uptime SLO is declared for it")
    decides = figures[0]
    counts = figures[-1].counts if requests is not None else None
    by_probes = decides.name == PROBES
    why = "no probe was answered in this time" if by_probes else "no request was seen in this time"
    return Measured(
        criterion=criterion,
        low=decides.low,
        high=decides.high,
        estimate=decides.estimate,
        unit="ratio",
        coverage=decides.coverage,
        counts=counts,
        evidence="; ".join(figure.note for figure in figures),
        reason="" if decides.estimate is not None else why,
        query=f"{'probes' if by_probes else 'requests'} decide; {_asked(probes, requests)}",
        figures=tuple(figures),
    )


def _asked(probes: Stream | None, requests: Stream | None) -> str:
    """Which SLOs were read."""
    named = (("probes of", probes), ("requests of", requests))
    return ", ".join(f"{word} {stream.slo.name}" for word, stream in named if stream is not None)


def _probe_based(parts: Parts, stream: Stream, criterion: Criterion) -> Figure:
    up, down = parts.rings.uptime(criterion.over)[stream.index]
    surely_up, surely_down = parts.rings.uptime_at_least(criterion.over)[stream.index]
    over = max(criterion.over - int(parts.rings.time_aside(criterion.over)[stream.index]), 1)
    # The slot at the window's edge is longer than what of it lies inside.
    up, down = min(up, over), min(down, over)
    unknown = max(over - up - down, 0)
    account = Uptime(up_ms=up, down_ms=down, unknown_ms=unknown)
    return Figure(
        name=PROBES,
        low=Fraction(surely_up, over),
        high=1 - Fraction(surely_down, over),
        estimate=account.availability,
        unit="ratio",
        coverage=account.coverage,
        note=f"probes: up {format_seconds(up)}, down {format_seconds(down)}, unknown {format_seconds(unknown)}",
    )


def _request_based(parts: Parts, stream: Stream, criterion: Criterion) -> Figure:
    window = parts.rings.streams(criterion.over)
    streams = [each for each in parts.rings.catalog.streams if each.slo is stream.slo]
    streams = [each for each in streams if criterion.route in (None, each.route)] or streams
    places = [each.index for each in streams]
    bad, total = int(window.bad.most[places].sum()), int(window.total.most[places].sum())
    account = RequestUptime(
        bad_low=int(window.bad.inside[places].sum()),
        bad_high=bad,
        total_low=int(window.total.inside[places].sum()),
        total_high=total,
        covered=min(parts.rings.covered_at_least(criterion.over, place) for place in places),
        window=max(criterion.over - int(window.aside[places].min()), 1),
    )
    where = streams[0].route if len(streams) == 1 else f"{len(streams)} routes"
    return Figure(
        name=REQUESTS,
        low=account.lower_bound,
        high=account.upper_bound,
        estimate=account.availability,
        unit="ratio",
        coverage=account.coverage,
        counts=Counts(bad=bad, total=total),
        note=f"requests: {bad} of {total} failed on {where}",
    )


def _latency(
    parts: Parts, service: ServiceSlos, criterion: Criterion, incidents: tuple[Incident, ...], at: Instant
) -> Measured:
    routes = _routes_for(parts, service, criterion)
    side = BUCKET_SIDES.index("service")
    inside, edge = (
        counts[routes, side].sum(axis=0).tolist() if routes else []
        for counts in parts.rings.bucket_parts(criterion.over)
    )
    buckets = [sure + maybe for sure, maybe in zip(inside, edge, strict=True)]
    coverage = _coverage(parts, service, criterion.over)
    if not sum(buckets):
        return nothing(criterion, "ms", "the service side answered no request in this time", coverage)
    found, places = quantile(_BOUNDS, buckets, P95), rank_bucket(inside, edge, P95)
    if found is None or places is None or coverage < FLOOR:
        return nothing(criterion, "ms", f"only {float(coverage):.2%} of the time was measured", coverage)
    low = BOUNDS[places[0] - 1] * 1000 if places[0] else Fraction(0)
    high = BOUNDS[places[1]] * 1000 if places[1] < len(BOUNDS) else None
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
        query=f"buckets of {contract.REQUEST_DURATION}, service side, at the edge",
    )


def _mttr(
    parts: Parts, service: ServiceSlos, criterion: Criterion, incidents: tuple[Incident, ...], at: Instant
) -> Measured:
    paged = [
        incident
        for incident in incidents
        if incident.kind is IncidentKind.ROUTE
        and timed(incident)
        and incident.impact_start >= at - criterion.over
        and criterion.route in (None, incident.route)
    ]
    found = mttr([(incident.impact_start, incident.mitigated_at) for incident in paged], at)
    if found is None:
        return nothing(criterion, "ms", f"no incident paged in {format_duration(criterion.over)}")
    evidence = f"{found.count} mitigated, {found.open_count} open, worst {format_seconds(found.worst)}"
    if found.median is not None and found.p90 is not None:
        evidence += f", median {format_seconds(int(found.median))}, p90 {format_seconds(found.p90)}"
    every = stages([_stages(incident) for incident in paged], at)
    return Measured(
        criterion=criterion,
        low=found.mean_low,
        high=found.mean_high,
        estimate=found.mean if found.mean is not None else found.mean_low,
        unit="ms",
        coverage=None,
        counts=Counts(bad=found.open_count, total=len(paged)),
        evidence=evidence,
        query=f"incidents that paged{' on ' + criterion.route if criterion.route else ''}, impact_start to mitigated",
        figures=tuple(figure for stage in every for figure in _stage_figures(stage)),
    )


def _stages(incident: Incident) -> Stages:
    return Stages(
        impact_start=incident.impact_start,
        detected=incident.detected_at,
        paged=incident.paged_at,
        acknowledged=incident.acknowledged_at,
        mitigated=incident.mitigated_at,
        resolved=incident.resolved_at,
    )


def _stage_figures(stage: StageFigures) -> list[Figure]:
    """Mean (with its bounds), median, p90 and worst of the times to one stage."""
    found = stage.figures
    counts = Counts(bad=found.open_count, total=found.count + found.open_count)
    skipped = f", {stage.skipped} ended without it" if stage.skipped else ""
    note = f"{found.count} reached it, {found.open_count} may still{skipped}"
    return [
        Figure(
            name=f"{stage.stage} mean",
            low=found.mean_low,
            high=found.mean_high,
            estimate=found.mean,
            unit="ms",
            counts=counts,
            note=note,
        ),
        *(
            Figure(name=f"{stage.stage} {word}", low=low, high=high, estimate=value, unit="ms", counts=counts)
            for word, low, high, value in _spread(found)
        ),
    ]


def _spread(found: Mttr) -> list[tuple[str, Fraction | None, Fraction | None, Fraction | None]]:
    """Of those that reached the stage; the worst counts the others at their age, so it may grow while any may."""
    p90 = None if found.p90 is None else Fraction(found.p90)
    worst = Fraction(found.worst)
    return [
        ("median", found.median, found.median, found.median),
        ("p90", p90, p90, p90),
        ("worst", worst, None if found.open_count else worst, worst),
    ]


def _legacy_ratio(
    parts: Parts, service: ServiceSlos, criterion: Criterion, incidents: tuple[Incident, ...], at: Instant
) -> Measured:
    route = parts.rings.catalog.route(criterion.route) if criterion.route else None
    served, everybody = parts.rings.users_by_legacy(criterion.over, route.index if route is not None else None)
    legacy, total = int(served.most[0]), int(everybody.most[0])
    coverage = _coverage(parts, service, criterion.over)
    if not total:
        return nothing(criterion, "ratio", "no request was seen at the edge in this time", coverage)
    if coverage < FLOOR:
        return nothing(criterion, "ratio", f"only {float(coverage):.2%} of the time was measured", coverage)
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
        query=f"requests at the edge {'on ' + criterion.route if criterion.route else 'on every route'}, by who served",
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
    shares = (_share(window, stream.index, over) for stream in streams)
    return min(shares, default=Fraction(0))


def _share(window: StreamWindow, stream: int, over: Duration) -> Fraction:
    """Measured time / time, without time that is excluded."""
    measurable = max(over - int(window.aside[stream]), 1)
    return min(Fraction(int(window.covered.most[stream]), measurable), Fraction(1))
