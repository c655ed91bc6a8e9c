"""The engine's rings: budgets, sides, traffic, latency buckets and uptime, and the windows read from them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from figwatch_agent.durations import Duration, Instant
from figwatch_agent.engine.aside import Aside, later_than
from figwatch_agent.engine.catalog import Catalog, Stream
from figwatch_agent.engine.coverage import Coverage
from figwatch_agent.engine.less import less
from figwatch_agent.engine.mapping import BOUNDS, BUCKET_SIDES, ELSEWHERE, SIDES, TRAFFIC_SIDES
from figwatch_agent.engine.tally import Tally
from figwatch_agent.evaluate.excluded import set_aside_by
from figwatch_agent.evaluate.layouts import LAYOUTS, reaching
from figwatch_agent.evaluate.ring import Ring, Row, Span
from figwatch_agent.evaluate.windows import Window

Counts = NDArray[np.int64]

COVERED = "covered"
"""Rows of covered time are kept under this name, beside those of the rings."""

_BUCKET_SIDES = [SIDES.index(side) for side in BUCKET_SIDES]


@dataclass(frozen=True, slots=True, eq=False)
class StreamWindow:
    """One window over all streams."""

    length: Duration
    total: Window
    bad: Window
    covered: Window
    aside: Counts  # milliseconds of it that exclusions set aside, by stream


class Rings:
    """All of them, advanced together once a tick."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self._streams = len(catalog.streams)
        self.first_tick: Instant | None = None
        self._probed = [stream for stream in catalog.streams if stream.probed]
        # Events and histograms of one's own say nothing about sides; probes ask the service.
        self._split = [stream for stream in catalog.streams if stream.sided or stream.probed]
        self._split_at = np.array([stream.index for stream in self._split], dtype=np.int64)
        self._place_of = {stream.index: place for place, stream in enumerate(self._split)}  # in the ring of the sides
        self.judging = judging(catalog)
        self.sided: dict[int, list[int]] = _sided(catalog)
        self.aside = Aside(self._streams)
        self._less: dict[tuple[str, Duration], tuple[Instant | None, int, Window]] = {}  # as read last
        layouts, longest = LAYOUTS[catalog.settings.layout], catalog.longest_window
        budget = reaching(layouts.budget, longest)
        self.coverage = Coverage(budget, len(catalog.streams))
        self.rings: dict[str, Ring] = {
            name: Ring(layout, len(self.columns(name)))
            for name, layout in (
                ("budget", budget),
                ("sides", layouts.sides),
                ("traffic", reaching(layouts.traffic, longest)),
                ("buckets", reaching(layouts.buckets, longest)),
                ("uptime", budget),
                ("answers", layouts.shown),
            )
        }

    @property
    def began(self) -> Instant:
        """The first tick of this state."""
        return self.first_tick if self.first_tick is not None else 0

    def columns(self, name: str) -> list[str]:
        """Stable keys of a ring's columns, in order."""
        keys = [stream.key for stream in self.catalog.streams]
        routes = [route.route.template for route in self.catalog.routes]
        match name:
            case "budget":
                return [f"{key} {part}" for part in ("total", "bad") for key in keys]
            case "sides":
                parts = ("service total", "service bad", "legacy total", "legacy bad", "unknown total", "unknown bad")
                return [f"{stream.key} {part}" for part in parts for stream in self._split]
            case "traffic":
                return [f"{route} {side}" for route in (*routes, ELSEWHERE) for side in TRAFFIC_SIDES]
            case "buckets":
                bounds = [*(str(bound) for bound in BOUNDS), "more"]
                return [f"{route} {side} {bound}" for route in routes for side in BUCKET_SIDES for bound in bounds]
            case "answers":
                return [
                    f"{route} {side} {part}" for part in ("total", "bad") for route in routes for side in BUCKET_SIDES
                ]
            case _:
                return [f"{stream.key} {part}" for part in ("up", "down") for stream in self._probed]

    def advance(self, tally: Tally, uptime: list[tuple[Instant, Counts]], now: Instant) -> list[tuple[str, Span]]:
        """Count one tick in every ring, uptime at its own instants up to ``now``; the boundaries that were written."""
        self.first_tick = now if self.first_tick is None else self.first_tick
        increments = self.increments(tally)
        written = [(COVERED, span) for span in self.coverage.advance(now, tally.covered)]
        for name, ring in self.rings.items():
            for at, counts in uptime if name == "uptime" else [(now, increments[name])]:
                written += [(name, span) for span in ring.count(at, counts)]
        return written

    def written(self, name: str, span: Span) -> list[Row]:
        """A row for each boundary that was written."""
        return (self.coverage.ring if name == COVERED else self.rings[name]).rows(span)

    def amend(self, tally: Tally, at: Instant) -> Iterator[tuple[str, Row]]:
        """Count events of a past instant, uptime, traffic and latency excepted; the rows that changed."""
        increments = self.increments(tally)
        self.aside.amend(COVERED, at, tally.covered)
        for row in self.coverage.amend(at, tally.covered):
            yield COVERED, row
        for name in ("budget", "sides", "answers"):
            self.aside.amend(name, at, increments[name])
            for row in self.rings[name].amend(at, increments[name]):
                yield name, row
        self._less.clear()

    def amend_many(self, many: list[tuple[Instant, Tally]]) -> Iterator[tuple[str, Row]]:
        """Count events of past instants, in their order, uptime excepted; the rows that changed."""
        ats = np.array([at for at, _ in many], dtype=np.int64)
        each = [self.increments(tally) | {COVERED: tally.covered} for _, tally in many]
        for name in (COVERED, "budget", "sides", "answers", "traffic", "buckets"):
            increments = np.stack([one[name] for one in each])
            if not increments.any():
                continue
            for at, one in zip(ats.tolist(), increments, strict=True):
                self.aside.amend(name, at, one)
            changed = self.coverage if name == COVERED else self.rings[name]
            for row in changed.amend_many(ats, increments):
                yield name, row
        self._less.clear()

    def rows(self, slots: Iterable[tuple[str, int, int]]) -> Iterator[tuple[str, Row]]:
        """What stands in these slots, by (ring, level, slot); each with the columns that its ring has by now."""
        return ((name, self.ring(name).row(level, slot)) for name, level, slot in slots)

    def increments(self, tally: Tally) -> dict[str, Counts]:
        """What a tick adds to the columns of each ring but that of uptime."""
        total, bad = tally.total[self._split_at], tally.bad[self._split_at]
        legacy, service, unknown = ([total[:, side], bad[:, side]] for side in range(len(SIDES)))
        return {
            "budget": tally.users_flat(),
            "sides": np.concatenate([*service, *legacy, *unknown]),
            "traffic": tally.traffic.reshape(-1),
            "buckets": tally.buckets.reshape(-1),
            "answers": np.concatenate([self._answers(tally.total), self._answers(tally.bad)]),
        }

    def split_columns(self, streams: Counts) -> Counts:
        """Columns of these streams in the ring of the sides, of every side; none of those without sides."""
        places = np.array([self._place_of[each] for each in streams.tolist() if each in self._place_of], dtype=np.int64)
        return np.concatenate([part * len(self._split) + places for part in range(2 * len(SIDES))])

    def side_columns(self, stream: int, place: int) -> tuple[int, int]:
        """Columns (total, bad) of a stream in the ring of the sides, by the place of the side among BUCKET_SIDES."""
        count = len(self._split)
        return 2 * place * count + self._place_of[stream], (2 * place + 1) * count + self._place_of[stream]

    def _answers(self, counts: Counts) -> Counts:
        """[stream, side] as service and legacy of each route, by its availability SLO; 0 for a route without one."""
        if not len(self.judging) or not len(counts):
            return np.zeros(2 * len(self.judging), dtype=np.int64)
        by_side = counts[self.judging][:, _BUCKET_SIDES]
        return np.where(self.judging[:, None] >= 0, by_side, 0).reshape(-1)

    def streams(self, length: Duration) -> StreamWindow:
        """Events and covered time of every stream over the last ``length``, without what is set aside."""
        return self._joined(length, self.read("budget", length), self.read(COVERED, length))

    def whole(self, length: Duration) -> StreamWindow:
        """The same with what is set aside."""
        return self._joined(length, self.rings["budget"].window(length), self.coverage.window(length))

    def _joined(self, length: Duration, window: Window, covered: Window) -> StreamWindow:
        total, bad = _part(window, 0, self._streams), _part(window, self._streams, self._streams)
        return StreamWindow(length, total, bad, covered, self.time_aside(length))

    def time_aside(self, length: Duration) -> Counts:
        """Milliseconds of the last ``length`` that are set aside, by stream."""
        now = self.rings["budget"].at or 0
        return self.aside.time(now - length, now)

    def read(self, name: str, length: Duration) -> Window:
        """A window of one ring, or of covered time by stream, without what is set aside; worked out once a tick."""
        ring, parts = self.ring(name), self.aside.parts(name)
        whole = self.coverage.window(length) if name == COVERED else ring.window(length)
        if not parts:
            return whole
        found = self._less.get((name, length))
        if found is None or found[:2] != (ring.at, self.aside.version):
            window = less(ring, length, whole, parts, self.current(name))
            found = self._less[name, length] = ring.at, self.aside.version, window
        return found[2]

    def ring(self, name: str) -> Ring:
        """A ring by its name."""
        return self.coverage.ring if name == COVERED else self.rings[name]

    def current(self, name: str) -> Counts:
        """What the columns of a ring have counted so far; covered time by stream."""
        current = self.ring(name).current
        return current[self.coverage.group] if name == COVERED else current

    def by(self, name: str, at: Instant) -> Counts | None:
        """What they had counted by an instant; None where the ring keeps no boundary there any more."""
        ring = self.ring(name)
        if ring.at is None or at >= ring.at:
            return self.current(name).copy()
        try:
            found: Counts = self._counted_at(name, np.array([at], dtype=np.int64))[0]
        except ValueError:
            return None
        return found

    def counted_at(self, name: str, boundaries: Counts, columns: slice = slice(None)) -> Counts:
        """[instant, column]: what was counted up to boundaries of a ring, without what is set aside."""
        whole, parts = self._counted_at(name, boundaries, columns), self.aside.parts(name)
        return whole - set_aside_by(parts, boundaries, whole, columns.start or 0) if parts else whole

    def _counted_at(self, name: str, boundaries: Counts, columns: slice = slice(None)) -> Counts:
        if name == COVERED:
            return self.coverage.counted_at(boundaries, columns)
        return self.rings[name].counted_at(boundaries, columns)

    def bad_since(self, stream: int, count: int) -> int:
        """Bad events of a stream that were counted after ``count`` of them had been, without what is set aside."""
        current, column = self.rings["budget"].current, self._streams + stream
        return int(current[column]) - count - later_than(self.aside.parts("budget"), column, count, current)

    def totals_inside(self, length: Duration) -> Counts:
        """Events of every stream that surely lie in the last ``length``."""
        if self.aside.parts("budget"):
            return self.streams(length).total.inside
        return self.rings["budget"].part(length, slice(0, self._streams)).inside

    def served_inside(self, length: Duration, streams: Counts) -> Counts:
        """The same of the service side of some streams."""
        columns = self.served_columns(streams)
        if self.aside.parts("sides"):
            return self.read("sides", length).inside[columns]
        return self.rings["sides"].part(length, columns).inside

    def served_columns(self, streams: Counts) -> Counts:
        """Where the ring of the sides counts what the service side of these streams served."""
        return np.array([self._place_of[stream] for stream in streams.tolist()], dtype=np.int64)

    def covered_inside(self, length: Duration) -> tuple[Counts, Counts]:
        """Covered time that surely lies in the last ``length``, by group of streams, and the group of each."""
        if self.aside.parts(COVERED):
            return self.read(COVERED, length).inside, np.arange(self._streams, dtype=np.int64)
        return self.coverage.ring.window(length).inside, self.coverage.group

    def inexact(self) -> Counts:
        """Streams whose windows are not plain differences of low words of the ring of budgets."""
        wide, parts = self.rings["budget"].wide, self.aside.parts("budget")
        columns = np.concatenate([wide, *(part.columns for part in parts)]) if parts else wide
        return columns % max(self._streams, 1)

    def counted(self) -> tuple[Counts, Counts]:
        """Total and bad of every stream since the state began, events of windows only, whatever is set aside."""
        current, count = self.rings["budget"].current, self._streams
        return current[:count], current[count : 2 * count]

    def sides(self, stream: Stream, length: Duration) -> tuple[tuple[int, int], tuple[int, int]]:
        """(bad, total) of the service side and of legacy over the last ``length``, events surely inside."""
        service, legacy, _ = self._by_side(stream, length)
        return service, legacy

    def users(self, stream: Stream, length: Duration) -> tuple[int, int]:
        """(bad, total) of everybody over the last ``length``, whoever served them, events surely inside."""
        pairs = self._by_side(stream, length)
        return sum(bad for bad, _ in pairs), sum(total for _, total in pairs)

    def _by_side(self, stream: Stream, length: Duration) -> list[tuple[int, int]]:
        place = self._place_of.get(stream.index)
        if place is None:
            return [(0, 0)] * len(SIDES)
        inside = self.read("sides", length).inside.reshape(-1, 2, len(self._split))
        return [(int(side[1, place]), int(side[0, place])) for side in inside]

    def traffic(self, length: Duration) -> Counts:
        """Requests by [route, side] over the last ``length``; the last row is every other route."""
        window = self.rings["traffic"].window(length)
        return window.most.reshape(-1, len(TRAFFIC_SIDES))

    def users_by_legacy(self, length: Duration, route: int | None) -> tuple[Window, Window]:
        """(served by legacy, all) requests of a route's users, or of all routes and every other; of one column each."""
        window = self.rings["traffic"].window(length)
        parts = [_users(window.inside, route), _users(window.edge, route)]
        legacy, everybody = (np.array(pair, dtype=np.int64) for pair in zip(*parts, strict=True))
        return Window(legacy[:1], legacy[1:]), Window(everybody[:1], everybody[1:])

    def buckets(self, length: Duration) -> Counts:
        """Requests by [route, side, bucket] over the last ``length``, each bucket by itself."""
        cumulative = self.read("buckets", length).most.reshape(-1, len(BUCKET_SIDES), len(BOUNDS) + 1)
        return np.maximum(np.diff(cumulative, axis=2, prepend=0), 0)

    def bucket_parts(self, length: Duration) -> tuple[Counts, Counts]:
        """The same apart: surely in the window, and in the slot that its start cuts."""
        window = self.read("buckets", length)
        shape = (-1, len(BUCKET_SIDES), len(BOUNDS) + 1)
        inside, edge = (
            np.maximum(np.diff(part.reshape(shape), axis=2, prepend=0), 0) for part in (window.inside, window.edge)
        )
        return inside, edge

    def covered_at_least(self, length: Duration, stream: int) -> Duration:
        """Measured time of a stream that surely lies in the last ``length``."""
        window, outside = self.read(COVERED, length), self.coverage.ring.cut(length)
        return int(window.inside[stream]) + max(int(window.edge[stream]) - outside, 0)

    def uptime(self, length: Duration) -> dict[int, tuple[Duration, Duration]]:
        """(up, down) milliseconds over the last ``length`` by stream."""
        most, count = self.read("uptime", length).most, len(self._probed)
        return {stream.index: (int(most[place]), int(most[count + place])) for place, stream in enumerate(self._probed)}

    def uptime_at_least(self, length: Duration) -> dict[int, tuple[Duration, Duration]]:
        """(up, down) milliseconds that surely lie in the last ``length``: of a cut slot what cannot lie before it."""
        ring, count = self.rings["uptime"], len(self._probed)
        window, outside = self.read("uptime", length), ring.cut(length)
        least = window.inside + np.maximum(window.edge - outside, 0)
        return {stream.index: (int(least[i]), int(least[count + i])) for i, stream in enumerate(self._probed)}


def judging(catalog: Catalog) -> Counts:
    """By route the stream of its first availability SLO, whose failures are shown by side; -1 where it has none."""
    first: dict[str, int] = {}
    for stream in catalog.streams:
        if stream.kind == "availability":
            first.setdefault(stream.route, stream.index)
    return np.array([first.get(route.route.template, -1) for route in catalog.routes], dtype=np.int64)


def _sided(catalog: Catalog) -> dict[int, list[int]]:
    """By route the streams that count its requests; a route without one is left out."""
    places = {route.route.template: route.index for route in catalog.routes}
    found: dict[int, list[int]] = {}
    for stream in catalog.streams:
        if stream.sided and stream.route in places:
            found.setdefault(places[stream.route], []).append(stream.index)
    return found


def _users(traffic: Counts, route: int | None) -> tuple[int, int]:
    """(legacy, all but copies) of flat counts by route and side."""
    by_side = traffic.reshape(-1, len(TRAFFIC_SIDES))
    row = by_side.sum(axis=0) if route is None else by_side[route]
    return int(row[TRAFFIC_SIDES.index("legacy")]), int(row.sum() - row[TRAFFIC_SIDES.index("shadow")])


def _part(window: Window, first: int, count: int) -> Window:
    return Window(window.inside[first : first + count], window.edge[first : first + count])
