"""Runs of bad ticks: when an impact began, when it was last seen, and what has come since.

A bad tick has at least two bad events and an error ratio above the one that fires. Where no tick was bad, because
traffic is thin or because a lane fired below that ratio, failing ticks stand in: those whose failures, be it one alone,
speak for the alert. A run then begins with the first of them that no clean stretch has followed. Failures among so many
good events that they speak against the alert are no part of it, or background noise would keep an incident open.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from figwatch_agent.durations import Duration, Instant

Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]

NEVER = -1

FEWEST_BAD = 2
"""One bad event never makes a bad tick."""


@dataclass(frozen=True, slots=True, eq=False)
class Marks:
    """Error ratios of each watch, as numerators and denominators."""

    tops: Integers  # above it a tick is bad
    bottoms: Integers
    failing_tops: Integers  # above it the failures of a tick speak for the alert
    failing_bottoms: Integers


@dataclass(slots=True, eq=False)
class Runs:
    """One entry per watch; instants are NEVER where there is none. Events are counted once per lane.

    A watch remembers what its lane had counted when something happened to it, so that a tick costs nothing for those to
    which nothing happens.
    """

    lane: Integers  # of each watch
    seen_bad: Integers  # by lane: all bad events so far
    seen_total: Integers
    start: Integers  # of the first bad tick of the run
    last_bad: Integers  # end of its last bad tick
    run_bad: Integers  # what the lane had seen by then
    run_total: Integers
    first_failure: Integers  # start of the first failing tick that no clean stretch has followed
    last_failure: Integers  # end of the last failing tick
    failure_bad: Integers  # what the lane had seen by then; what comes after is too little to speak for the alert
    failure_total: Integers

    @classmethod
    def none(cls, count: int, lane: Integers | None = None, lanes: int = 0) -> "Runs":
        """Nothing has happened yet; each watch has a lane of its own where ``lane`` does not say which of ``lanes``."""
        width = count if lane is None else lanes
        lane = np.arange(count, dtype=np.int64) if lane is None else lane
        # What is kept of one watch lies together in memory: a tick reads all of it, of few watches.
        fields = np.repeat(np.array([[NEVER, NEVER, 0, 0] * 2], dtype=np.int64), count, axis=0)
        return cls(lane, *(np.zeros(width, dtype=np.int64) for _ in range(2)), *fields.T)

    def advance(
        self,
        starts: Integers,
        now: Instant,
        bad: Integers,
        total: Integers,
        marks: Marks,
        watches: Integers | None = None,
    ) -> tuple[Integers, Integers]:
        """Take the events of one tick by lane, counted from ``starts`` to ``now``: (failing, burning) watches.

        Only ``watches`` are looked at, which must hold all that have a mark below this tick's ratio; None: all are.
        """
        self.seen_bad = self.seen_bad + bad
        self.seen_total = self.seen_total + total
        rows = self._all() if watches is None else watches
        lanes = self.lane[rows]
        bad, total = bad[lanes], total[lanes]
        failing = (bad > 0) & _exceeds(bad, total, marks.failing_tops[rows], marks.failing_bottoms[rows])
        burning = (bad >= FEWEST_BAD) & _exceeds(bad, total, marks.tops[rows], marks.bottoms[rows])
        failed, burnt = rows[failing], rows[burning]
        self._note(self.first_failure, self.last_failure, failed, starts, now)
        self._seen(self.failure_bad, self.failure_total, failed)
        self._note(self.start, self.last_bad, burnt, starts, now)
        self._seen(self.run_bad, self.run_total, burnt)
        return failed, burnt

    def _all(self) -> Integers:
        return np.arange(len(self.lane), dtype=np.int64)

    def _note(self, first: Integers, last: Integers, rows: Integers, starts: Integers, now: Instant) -> None:
        begun = rows[first[rows] == NEVER]
        first[begun] = starts[self.lane[begun]]
        last[rows] = now

    def _seen(self, bad: Integers, total: Integers, rows: Integers) -> None:
        lanes = self.lane[rows]
        bad[rows], total[rows] = self.seen_bad[lanes], self.seen_total[lanes]

    def relieved(self, needed: Integers, firing: Flags, watches: Integers | None = None) -> Integers:
        """Failing ticks that ``needed`` events have followed and no alert stands on: candidates for their end."""
        rows = self._all() if watches is None else watches
        clean = self.seen_total[self.lane[rows]] - self.failure_total[rows]
        over = (self.first_failure[rows] != NEVER) & (clean >= needed[rows]) & ~firing[rows]
        found: Integers = rows[over]
        return found

    def forget_failures(self, watches: int | Integers) -> None:
        """A clean stretch has followed the failing ticks."""
        self.first_failure[watches] = NEVER

    def rested(self, now: Instant, hold: Duration, firing: Flags, watches: Integers | None = None) -> Integers:
        """Runs without an alert whose last bad tick is ``hold`` ago: candidates for their end."""
        rows = self._all() if watches is None else watches
        quiet = (self.start[rows] != NEVER) & (now - self.last_bad[rows] >= hold) & ~firing[rows]
        found: Integers = rows[quiet]
        return found

    def end(self, watches: int | Integers) -> None:
        """The run is over."""
        self.start[watches] = NEVER
        self.first_failure[watches] = NEVER

    def impact_start(self, index: int, otherwise: Instant) -> Instant:
        """When the impact of this run began."""
        for instant in (int(self.start[index]), int(self.first_failure[index])):
            if instant != NEVER:
                return instant
        return otherwise

    def last_impact(self, index: int) -> Instant | None:
        """End of the last bad tick, or of the last failing one where no tick was bad."""
        for begun, ended in ((self.start, self.last_bad), (self.first_failure, self.last_failure)):
            if int(begun[index]) != NEVER:
                return int(ended[index])
        return None

    def since(self, index: int) -> tuple[int, int]:
        """(bad, total) since then."""
        lane = int(self.lane[index])
        bad, total = int(self.seen_bad[lane]), int(self.seen_total[lane])
        if int(self.start[index]) != NEVER:
            return bad - int(self.run_bad[index]), total - int(self.run_total[index])
        return bad - int(self.failure_bad[index]), total - int(self.failure_total[index])


def _exceeds(bad: Integers, total: Integers, tops: Integers, bottoms: Integers) -> Flags:
    """bad / total > tops / bottoms, in integers; counts of one tick stay far below where 64 bits end."""
    exceeds: Flags = bad * bottoms > tops * total
    return exceeds
