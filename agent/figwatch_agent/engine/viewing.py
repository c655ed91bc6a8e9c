"""What can be seen: streams, routes and scrape targets at the last tick."""

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from figwatch_agent.durations import HOUR, MINUTE, Duration, Instant
from figwatch_agent.engine.catalog import Stream, Watch, WatchedRoute
from figwatch_agent.engine.history import bounds_of
from figwatch_agent.engine.mapping import BUCKET_SIDES, TRAFFIC_SIDES
from figwatch_agent.engine.measured import measured
from figwatch_agent.engine.saving import Parts
from figwatch_agent.engine.tally import Tally
from figwatch_agent.evaluate.error_budget import budget_remaining
from figwatch_agent.evaluate.weighted import Spent, burn_bounds
from figwatch_agent.model.view import (
    NOTHING,
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
        exclusions=tuple(reversed(parts.excluding.known.values())),
        hold=catalog.settings.alerting.hold,
        wall_step=desk.wall_step,
    )


class _Windows:
    """Counts of all streams over the windows that the tiers need, as plain integers, each read once."""

    def __init__(self, parts: Parts) -> None:
        self._rings = parts.rings
        self._read: dict[Duration, tuple[list[int], ...]] = {}

    def of(self, length: Duration, index: int) -> tuple[int, int, int, int, int]:
        """(bad inside, bad at the edge, total inside, total at the edge, covered time) of one stream."""
        bad, bad_edge, total, total_edge, covered, covered_edge = self._all(length, index)
        return bad, bad_edge, total, total_edge, covered + covered_edge

    def spent(self, stream: Stream, length: Duration, bad: int, bad_edge: int) -> Spent:
        """Bad events of a window beside the traffic of the SLO's whole period."""
        _, _, total, total_edge, covered, covered_edge = self._all(stream.service.window, stream.index)
        return Spent(
            bad=bad,
            bad_edge=bad_edge,
            window=length - self.aside(length, stream.index),
            total=total,
            total_edge=total_edge,
            covered=covered,
            covered_edge=covered_edge,
        )

    def aside(self, length: Duration, index: int) -> Duration:
        """Milliseconds of a window that are set aside."""
        return int(self._rings.time_aside(length)[index]) if self._rings.aside.pieces else 0

    def excluded(self, length: Duration, index: int) -> tuple[Counts, Counts]:
        """(all, at the edge) of the events of a window that are set aside."""
        whole = self._rings.whole(length)
        bad, bad_edge, total, total_edge, _, _ = self._all(length, index)
        most = Counts(
            bad=int(whole.bad.most[index]) - bad - bad_edge, total=int(whole.total.most[index]) - total - total_edge
        )
        return most, Counts(bad=int(whole.bad.edge[index]) - bad_edge, total=int(whole.total.edge[index]) - total_edge)

    def _all(self, length: Duration, index: int) -> tuple[int, int, int, int, int, int]:
        found = self._read.get(length)
        if found is None:
            window = self._rings.streams(length)
            parts = (window.bad, window.total, window.covered)
            read = (counts for part in parts for counts in (part.inside, part.edge))
            found = self._read[length] = tuple(counts.tolist() for counts in read)
        bad, bad_edge, total, total_edge, covered, covered_edge = found
        return bad[index], bad_edge[index], total[index], total_edge[index], covered[index], covered_edge[index]


def _streams(parts: Parts, tally: Tally | None, at: Instant) -> tuple[StreamView, ...]:
    watches: dict[int, list[Watch]] = {}
    for watch in parts.rings.catalog.watches:
        watches.setdefault(watch.stream.index, []).append(watch)
    windows, (total, bad) = _Windows(parts), parts.rings.counted()
    totals = zip((bad + parts.untimed_bad).tolist(), (total + parts.untimed_total).tolist(), strict=True)
    return tuple(
        _stream(parts, stream, watches.get(stream.index, []), windows, Counts(bad=all_bad, total=all_total), tally, at)
        for stream, (all_bad, all_total) in zip(parts.rings.catalog.streams, totals, strict=True)
    )


def _stream(
    parts: Parts,
    stream: Stream,
    watches: list[Watch],
    windows: _Windows,
    totals: Counts,
    tally: Tally | None,
    at: Instant,
) -> StreamView:
    index, length, objective = stream.index, stream.service.window, stream.slo.objective
    bad, bad_edge, total, total_edge, covered = windows.of(length, index)
    counts, budget = Counts(bad=bad + bad_edge, total=total + total_edge), 1 - objective
    aside = windows.aside(length, index)
    measurable = max(length - aside, 1)
    since = max(min(length, at - (parts.rings.first_tick or at)) - aside, 1)
    excluded, excluded_edge = windows.excluded(length, index) if aside else (NOTHING, NOTHING)
    known = tally is not None and bool(tally.known[index])
    idle = known and not stream.probed and tally is not None and not int(tally.total[index].sum())
    return StreamView(
        slo=stream.slo.name,
        service=stream.service.service,
        route=stream.route,
        kind=stream.kind,
        objective=objective,
        window=length,
        counts=counts,
        edge=Counts(bad=bad_edge, total=total_edge),
        budget_left=budget_remaining(counts.bad, counts.total, objective),
        coverage=Fraction(min(covered, measurable), measurable),
        known=Fraction(min(covered, since), since),
        totals=totals,
        state=_state(tally, index, idle),
        excluded=excluded,
        excluded_edge=excluded_edge,
        excluded_time=aside,
        finding="" if tally is None else tally.stream_findings.get(index, ""),
        tiers=tuple(_tier(parts, watch, budget, windows) for watch in watches),
        burn=stream.slo.burn,
        span=_span(parts, stream),
    )


def _state(tally: Tally | None, index: int, idle: bool) -> str:
    if tally is not None and bool(tally.excluded[index]):
        return "excluded"
    if tally is None or not bool(tally.known[index]):
        return "unknown"
    return "idle" if idle else "ok"


def _tier(parts: Parts, watch: Watch, budget: Fraction, windows: _Windows) -> TierView:
    long = watch.long or MINUTE
    bad, bad_edge, total, total_edge, _ = windows.of(long, watch.stream.index)
    # The cut slot's bad events before the window and its good ones in it, then the other way round.
    low = _burn(bad, total + max(total_edge - bad_edge, 0), budget)
    high = _burn(bad + max(bad_edge, 0), total + max(bad_edge, 0), budget) if total_edge else low
    weighted = burn_bounds(windows.spent(watch.stream, long, bad, bad_edge), budget)
    return TierView(
        name=watch.tier if watch.lane == "all" else f"{watch.tier} ({watch.lane})",
        severity=watch.severity.value,
        factor=watch.factor,
        long=long,
        short=watch.short,
        burn_low=low,
        burn_high=high,
        firing=watch.index in parts.watches.firing,
        traffic_low=weighted[0],
        traffic_high=weighted[1],
    )


def _burn(bad: int, events: int, budget: Fraction) -> Fraction | None:
    return Fraction(bad * budget.denominator, events * budget.numerator) if events > 0 else None


def _span(parts: Parts, stream: Stream) -> Span | None:
    if not stream.probed:
        return None
    up, down = parts.rings.uptime(stream.service.window)[stream.index]
    aside = int(parts.rings.time_aside(stream.service.window)[stream.index])
    return Span(up=up, down=down, unknown=max(stream.service.window - aside - up - down, 0))


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
                known=tally is not None and any(bool(tally.known[index] or tally.excluded[index]) for index in streams),
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
