"""Tiers and early lanes over all streams: which alerts fire, and which resolve.

A tick looks closely at few watches: those whose lane has bad events, a statistic above 0, or enough events or time
behind it for something to end. For all others nothing changes but what their lane has counted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from figwatch_agent.decide.runs import NEVER, Marks, Runs
from figwatch_agent.durations import HOUR, MINUTE, Duration, Instant
from figwatch_agent.engine.burning import confirmed, lane_weighs
from figwatch_agent.engine.catalog import Catalog, Watch
from figwatch_agent.engine.lagging import Lag
from figwatch_agent.engine.lanes import Lanes
from figwatch_agent.engine.measuring import Rings
from figwatch_agent.engine.screening import Screen
from figwatch_agent.engine.standing import Standing, standing
from figwatch_agent.engine.stretch import PastReader, Stretch
from figwatch_agent.engine.tally import Tally
from figwatch_agent.engine.waiting import Waiting
from figwatch_agent.evaluate.burn_rate import threshold_arrays
from figwatch_agent.evaluate.evidence import rejects_still_burning
from figwatch_agent.evaluate.tables import Evidence, Recovery
from figwatch_agent.model.incident import Alert

Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]

RECENT: Duration = MINUTE
"""What an early alert says of itself: the counts of the last minute."""

_MARGIN = 1 - 1e-9
"""For what only leaves out: no rounding of a float makes it leave out too much."""

_NO_RATIO = 1e200
"""Where there is no watch; above every ratio, and finite when multiplied by a count."""


class Watches:
    """State of all watches and what one tick does to it."""

    def __init__(self, catalog: Catalog, rings: Rings) -> None:
        self.catalog = catalog
        self.rings = rings
        watches = catalog.watches
        count = len(watches)
        self.lanes = Lanes(catalog, rings)
        self._runs = Runs.none(count, self.lanes.of_watch, len(self.lanes.stream))
        self.cut: Integers = np.zeros(count, dtype=np.int64)  # bad events counted before the last resolve
        self.cut_at: Integers = np.full(count, NEVER, dtype=np.int64)  # when that was
        self.last_service: Integers = np.zeros(len(catalog.streams), dtype=np.int64)
        self.firing: dict[int, Alert] = {}
        self._standing: Flags = np.zeros(count, dtype=np.bool_)  # the same as flags
        self._screen = Screen(catalog, rings)
        self._recovery = Recovery([min(watch.ratio, Fraction(1)) for watch in watches])
        self._waiting = Waiting(self._runs, self._recovery, self._standing, catalog.settings.alerting.hold)
        self._marks = _marks(watches)
        self._notable = self._waiting.by_place(_least_marks(self._marks), _NO_RATIO)  # [place, lane]
        self._least = self._notable.min(axis=0)
        self._stream: Integers = np.array([watch.stream.index for watch in watches], dtype=np.int64)
        self._served: Integers = self.lanes.stream[len(catalog.streams) :]
        self._sides = any(stream.sided or stream.probed for stream in catalog.streams)
        self._probed: Flags = np.array([stream.probed for stream in catalog.streams], dtype=np.bool_)
        self._lit: Flags = np.zeros(len(self.lanes.stream), dtype=np.bool_)  # a statistic above 0
        self.evidence = Evidence([(watch.stream.slo.objective, watch.alpha) for watch in watches])
        self._lag: Lag | None = None  # in a history, runs are brought up to date only where somebody looks
        self._siblings: dict[int, list[int]] = {}
        for watch in watches:
            self._siblings.setdefault(watch.stream.index, []).append(watch.index)

    def advance(
        self, tally: Tally, since: Instant, now: Instant
    ) -> tuple[list[tuple[Watch, Alert]], list[tuple[Alert, Instant | None]]]:
        """(fired, resolved with the end of the last bad tick) of one tick. The rings have counted the tick already."""
        bad, total = self._tick(tally)
        if self._lag is not None:
            return self._advance_lagging(self._lag, bad, total, tally, since, now)
        marked, rising = self._stirred(bad, total)
        starts, waiting = self._starts(marked, tally, since, now), self._waiting
        notable = waiting.of(marked, bad[marked] > self._notable.take(marked, axis=1) * total[marked])
        waiting.put_off(*self._runs.advance(starts, now, bad, total, self._marks, notable), now)
        due = waiting.due(bad < 0, now)
        waiting.forget_failures(due)
        if self._sides:
            self.last_service[tally.total[:, 1] > 0] = now
        self.lanes.measure(since, now)
        reached = self.lanes.advance(rising, bad, total)
        burning = self._screen.burning(self._standing, tally.known)
        fired = self._fired(reached, burning, tally, since, now)
        resolved = self._recovered(tally, now)
        waiting.end_rested(due, now)
        waiting.wait(due, now)
        self._lit[rising] = self.lanes.statistic[rising] > 0
        return fired, resolved

    @property
    def standing(self) -> Flags:
        """Whether each watch's alert stands."""
        return self._standing

    @property
    def runs(self) -> Runs:
        """Runs of bad ticks by watch, as they stand now."""
        self.settle()
        return self._runs

    def lag(self, reader: PastReader, first: int) -> Lag:
        """Live through a history from its tick ``first`` on; runs lag behind from now until ``settle``."""
        lag = self._lag
        if lag is None or lag.reader is not reader or lag.end != first:
            self.settle()
            hold = self.catalog.settings.alerting.hold
            lag = self._lag = Lag(reader, first, self._runs, self._marks, self._recovery, self._standing, hold)
        return lag

    def settle(self) -> None:
        """Bring all runs up to date."""
        lag, self._lag = self._lag, None
        if lag is not None:
            for lane in lag.behind():
                lag.catch_up(lane)
            self._wait_all(lag.now)

    def skip(self, lag: Lag, stretch: Stretch, served: Sequence[tuple[int, Instant]]) -> None:
        """Live through ticks at which nothing happens; ``served``: when the service side last answered on a stream."""
        lag.end += len(stretch.ticks)
        for stream, at in served:
            self.last_service[stream] = at

    def stand(self, lag: Lag, stretch: Stretch) -> dict[int, Standing]:
        """What becomes of each alert that stands, none of which may be of the service side alone."""
        found: dict[int, Standing] = {}
        hold = self.catalog.settings.alerting.hold
        for watch in self.firing:
            lag.catch_up(int(self.lanes.of_watch[watch]))
            found[watch] = standing(self.catalog.watches[watch], self._runs, self._marks, self._recovery, hold, stretch)
        return found

    def _advance_lagging(
        self, lag: Lag, bad: Integers, total: Integers, tally: Tally, since: Instant, now: Instant
    ) -> tuple[list[tuple[Watch, Alert]], list[tuple[Alert, Instant | None]]]:
        """``advance``, with runs brought up to date only where an alert stands or may fire."""
        lag.end += 1
        if self._sides:
            self.last_service[tally.total[:, 1] > 0] = now
        self.lanes.measure(since, now)
        lanes: Integers = ((bad != 0) | (self.lanes.statistic > 0)).nonzero()[0]
        reached = self.lanes.advance(lanes, bad, total)
        burning = self._screen.burning(self._standing, tally.known)
        near = {*self.lanes.stream[reached].tolist(), *self._stream[[*burning, *self.firing]].tolist()}
        awake = sorted({int(self.lanes.of_watch[each]) for stream in near for each in self._siblings[stream]})
        for lane in awake:
            lag.catch_up(lane, resting=False)
        fired = self._fired(reached, burning, tally, since, now)
        resolved = self._recovered(tally, now)
        for lane in awake:
            lag.rest(lane, now)
        return fired, resolved

    def restored(self, firing: Mapping[int, Alert], now: Instant) -> None:
        """Go on with the alerts and the arrays of another process."""
        self.firing = dict(firing)
        self._standing[list(self.firing)] = True
        self._wait_all(now)

    def resolve(self, index: int, now: Instant) -> Alert:
        """End an alert, because the data or a person says so; what was counted so far cannot fire the next one."""
        alert = replace(self.firing.pop(index), resolved_at=now)
        self._standing[index] = False
        stream = self.catalog.watches[index].stream.index
        counted = self.rings.counted()[1]
        for sibling in self._siblings[stream]:
            if sibling not in self.firing:
                self.cut[sibling] = counted[stream]
                self.cut_at[sibling] = now
                if self.catalog.watches[sibling].early is not None:
                    self.lanes.statistic[self.lanes.of_watch[sibling]] = 0
                self._runs.end(sibling)
        return alert

    def told_late(self, bad: Integers, at: Instant) -> None:
        """Bad events of a past instant became known, by stream: those from before a resolve fire nothing any more."""
        self.cut = self.cut + np.where(self.cut_at >= at, bad[self._stream], 0)

    def last_impact(self, index: int) -> Instant | None:
        """End of the last bad tick of a watch's run."""
        return self._runs.last_impact(index)

    def quiet(self, index: int, now: Instant) -> bool:
        """Whether the hold has passed since a watch's last bad tick."""
        last = self._runs.last_impact(index)
        return last is None or now - last >= self.catalog.settings.alerting.hold

    def _tick(self, tally: Tally) -> tuple[Integers, Integers]:
        """(bad, total) by lane."""
        total, bad = tally.users()
        if not len(self._served):
            return bad, total
        served_bad, served = tally.bad[self._served, 1], tally.total[self._served, 1]
        return np.concatenate([bad, served_bad]), np.concatenate([total, served])

    def _stirred(self, bad: Integers, total: Integers) -> tuple[Integers, Integers]:
        """Lanes in which this tick may be bad or failing, and those whose statistic may change."""
        marked = (bad > self._least * total) & (bad > 0)
        rising = marked | (bad < 0) | self._lit
        return marked.nonzero()[0], rising.nonzero()[0]

    def _starts(self, lanes: Integers, tally: Tally, since: Instant, now: Instant) -> Integers:
        """Where the counts of this tick begin: at the answer before, which failed scrapes put before the last tick.

        By lane, and only of those that are looked at.
        """
        streams = self.lanes.stream[lanes]
        starts = np.full(len(self.lanes.stream), since, dtype=np.int64)
        starts[lanes] = np.minimum(since, now - np.where(self._probed[streams], 0, tally.covered[streams]))
        return starts

    def _wait_all(self, now: Instant) -> None:
        self._waiting.wait_all(now)
        self._lit = self.lanes.statistic > 0

    def _fired(
        self, reached: Integers, burning: list[int], tally: Tally, since: Instant, now: Instant
    ) -> list[tuple[Watch, Alert]]:
        candidates = self._candidates(reached, burning, tally, now)
        return [self._fire(index, certified, since, now) for index, certified in candidates]

    def _candidates(self, reached: Integers, burning: list[int], tally: Tally, now: Instant) -> list[tuple[int, bool]]:
        early = np.sort(self.lanes.watch[reached])
        early = early[tally.known[self._stream[early]] & ~self._standing[early]]
        found = [(index, True) for index in early.tolist() if self._weighs(index, now)]
        for index in burning:
            verdict = confirmed(self.rings, self.catalog.watches[index], int(self.cut[index]))
            # A burst may still fill the windows when all is well again, as when traffic falls in the evening.
            if verdict.over and not self._has_recovered(self.catalog.watches[index], now):
                found.append((index, verdict.certified))
        return found

    def _weighs(self, index: int, now: Instant) -> bool:
        return lane_weighs(self.rings, self.catalog.watches[index], self._runs.impact_start(index, now), now)

    def _fire(self, index: int, certified: bool, since: Instant, now: Instant) -> tuple[Watch, Alert]:
        watch = self.catalog.watches[index]
        window = self.rings.streams(watch.long or RECENT)
        place = watch.stream.index
        bad, total = int(window.bad.most[place]), int(window.total.most[place])
        if watch.lane == "service":
            (bad, total), _ = self.rings.sides(watch.stream, RECENT)
        budget = 1 - watch.stream.slo.objective
        alert = Alert(
            id=f"{watch.key} {now}",
            name=watch.name,
            slo=watch.stream.slo.name,
            route=watch.stream.route,
            tier=watch.tier,
            lane=watch.lane,
            severity=watch.severity,
            fired_at=now,
            impact_start=self._runs.impact_start(index, since),
            certified=certified,
            bad=bad,
            total=total,
            burn_rate=Fraction(bad, total) / budget if total > 0 else None,
        )
        self.firing[index] = alert
        self._standing[index] = True
        return watch, alert

    def _recovered(self, tally: Tally, now: Instant) -> list[tuple[Alert, Instant | None]]:
        resolved: list[tuple[Alert, Instant | None]] = []
        for index in sorted(self.firing):
            watch = self.catalog.watches[index]
            if tally.known[watch.stream.index] and self._has_recovered(watch, now):
                last_bad = self._runs.last_impact(index)
                resolved.append((self.resolve(index, now), last_bad))
        return resolved

    def _has_recovered(self, watch: Watch, now: Instant) -> bool:
        hold = self.catalog.settings.alerting.hold
        if watch.lane == "service" and now - int(self.last_service[watch.stream.index]) >= hold:
            return self._route_is_well(watch, now)
        return self.quiet(watch.index, now) and self._clears(watch.index)

    def _route_is_well(self, watch: Watch, now: Instant) -> bool:
        """Nobody is served by the service side any more: the route as a whole says whether users are well."""
        whole = next(w.index for w in self.catalog.watches if w.key == f"{watch.stream.key} {watch.tier} all")
        last = self._runs.last_impact(watch.index) or 0
        if int(self._runs.start[whole]) != NEVER:
            last = max(last, int(self._runs.last_bad[whole]))
        if now - last < self.catalog.settings.alerting.hold:
            return False
        bad, total = self.rings.users(watch.stream, min(now - last, HOUR))
        return rejects_still_burning(bad, total, min(watch.ratio, Fraction(1)))

    def _clears(self, index: int) -> bool:
        bad, total = self._runs.since(index)
        return rejects_still_burning(bad, total, min(self.catalog.watches[index].ratio, Fraction(1)))


def _marks(watches: Sequence[Watch]) -> Marks:
    """The ratios of all watches; those of one lie together in memory."""
    ratios = threshold_arrays([watch.ratio for watch in watches])
    failing = threshold_arrays([_failing_above(watch) for watch in watches])
    return Marks(*np.stack([*ratios, *failing], axis=1).T)


def _least_marks(marks: Marks) -> NDArray[np.float64]:
    """By watch, what is surely not above the lowest ratio that makes a tick bad or failing."""
    ratios = np.minimum(marks.tops / marks.bottoms, marks.failing_tops / marks.failing_bottoms)
    found: NDArray[np.float64] = ratios * _MARGIN
    return found


def _failing_above(watch: Watch) -> Fraction:
    """Above this ratio the failures of one tick speak for the alert: a lane's statistic then rises."""
    if watch.early is None:
        return watch.ratio
    return Fraction(-watch.early.good_weight, watch.early.bad_weight - watch.early.good_weight)
