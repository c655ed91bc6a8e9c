"""Runs of bad ticks: when an impact began, when it was last seen, and what has come since.

A bad tick has at least two bad events and an error ratio above the one that fires. Where traffic is so thin that no
tick has two events, single failures stand in: a run then begins with the first failure that no clean stretch has
followed.
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


@dataclass(slots=True, eq=False)
class Runs:
    """One entry per watch. Instants are NEVER where there is none."""

    start: Integers  # of the first bad tick of the run
    last_bad: Integers  # end of its last bad tick
    since_bad: Integers  # bad events after that
    since_total: Integers
    first_failure: Integers  # start of the first tick with a failure that no clean stretch has followed
    last_failure: Integers  # end of the last tick with a failure
    clean: Integers  # good events after that

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
            clean=np.zeros(count, dtype=np.int64),
        )

    def advance(
        self, since: Instant, now: Instant, bad: Integers, total: Integers, tops: Integers, bottoms: Integers
    ) -> None:
        """Take the events of one tick, from ``since`` to ``now``; the ratio that fires is tops / bottoms."""
        burning = (bad >= FEWEST_BAD) & _exceeds(bad, total, tops, bottoms)
        self.start = np.where(burning & (self.start == NEVER), since, self.start)
        self.last_bad = np.where(burning, now, self.last_bad)
        running = self.start != NEVER
        self.since_bad = np.where(burning | ~running, 0, self.since_bad + bad)
        self.since_total = np.where(burning | ~running, 0, self.since_total + total)
        failing = bad > 0
        self.first_failure = np.where(failing & (self.first_failure == NEVER), since, self.first_failure)
        self.last_failure = np.where(failing, now, self.last_failure)
        self.clean = np.where(failing, 0, self.clean + total)

    def forget_failures(self, needed: Integers, firing: Flags) -> None:
        """A clean stretch of ``needed`` events ends a run of single failures, unless an alert stands on it."""
        over = (self.clean >= needed) & ~firing
        self.first_failure = np.where(over, NEVER, self.first_failure)

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
        """End of the last bad tick, or of the last failure where no tick was bad."""
        for begun, ended in ((self.start, self.last_bad), (self.first_failure, self.last_failure)):
            if int(begun[index]) != NEVER:
                return int(ended[index])
        return None

    def since(self, index: int) -> tuple[int, int]:
        """(bad, total) since then."""
        if int(self.start[index]) != NEVER:
            return int(self.since_bad[index]), int(self.since_total[index])
        return 0, int(self.clean[index])


def _exceeds(bad: Integers, total: Integers, tops: Integers, bottoms: Integers) -> Flags:
    """bad / total > tops / bottoms, in integers; counts of one tick stay far below where 64 bits end."""
    exceeds: Flags = bad * bottoms > tops * total
    return exceeds
