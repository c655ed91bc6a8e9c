"""The past as the rings hold it: both sides of a route slot by slot, and who served every route.

What is asked for twice between two ticks is worked out once.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from figwatch_agent.durations import DAY, HOUR, MINUTE, SECOND, Duration, Instant
from figwatch_agent.engine.catalog import Stream, WatchedRoute
from figwatch_agent.engine.mapping import BOUNDS, BUCKET_SIDES, TRAFFIC_SIDES
from figwatch_agent.engine.measuring import COVERED, Rings
from figwatch_agent.model.history import SPANS, Axis, Bounds, BudgetHistory, Count, RouteHistory, RouteShare, Shares
from figwatch_agent.model.history import SideHistory as Side

Counts = NDArray[np.int64]

SHARE_STEPS: dict[Duration, Duration] = {
    15 * MINUTE: 30 * SECOND,
    HOUR: 2 * MINUTE,
    6 * HOUR: 10 * MINUTE,
    3 * DAY: 2 * HOUR,
    30 * DAY: DAY,
}
"""Slots of the shares by span: 30 to 36 points, as many as a small picture can show."""

BUDGET_SLOTS = 120
"""At most so many points of a budget's window."""

_STEPS: tuple[Duration, ...] = (
    *(each * SECOND for each in (10, 20, 30)),
    *(each * MINUTE for each in (1, 2, 4, 6, 10, 20, 30)),
    *(each * HOUR for each in (1, 2, 4, 6, 12)),
    *(each * DAY for each in (1, 2, 5, 10)),
)
_P95 = Fraction(95, 100)
_LEGACY, _SHADOW = TRAFFIC_SIDES.index("legacy"), TRAFFIC_SIDES.index("shadow")


class Histories:
    """Reads the rings; nothing is changed."""

    def __init__(self, rings: Rings) -> None:
        self._rings = rings
        self._at: Instant | None = None
        self._routes: dict[tuple[str, Duration], RouteHistory] = {}
        self._shares: dict[Duration, Shares] = {}

    def route(self, template: str, span: Duration) -> RouteHistory | None:
        """One route over a span of model.history.SPANS; None for a route that no file declares, or before a tick."""
        watched, now = self._rings.catalog.route(template), self._now()
        if watched is None or now is None:
            return None
        key = watched.route.template, span
        if key not in self._routes:
            self._routes[key] = self._route(
                watched, axis_to(now, span, self._at_least(_step_of(span), span, _read(span)))
            )
        return self._routes[key]

    def shares(self, span: Duration) -> Shares:
        """Legacy's share of every route over a span of model.history.SPANS; without slots before the first tick."""
        now = self._now()
        if now is None:
            return self._shares_on(Axis(start=0, step=SHARE_STEPS[span], slots=0, until=0))
        if span not in self._shares:
            self._shares[span] = self._shares_on(
                axis_to(now, span, self._at_least(SHARE_STEPS[span], span, ("traffic", "budget")))
            )
        return self._shares[span]

    def _now(self) -> Instant | None:
        now = self._rings.rings["budget"].at
        if now != self._at:
            self._at = now
            self._routes.clear()
            self._shares.clear()
        return now

    def _at_least(self, step: Duration, span: Duration, rings: tuple[str, ...]) -> Duration:
        """The first step from this one on at which all of these rings have boundaries so far back.

        Slots shorter than two scrape intervals would be empty now and then although nothing is missing.
        """
        least = 2 * self._rings.catalog.settings.interval
        kept = [self._rings.rings[ring].level_of(span).resolution for ring in rings]
        steps = (each for each in (*_STEPS, least) if each >= max(step, least))
        return min(next((each for each in steps if not any(each % level for level in kept)), span), span)

    def _route(self, watched: WatchedRoute, axis: Axis) -> RouteHistory:
        streams = [s for s in self._rings.catalog.streams if s.sided and s.route == watched.route.template]
        covered = self._covered(axis)[watched.index]
        return RouteHistory(
            axis=axis,
            route=watched.route.template,
            service=watched.service.service,
            covered=tuple(min(int(each), axis.lasted(slot)) for slot, each in enumerate(covered)),
            sides=tuple(self._side(watched, axis, place, covered > 0) for place in range(len(BUCKET_SIDES))),
            budgets=tuple(self._budget(stream, axis.until) for stream in streams),
        )

    def _side(self, watched: WatchedRoute, axis: Axis, place: int, known: NDArray[np.bool_]) -> Side:
        edge = known if watched.service.vantage == "edge" else np.zeros_like(known)
        width, side = len(TRAFFIC_SIDES), BUCKET_SIDES[place]
        column = watched.index * width + TRAFFIC_SIDES.index(side)
        requests = self._slots("traffic", axis, slice(column, column + 1))[:, 0]
        judged, failed = self._answers(watched, axis, place)
        return Side(
            side=side,
            requests=_known(requests, edge),
            judged=_known(judged, known),
            failed=_known(failed, known),
            p95=self._quantiles(watched, axis, place, edge),
        )

    def _answers(self, watched: WatchedRoute, axis: Axis, place: int) -> tuple[Counts, Counts]:
        """(judged, failed) of one side: the last hour from the ring of decisions, days from the one that is shown."""
        stream = int(self._rings.judging[watched.index])
        if stream < 0:
            return np.zeros(axis.slots, dtype=np.int64), np.zeros(axis.slots, dtype=np.int64)
        ring = "sides" if axis.slots * axis.step <= HOUR else "answers"
        if ring == "sides":
            total, bad = self._rings.side_columns(stream, place)
        else:
            routes = len(self._rings.catalog.routes)
            total = watched.index * len(BUCKET_SIDES) + place
            bad = total + routes * len(BUCKET_SIDES)
        judged, failed = (self._slots(ring, axis, slice(column, column + 1))[:, 0] for column in (total, bad))
        return judged, failed

    def _quantiles(
        self, watched: WatchedRoute, axis: Axis, place: int, known: NDArray[np.bool_]
    ) -> tuple[Bounds | None, ...]:
        width = len(BOUNDS) + 1
        first = (watched.index * len(BUCKET_SIDES) + place) * width
        cumulative = self._slots("buckets", axis, slice(first, first + width))
        each = np.maximum(np.diff(cumulative, axis=1, prepend=0), 0)
        return tuple(bounds_of(row.tolist(), _P95) if seen else None for row, seen in zip(each, known, strict=True))

    def _budget(self, stream: Stream, now: Instant) -> BudgetHistory:
        window = stream.service.window
        axis = axis_to(now, window, self._at_least(self._budget_step(window), window, ("budget",)))
        count, whole = len(self._rings.catalog.streams), self._rings.streams(window)
        total, bad = (
            self._slots("budget", axis, slice(column, column + 1))[:, 0]
            for column in (stream.index, count + stream.index)
        )
        covered = self._measured(axis, slice(stream.index, stream.index + 1))[:, 0]
        return BudgetHistory(
            slo=stream.slo.name,
            kind=stream.kind,
            objective=stream.slo.objective,
            window=window,
            axis=axis,
            bad=_known(bad, covered > 0),
            total=_known(total, covered > 0),
            window_bad=int(whole.bad.most[stream.index]),
            window_total=int(whole.total.most[stream.index]),
        )

    def _shares_on(self, axis: Axis) -> Shares:
        catalog = self._rings.catalog
        if not axis.slots:
            traffic = np.zeros((0, len(catalog.routes) + 1, len(TRAFFIC_SIDES)), dtype=np.int64)
            covered = np.zeros((len(catalog.routes), 0), dtype=np.int64)
        else:
            traffic = self._slots("traffic", axis).reshape(axis.slots, -1, len(TRAFFIC_SIDES))
            covered = self._covered(axis)
        legacy, total = traffic[:, :, _LEGACY], traffic.sum(axis=2) - traffic[:, :, _SHADOW]
        edge = np.array([route.service.vantage == "edge" for route in catalog.routes], dtype=np.bool_)
        known = (covered > 0) & edge[:, None]
        anywhere: NDArray[np.bool_] = np.logical_or.reduce(known, axis=0)
        return Shares(
            axis=axis,
            routes=tuple(_shared(catalog.routes, legacy, total, known)),
            overall=RouteShare(
                route="",
                service="",
                legacy=_known(legacy.sum(axis=1), anywhere),
                total=_known(total.sum(axis=1), anywhere),
            ),
        )

    def _covered(self, axis: Axis) -> Counts:
        """Measured time by [route, slot]: of the best measured stream of the route, of any route where it has none."""
        catalog = self._rings.catalog
        covered = self._measured(axis).T
        sided = [stream.index for stream in catalog.streams if stream.sided]
        anywhere = covered[sided].max(axis=0) if sided else np.zeros(axis.slots, dtype=np.int64)
        found = np.tile(anywhere, (len(catalog.routes), 1))
        for route, streams in self._rings.sided.items():
            found[route] = covered[streams].max(axis=0)
        return found

    def _slots(self, ring: str, axis: Axis, columns: slice = slice(None)) -> Counts:
        """Events by [slot, column]."""
        found: Counts = np.diff(self._rings.counted_at(ring, _boundaries(axis), columns), axis=0)
        return found

    def _measured(self, axis: Axis, streams: slice = slice(None)) -> Counts:
        """Covered time by [slot, stream]."""
        found: Counts = np.diff(self._rings.counted_at(COVERED, _boundaries(axis), streams), axis=0)
        return found

    def _budget_step(self, window: Duration) -> Duration:
        """How long a slot of a budget's window is: of such boundaries the rings of budgets have all."""
        level = self._rings.rings["budget"].level_of(window).resolution
        return next((step for step in _STEPS if window <= BUDGET_SLOTS * step and step % level == 0), _STEPS[-1])


def _read(span: Duration) -> tuple[str, ...]:
    """Rings that a route's history over a span is read from."""
    return "budget", "traffic", "buckets", "sides" if span <= HOUR else "answers"


def _boundaries(axis: Axis) -> Counts:
    return axis.start + axis.step * np.arange(axis.slots + 1, dtype=np.int64)


def axis_to(now: Instant, span: Duration, step: Duration) -> Axis:
    """Slots of ``step`` that reach back nearly ``span``; the last one holds ``now``."""
    slots = max(span // step, 1)
    end = -(-now // step) * step
    return Axis(start=end - slots * step, step=step, slots=slots, until=now)


def bounds_of(buckets: list[int], q: Fraction) -> Bounds | None:
    """(at least, at most) seconds of a quantile; None without requests, no upper end beyond the last bucket.

    It is the observation of rank ceil(q n) in ascending order, as in evaluate.latency, by exact bounds.
    """
    total = sum(buckets)
    if not total:
        return None
    place = bisect_left(list(accumulate(buckets)), -(-q.numerator * total // q.denominator))
    low = BOUNDS[place - 1] if place else Fraction(0)
    return low, BOUNDS[place] if place < len(BOUNDS) else None


def _step_of(span: Duration) -> Duration:
    return next(step for back, step in SPANS.values() if back == span)


def _known(counts: Counts, known: NDArray[np.bool_]) -> tuple[Count, ...]:
    return tuple(int(count) if seen else None for count, seen in zip(counts, known, strict=True))


def _shared(
    routes: Sequence[WatchedRoute], legacy: Counts, total: Counts, known: NDArray[np.bool_]
) -> Iterator[RouteShare]:
    count = len(routes)
    legacies, totals = (_masked(each.T[:count], known) for each in (legacy, total))
    for route, mine, everything in zip(routes, legacies, totals, strict=True):
        yield RouteShare(
            route=route.route.template, service=route.service.service, legacy=tuple(mine), total=tuple(everything)
        )


def _masked(counts: Counts, known: NDArray[np.bool_]) -> list[list[Count]]:
    found = np.full(counts.shape, None, dtype=np.object_)
    found[known] = counts[known].tolist()
    rows: list[list[Count]] = found.tolist()
    return rows
