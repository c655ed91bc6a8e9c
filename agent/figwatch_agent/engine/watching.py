"""Tiers and early lanes over all streams: which alerts fire, and which resolve."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from figwatch_agent.decide.runs import NEVER, Marks, Runs
from figwatch_agent.durations import HOUR, MINUTE, YEAR, Duration, Instant
from figwatch_agent.engine.burning import confirmed, lane_weighs
from figwatch_agent.engine.catalog import Catalog, Watch
from figwatch_agent.engine.measuring import Rings
from figwatch_agent.engine.tally import Tally
from figwatch_agent.evaluate.burn_rate import over_many, threshold_arrays
from figwatch_agent.evaluate.early_lane import FEWEST_EVENTS_A_YEAR, advance_many, threshold
from figwatch_agent.evaluate.evidence import clean_requests_needed, rejects_still_burning
from figwatch_agent.model.incident import Alert

Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]

RECENT: Duration = MINUTE
"""What an early alert says of itself: the counts of the last minute."""


class Watches:
    """State of all watches and what one tick does to it."""

    def __init__(self, catalog: Catalog, rings: Rings) -> None:
        self.catalog = catalog
        self.rings = rings
        watches = catalog.watches
        count = len(watches)
        self.runs = Runs.none(count)
        self.statistic: Integers = np.zeros(count, dtype=np.int64)
        self.thresholds: Integers = np.full(count, threshold(FEWEST_EVENTS_A_YEAR, YEAR), dtype=np.int64)
        self.cut: Integers = np.zeros(count, dtype=np.int64)  # bad events counted before the last resolve
        self.cut_at: Integers = np.full(count, NEVER, dtype=np.int64)  # when that was
        self.last_service: Integers = np.zeros(len(catalog.streams), dtype=np.int64)
        self.firing: dict[int, Alert] = {}
        self._stream = np.array([watch.stream.index for watch in watches], dtype=np.int64)
        self._serviced = np.array([watch.lane == "service" for watch in watches], dtype=np.bool_)
        self._early = np.array([watch.early is not None for watch in watches], dtype=np.bool_)
        self._probed = np.array([watch.stream.probed for watch in watches], dtype=np.bool_)
        self._tops, self._bottoms = threshold_arrays([watch.ratio for watch in watches])
        self._marks = Marks(self._tops, self._bottoms, *threshold_arrays([_failing_above(watch) for watch in watches]))
        self._needed = np.array(
            [clean_requests_needed(min(watch.ratio, Fraction(1))) for watch in watches], dtype=np.int64
        )
        self._bad_weights = np.array([w.early.bad_weight if w.early else 0 for w in watches], dtype=np.int64)
        self._good_weights = np.array([w.early.good_weight if w.early else 0 for w in watches], dtype=np.int64)
        self._long = np.array([watch.long for watch in watches], dtype=np.int64)
        self._short = np.array([watch.short for watch in watches], dtype=np.int64)
        self._tiers = np.flatnonzero(~self._early)
        self._siblings: dict[int, list[int]] = {}
        for watch in watches:
            self._siblings.setdefault(watch.stream.index, []).append(watch.index)

    def advance(
        self, tally: Tally, since: Instant, now: Instant
    ) -> tuple[list[tuple[Watch, Alert]], list[tuple[Alert, Instant | None]]]:
        """(fired, resolved with the end of the last bad tick) of one tick. The rings have counted the tick already."""
        bad, total = self._tick(tally)
        standing = self._standing()
        self.runs.advance(self._starts(tally, since, now), now, bad, total, self._marks)
        self._forget_failures(standing)
        self.last_service = np.where(tally.total[:, 1] > 0, now, self.last_service)
        self._set_thresholds(since, now)
        self._run_lanes(bad, total)
        fired = [
            self._fire(index, certified, since, now) for index, certified in self._candidates(tally, standing, now)
        ]
        resolved = self._recovered(tally, now)
        self._end_rested(now)
        return fired, resolved

    def resolve(self, index: int, now: Instant) -> Alert:
        """End an alert, because the data or a person says so; what was counted so far cannot fire the next one."""
        alert = replace(self.firing.pop(index), resolved_at=now)
        stream = self.catalog.watches[index].stream.index
        counted = self.rings.counted()[1]
        for sibling in self._siblings[stream]:
            if sibling not in self.firing:
                self.cut[sibling] = counted[stream]
                self.cut_at[sibling] = now
                self.statistic[sibling] = 0
                self.runs.end(sibling)
        return alert

    def told_late(self, bad: Integers, at: Instant) -> None:
        """Bad events of a past instant became known, by stream: those from before a resolve fire nothing any more."""
        self.cut = self.cut + np.where(self.cut_at >= at, bad[self._stream], 0)

    def last_impact(self, index: int) -> Instant | None:
        """End of the last bad tick of a watch's run."""
        return self.runs.last_impact(index)

    def quiet(self, index: int, now: Instant) -> bool:
        """Whether the hold has passed since a watch's last bad tick."""
        last = self.runs.last_impact(index)
        return last is None or now - last >= self.catalog.settings.alerting.hold

    def _tick(self, tally: Tally) -> tuple[Integers, Integers]:
        bad, total = tally.bad.sum(axis=1)[self._stream], tally.total.sum(axis=1)[self._stream]
        side_bad, side_total = tally.bad[:, 1][self._stream], tally.total[:, 1][self._stream]
        return np.where(self._serviced, side_bad, bad), np.where(self._serviced, side_total, total)

    def _starts(self, tally: Tally, since: Instant, now: Instant) -> Integers:
        """Where the counts of this tick begin: at the answer before, which failed scrapes put before the last tick."""
        covered = np.where(self._probed, 0, tally.covered[self._stream])
        starts: Integers = np.minimum(since, now - covered)
        return starts

    def _standing(self) -> Flags:
        standing = np.zeros(len(self.catalog.watches), dtype=np.bool_)
        standing[list(self.firing)] = True
        return standing

    def _set_thresholds(self, since: Instant, now: Instant) -> None:
        """A stream's event rate moves slowly: once a minute is often enough, and every tick in the first two."""
        hour = self.rings.streams(60 * MINUTE)
        fresh = now // MINUTE != since // MINUTE
        # A lane on its way keeps its threshold: one that moved would cost it a scrape.
        for index in np.flatnonzero(self._early & (self.statistic == 0)):
            watch = self.catalog.watches[index]
            place = watch.stream.index
            covered = int(hour.covered.inside[place])
            if covered > 0 and (fresh or covered < 2 * MINUTE):
                events = int(hour.total.inside[place])
                if watch.lane == "service":
                    events = min(self.rings.sides(watch.stream, 60 * MINUTE)[0][1], events)
                self.thresholds[index] = threshold(events, covered)

    def _run_lanes(self, bad: Integers, total: Integers) -> None:
        if not len(self.statistic):
            return
        stepped = advance_many(self.statistic, bad, total - bad, self.thresholds, self._bad_weights, self._good_weights)
        self.statistic = np.where(self._early, stepped, 0)

    def _candidates(self, tally: Tally, standing: Flags, now: Instant) -> list[tuple[int, bool]]:
        known = tally.known[self._stream] if len(self._stream) else np.zeros(0, dtype=np.bool_)
        lanes = self._early & (self.statistic >= self.thresholds) & known & ~standing
        found = [(int(index), True) for index in np.flatnonzero(lanes) if self._weighs(int(index), now)]
        for index in self._burning(standing, known):
            verdict = confirmed(self.rings, self.catalog.watches[index], int(self.cut[index]))
            # A burst may still fill the windows when all is well again, as when traffic falls in the evening.
            if verdict.over and not self._has_recovered(self.catalog.watches[index], now):
                found.append((index, verdict.certified))
        return found

    def _weighs(self, index: int, now: Instant) -> bool:
        return lane_weighs(self.rings, self.catalog.watches[index], self.runs.impact_start(index, now), now)

    def _burning(self, standing: Flags, known: Flags) -> list[int]:
        """Tiers that may fire: both windows over the threshold before imputation and evidence are looked at."""
        burning = ~self._early & ~standing & known
        for lengths in (self._long, self._short):
            for length in np.unique(lengths[self._tiers]) if len(self._tiers) else ():
                rows = np.flatnonzero(burning & (lengths == length))
                if not len(rows):
                    continue
                window, streams = self.rings.streams(int(length)), self._stream[rows]
                exceeded, _ = over_many(
                    window.bad.inside[streams],
                    window.total.inside[streams],
                    window.bad.edge[streams],
                    window.total.edge[streams],
                    self._tops[rows],
                    self._bottoms[rows],
                    unsure_is_over=True,
                )
                burning[rows] &= exceeded
        return [int(index) for index in np.flatnonzero(burning)]

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
            impact_start=self.runs.impact_start(index, since),
            certified=certified,
            bad=bad,
            total=total,
            burn_rate=Fraction(bad, total) / budget if total > 0 else None,
        )
        self.firing[index] = alert
        return watch, alert

    def _recovered(self, tally: Tally, now: Instant) -> list[tuple[Alert, Instant | None]]:
        resolved: list[tuple[Alert, Instant | None]] = []
        for index in sorted(self.firing):
            watch = self.catalog.watches[index]
            if tally.known[watch.stream.index] and self._has_recovered(watch, now):
                last_bad = self.runs.last_impact(index)
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
        last = self.runs.last_impact(watch.index) or 0
        if int(self.runs.start[whole]) != NEVER:
            last = max(last, int(self.runs.last_bad[whole]))
        if now - last < self.catalog.settings.alerting.hold:
            return False
        bad, total = self.rings.users(watch.stream, min(now - last, HOUR))
        return rejects_still_burning(bad, total, min(watch.ratio, Fraction(1)))

    def _clears(self, index: int) -> bool:
        bad, total = self.runs.since(index)
        return rejects_still_burning(bad, total, min(self.catalog.watches[index].ratio, Fraction(1)))

    def _end_rested(self, now: Instant) -> None:
        hold = self.catalog.settings.alerting.hold
        for index in self.runs.rested(now, hold, self._standing()):
            if self._clears(index):
                self.runs.end(index)

    def _forget_failures(self, standing: Flags) -> None:
        for index in self.runs.relieved(self._needed, standing):
            bad, total = int(self.runs.clean_bad[index]), int(self.runs.clean[index])
            if rejects_still_burning(bad, total, min(self.catalog.watches[index].ratio, Fraction(1))):
                self.runs.forget_failures(index)


def _failing_above(watch: Watch) -> Fraction:
    """Above this ratio the failures of one tick speak for the alert: a lane's statistic then rises."""
    if watch.early is None:
        return watch.ratio
    return Fraction(-watch.early.good_weight, watch.early.bad_weight - watch.early.good_weight)
