"""What can be seen: streams, routes and scrape targets at the last tick."""

from fractions import Fraction

from figwatch_agent.durations import HOUR, MINUTE, Instant
from figwatch_agent.engine.catalog import Stream, WatchedRoute
from figwatch_agent.engine.counting import Tally
from figwatch_agent.engine.mapping import BOUNDS, BUCKET_SIDES, TRAFFIC_SIDES
from figwatch_agent.engine.measured import measured
from figwatch_agent.engine.saving import Parts
from figwatch_agent.evaluate.error_budget import budget_remaining
from figwatch_agent.evaluate.latency import quantile
from figwatch_agent.evaluate.windows import highest_ratio, lowest_ratio
from figwatch_agent.model.view import (
    Counts,
    RouteView,
    SideView,
    SilenceView,
    Span,
    StreamView,
    TargetView,
    TierView,
    View,
)

SIDES_OVER = 5 * MINUTE
SHOWN_INCIDENTS = 50


def view_of(parts: Parts, tally: Tally | None, sequence: int, at: Instant) -> View:
    """The view at the last tick."""
    catalog, desk = parts.rings.catalog, parts.desk
    incidents = [*(case.incident for case in desk.cases.values()), *reversed(desk.closed)]
    return View(
        at=at,
        started_at=parts.rings.first_tick or at,
        sequence=sequence,
        migration=catalog.migration,
        streams=tuple(_stream(parts, stream, tally, at) for stream in catalog.streams),
        routes=tuple(_route(parts, route) for route in catalog.routes),
        incidents=tuple(incidents[:SHOWN_INCIDENTS]),
        criteria=measured(parts, tuple(incidents), at),
        targets=_targets(parts),
        findings=tuple(desk.findings.values()),
        silences=tuple(
            SilenceView(subject=each.subject, until=each.until, actor=each.actor, why=each.why)
            for each in desk.silences
            if each.until > at
        ),
        mode=catalog.settings.rollback.mode.value,
        hold=catalog.settings.alerting.hold,
        wall_step=desk.wall_step,
    )


def _stream(parts: Parts, stream: Stream, tally: Tally | None, at: Instant) -> StreamView:
    index, window = stream.index, parts.rings.streams(stream.service.window)
    bad, total = int(window.bad.most[index]), int(window.total.most[index])
    covered = int(window.covered.most[index])
    since = max(min(stream.service.window, at - (parts.rings.first_tick or at)), 1)
    all_total, all_bad = parts.rings.counted()
    finding = "" if tally is None else tally.stream_findings.get(index, "")
    known = tally is not None and bool(tally.known[index])
    idle = known and not stream.probed and tally is not None and not int(tally.total[index].sum())
    return StreamView(
        slo=stream.slo.name,
        service=stream.service.service,
        route=stream.route,
        kind=stream.kind,
        objective=stream.slo.objective,
        window=stream.service.window,
        counts=Counts(bad=bad, total=total),
        budget_left=budget_remaining(bad, total, stream.slo.objective),
        coverage=min(Fraction(covered, stream.service.window), Fraction(1)),
        known=min(Fraction(covered, since), Fraction(1)),
        totals=Counts(
            bad=int(all_bad[index] + parts.untimed_bad[index]), total=int(all_total[index] + parts.untimed_total[index])
        ),
        state="unknown" if not known else "idle" if idle else "ok",
        finding=finding,
        tiers=_tiers(parts, stream),
        span=_span(parts, stream),
    )


def _tiers(parts: Parts, stream: Stream) -> tuple[TierView, ...]:
    budget = 1 - stream.slo.objective
    found: list[TierView] = []
    for watch in parts.rings.catalog.watches:
        if watch.stream is not stream:
            continue
        window = parts.rings.streams(watch.long or MINUTE)
        low = lowest_ratio(window.bad, window.total, stream.index)
        high = highest_ratio(window.bad, window.total, stream.index)
        found.append(
            TierView(
                name=watch.tier if watch.lane == "all" else f"{watch.tier} ({watch.lane})",
                severity=watch.severity.value,
                factor=watch.factor,
                long=watch.long or MINUTE,
                short=watch.short,
                burn_low=None if low is None else low / budget,
                burn_high=None if high is None else high / budget,
                firing=watch.index in parts.watches.firing,
            )
        )
    return tuple(found)


def _span(parts: Parts, stream: Stream) -> Span | None:
    if not stream.probed:
        return None
    up, down = parts.rings.uptime(stream.service.window)[stream.index]
    return Span(up=up, down=down, unknown=max(stream.service.window - up - down, 0))


def _route(parts: Parts, route: WatchedRoute) -> RouteView:
    hour = parts.rings.traffic(HOUR)[route.index]
    return RouteView(
        route=route.route.template,
        service=route.service.service,
        stage=route.route.stage,
        plan=route.plan.name if route.plan else None,
        armed=route.route.template not in parts.desk.latches.latched,
        requests=tuple((side, int(count)) for side, count in zip(TRAFFIC_SIDES, hour, strict=True)),
        sides=tuple(_side(parts, route, side) for side in BUCKET_SIDES),
    )


def _side(parts: Parts, route: WatchedRoute, side: str) -> SideView:
    buckets = parts.rings.buckets(SIDES_OVER)[route.index, BUCKET_SIDES.index(side)]
    stream = next(
        (s for s in parts.rings.catalog.streams if s.kind == "availability" and s.route == route.route.template), None
    )
    counts = parts.rings.sides(stream, SIDES_OVER)[BUCKET_SIDES.index(side)] if stream is not None else (0, 0)
    p50, p95, p99 = (bounds_of(buckets.tolist(), q) for q in (Fraction(50, 100), Fraction(95, 100), Fraction(99, 100)))
    return SideView(side=side, over=SIDES_OVER, requests=counts[1], failed=counts[0], p50=p50, p95=p95, p99=p99)


def bounds_of(buckets: list[int], q: Fraction) -> tuple[Fraction, Fraction | None] | None:
    """(at least, at most) seconds of a quantile; None without requests, no upper end beyond the last bucket."""
    found = quantile([float(bound) for bound in BOUNDS], buckets, q)
    if found is None:
        return None
    return Fraction(str(found.low)), None if found.high is None else Fraction(str(found.high))


def _targets(parts: Parts) -> tuple[TargetView, ...]:
    return tuple(
        TargetView(
            target=target,
            up=memory.answered,
            reason="" if memory.answered else parts.desk.findings.get(target, "not answered"),
            last_answer=memory.at,
        )
        for target, memory in sorted(parts.counter.memories.items())
    )
