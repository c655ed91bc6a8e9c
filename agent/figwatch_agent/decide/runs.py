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
    """One entry per watch. Instants are NEVER where there is none."""

    start: Integers  # of the first bad tick of the run
    last_bad: Integers  # end of its last bad tick
    since_bad: Integers  # bad events after that
    since_total: Integers
    first_failure: Integers  # start of the first failing tick that no clean stretch has followed
    last_failure: Integers  # end of the last failing tick
    clean_bad: Integers  # bad events after that, too few to speak for the alert
    clean: Integers  # all events after that

    @classmethod
    def none(cls, count: int) -> "Runs":
        """Nothing has happened yet."""
        return cls(
            start=np.full(count, NEVER, dtype=np.int64),
            last_bad=np.full(count, NEVER, dtype=np.int64),
            since_bad=np.zeros(count, dtype=np.int64),
            since_total=np.zeros(count, dtype=np.int64),
            first_failure=np.full(count, NEVER, dtype=np.int64),
            last_failure=np.full(count, NEVER, dtype=np.int64),
            clean_bad=np.zeros(count, dtype=np.int64),
            clean=np.zeros(count, dtype=np.int64),
        )

    def advance(self, starts: Integers, now: Instant, bad: Integers, total: Integers, marks: Marks) -> None:
        """Take the events of one tick, counted from ``starts`` to ``now``."""
        burning = (bad >= FEWEST_BAD) & _exceeds(bad, total, marks.tops, marks.bottoms)
        self.start = np.where(burning & (self.start == NEVER), starts, self.start)
        self.last_bad = np.where(burning, now, self.last_bad)
        running = self.start != NEVER
        self.since_bad = np.where(burning | ~running, 0, self.since_bad + bad)
        self.since_total = np.where(burning | ~running, 0, self.since_total + total)
        failing = (bad > 0) & _exceeds(bad, total, marks.failing_tops, marks.failing_bottoms)
        self.first_failure = np.where(failing & (self.first_failure == NEVER), starts, self.first_failure)
        self.last_failure = np.where(failing, now, self.last_failure)
        self.clean_bad = np.where(failing, 0, self.clean_bad + bad)
        self.clean = np.where(failing, 0, self.clean + total)

    def relieved(self, needed: Integers, firing: Flags) -> list[int]:
        """Failing ticks that ``needed`` events have followed and no alert stands on: candidates for their end."""
        over = (self.first_failure != NEVER) & (self.clean >= needed) & ~firing
        return [int(index) for index in np.flatnonzero(over)]

    def forget_failures(self, index: int) -> None:
        """A clean stretch has followed the failing ticks."""
        self.first_failure[index] = NEVER

    def rested(self, now: Instant, hold: Duration, firing: Flags) -> list[int]:
        """Runs without an alert whose last bad tick is ``hold`` ago: candidates for their end."""
        quiet = (self.start != NEVER) & (now - self.last_bad >= hold) & ~firing
        return [int(index) for index in np.flatnonzero(quiet)]

    def end(self, index: int) -> None:
        """The run is over."""
        self.start[index] = NEVER
        self.first_failure[index] = NEVER
        self.since_bad[index] = self.since_total[index] = 0

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
        if int(self.start[index]) != NEVER:
            return int(self.since_bad[index]), int(self.since_total[index])
        return int(self.clean_bad[index]), int(self.clean[index])


def _exceeds(bad: Integers, total: Integers, tops: Integers, bottoms: Integers) -> Flags:
    """bad / total > tops / bottoms, in integers; counts of one tick stay far below where 64 bits end."""
    exceeds: Flags = bad * bottoms > tops * total
    return exceeds
