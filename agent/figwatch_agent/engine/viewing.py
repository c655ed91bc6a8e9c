"""What can be seen: streams, routes and scrape targets at the last tick."""

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from figwatch_agent.durations import HOUR, MINUTE, Instant
from figwatch_agent.engine.catalog import Stream, Watch, WatchedRoute
from figwatch_agent.engine.counting import Tally
from figwatch_agent.engine.history import bounds_of
from figwatch_agent.engine.mapping import BUCKET_SIDES, TRAFFIC_SIDES
from figwatch_agent.engine.measured import measured
from figwatch_agent.engine.saving import Parts
from figwatch_agent.evaluate.error_budget import budget_remaining
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

Integers = NDArray[np.int64]

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
        streams=_streams(parts, tally, at),
        routes=_routes(parts, tally),
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


def _streams(parts: Parts, tally: Tally | None, at: Instant) -> tuple[StreamView, ...]:
    watches: dict[int, list[Watch]] = {}
    for watch in parts.rings.catalog.watches:
        watches.setdefault(watch.stream.index, []).append(watch)
    counted = parts.rings.counted()
    return tuple(
        _stream(parts, stream, watches.get(stream.index, []), counted, tally, at)
        for stream in parts.rings.catalog.streams
    )


def _stream(
    parts: Parts,
    stream: Stream,
    watches: list[Watch],
    counted: tuple[Integers, Integers],
    tally: Tally | None,
    at: Instant,
) -> StreamView:
    index, window = stream.index, parts.rings.streams(stream.service.window)
    edge = Counts(bad=int(window.bad.edge[index]), total=int(window.total.edge[index]))
    counts = Counts(bad=int(window.bad.inside[index]) + edge.bad, total=int(window.total.inside[index]) + edge.total)
    covered = int(window.covered.most[index])
    since = max(min(stream.service.window, at - (parts.rings.first_tick or at)), 1)
    all_total, all_bad = counted
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
        counts=counts,
        edge=edge,
        budget_left=budget_remaining(counts.bad, counts.total, stream.slo.objective),
        coverage=min(Fraction(covered, stream.service.window), Fraction(1)),
        known=min(Fraction(covered, since), Fraction(1)),
        totals=Counts(
            bad=int(all_bad[index] + parts.untimed_bad[index]), total=int(all_total[index] + parts.untimed_total[index])
        ),
        state="unknown" if not known else "idle" if idle else "ok",
        finding=finding,
        tiers=tuple(_tier(parts, stream, watch) for watch in watches),
        span=_span(parts, stream),
    )


def _tier(parts: Parts, stream: Stream, watch: Watch) -> TierView:
    budget = 1 - stream.slo.objective
    window = parts.rings.streams(watch.long or MINUTE)
    low = lowest_ratio(window.bad, window.total, stream.index)
    high = highest_ratio(window.bad, window.total, stream.index)
    return TierView(
        name=watch.tier if watch.lane == "all" else f"{watch.tier} ({watch.lane})",
        severity=watch.severity.value,
        factor=watch.factor,
        long=watch.long or MINUTE,
        short=watch.short,
        burn_low=None if low is None else low / budget,
        burn_high=None if high is None else high / budget,
        firing=watch.index in parts.watches.firing,
    )


def _span(parts: Parts, stream: Stream) -> Span | None:
    if not stream.probed:
        return None
    up, down = parts.rings.uptime(stream.service.window)[stream.index]
    return Span(up=up, down=down, unknown=max(stream.service.window - up - down, 0))


def _routes(parts: Parts, tally: Tally | None) -> tuple[RouteView, ...]:
    hour, lately = parts.rings.traffic(HOUR).tolist(), parts.rings.traffic(SIDES_OVER).tolist()
    buckets = parts.rings.buckets(SIDES_OVER)
    sided = [stream.index for stream in parts.rings.catalog.streams if stream.sided]
    found: list[RouteView] = []
    for route in parts.rings.catalog.routes:
        streams = parts.rings.sided.get(route.index, sided)
        found.append(
            RouteView(
                route=route.route.template,
                service=route.service.service,
                stage=route.route.stage,
                plan=route.plan.name if route.plan else None,
                armed=route.route.template not in parts.desk.latches.latched,
                requests=tuple(zip(TRAFFIC_SIDES, hour[route.index], strict=True)),
                sides=_sides(parts, route, buckets),
                lately=tuple(zip(TRAFFIC_SIDES, lately[route.index], strict=True)),
                known=tally is not None and any(bool(tally.known[index]) for index in streams),
            )
        )
    return tuple(found)


def _sides(parts: Parts, route: WatchedRoute, buckets: Integers) -> tuple[SideView, ...]:
    judging = int(parts.rings.judging[route.index])
    stream = None if judging < 0 else parts.rings.catalog.streams[judging]
    counts = ((0, 0), (0, 0)) if stream is None else parts.rings.sides(stream, SIDES_OVER)
    return tuple(
        _side(side, counts[place], buckets[route.index, place].tolist()) for place, side in enumerate(BUCKET_SIDES)
    )


def _side(side: str, counts: tuple[int, int], buckets: list[int]) -> SideView:
    p50, p95, p99 = (bounds_of(buckets, q) for q in (Fraction(50, 100), Fraction(95, 100), Fraction(99, 100)))
    return SideView(side=side, over=SIDES_OVER, requests=counts[1], failed=counts[0], p50=p50, p95=p95, p99=p99)


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
