"""When something may end for a watch: how many events, or which instant, its lane must have seen before.

A run, or failing ticks, end when what came since rejects "still burning". How many events that takes is looked up once,
when they are noted; a tick looks again only at watches whose lane has come so far. What is waited for may be too little
by then, never too much: more bad events only put an end off.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from figwatch_agent.decide.runs import NEVER, Runs
from figwatch_agent.durations import Duration, Instant
from figwatch_agent.evaluate.tables import Recovery

Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]
Ratios = NDArray[np.float64]

_NOT_YET: Final = 2**62
"""Later than any instant, more than any count."""

_NOBODY: Final = -1
"""Fills the places of lanes with fewer watches than others; what it waits for never comes."""


@dataclass(frozen=True, slots=True, eq=False)
class Due:
    """What a tick looks at."""

    lanes: Integers
    watches: Integers  # in which something may end


class Waiting:
    """Knows by lane, and by watch, what is waited for."""

    def __init__(self, runs: Runs, recovery: Recovery, standing: Flags, hold: Duration) -> None:
        self._runs = runs
        self._recovery = recovery
        self._standing = standing
        self._hold = hold
        count, lanes = len(runs.lane), len(runs.seen_total)
        # [place, lane]: what is kept by watch lies side by side for all lanes, and the watches of few are soon found.
        self._place = _places(runs.lane, lanes)
        width = int(self._place.max(initial=0)) + 1
        self._watches: Integers = np.full((width, lanes), _NOBODY, dtype=np.int64)
        self._watches[self._place, runs.lane] = np.arange(count, dtype=np.int64)
        self._alike = bool((self._watches != _NOBODY).all())  # no lane has fewer watches than another
        self._least = recovery.fewest(np.arange(count, dtype=np.int64), np.zeros(count, dtype=np.int64))
        self._events: Integers = np.full(lanes, _NOT_YET, dtype=np.int64)  # by lane: so many in all may end something
        self._instants: Integers = np.full(lanes, _NOT_YET, dtype=np.int64)  # by lane: a hold has passed
        self._own_events: Integers = np.full((width, lanes), _NOT_YET, dtype=np.int64)
        self._own_instants: Integers = np.full((width, lanes), _NOT_YET, dtype=np.int64)

    def by_place(self, values: Ratios, nobody: float) -> Ratios:
        """[place, lane] of what is given by watch."""
        found = np.full(self._watches.shape, nobody, dtype=np.float64)
        found[self._place, self._runs.lane] = values
        return found

    def of(self, lanes: Integers, chosen: Flags | None = None) -> Integers:
        """The watches of some lanes; those that are chosen, [place, lane]."""
        found: Integers = self._watches.take(lanes, axis=1)
        found = found.reshape(-1) if chosen is None else found[chosen]
        return found if self._alike else found[found != _NOBODY]

    def put_off(self, failed: Integers, burnt: Integers, now: Instant) -> None:
        """A tick was failing, or bad, for these watches."""
        runs, lane, place = self._runs, self._runs.lane[failed], self._place[failed]
        least = runs.seen_total[lane] + self._least[failed]
        before = np.where(runs.start[failed] == NEVER, _NOT_YET, self._own_events[place, lane])
        self._own_events[place, lane] = np.minimum(least, before)
        np.minimum.at(self._events, lane, least)
        burning = runs.lane[burnt]
        self._own_instants[self._place[burnt], burning] = now + self._hold
        self._instants[burning] = np.minimum(self._instants[burning], now + self._hold)

    def due(self, taken: Flags, now: Instant) -> Due:
        """What may have come after a tick. Where bad events were ``taken`` back, what is waited for may be too much."""
        runs = self._runs
        lanes = ((runs.seen_total >= self._events) | (self._instants <= now) | taken).nonzero()[0]
        reached = self._own_events.take(lanes, axis=1) <= runs.seen_total[lanes]
        reached |= self._own_instants.take(lanes, axis=1) <= now
        reached |= taken[lanes]
        return Due(lanes, self.of(lanes, reached))

    def forget_failures(self, due: Due) -> None:
        """End failing ticks that a clean stretch has followed."""
        runs = self._runs
        relieved = runs.relieved(self._least, self._standing, due.watches)
        runs.forget_failures(self._clearing(relieved, runs.failure_bad, runs.failure_total))

    def end_rested(self, due: Due, now: Instant) -> None:
        """End runs that a hold and a clean stretch have followed."""
        runs = self._runs
        rested = runs.rested(now, self._hold, self._standing, due.watches)
        runs.end(self._clearing(rested, runs.run_bad, runs.run_total))

    def wait(self, due: Due, now: Instant) -> None:
        """Note how many events, or which instant, may end something from now on."""
        runs, watches = self._runs, due.watches
        place, lane = self._place[watches], runs.lane[watches]
        free = ~self._standing[watches]
        instants = np.where(free & (runs.start[watches] != NEVER), runs.last_bad[watches] + self._hold, _NOT_YET)
        rested = instants <= now
        failing = free & (runs.first_failure[watches] != NEVER)
        self._own_events[place, lane] = _NOT_YET
        self._wait_for(watches[rested], runs.run_bad, runs.run_total)
        self._wait_for(watches[failing], runs.failure_bad, runs.failure_total)
        instants[rested] = _NOT_YET
        self._own_instants[place, lane] = instants
        self._events[due.lanes] = self._own_events.take(due.lanes, axis=1).min(axis=0)
        self._instants[due.lanes] = self._own_instants.take(due.lanes, axis=1).min(axis=0)

    def wait_all(self, now: Instant) -> None:
        """The same for everybody."""
        runs = self._runs
        self.wait(Due(*(np.arange(len(each), dtype=np.int64) for each in (runs.seen_total, runs.lane))), now)

    def _wait_for(self, watches: Integers, bad: Integers, total: Integers) -> None:
        """What came since these counts may clear some watches when there are so many events in all."""
        place, lane = self._place[watches], self._runs.lane[watches]
        fewest = self._recovery.fewest(watches, self._runs.seen_bad[lane] - bad[watches])
        before = self._own_events[place, lane]
        self._own_events[place, lane] = np.minimum(before, total[watches] + fewest)

    def _clearing(self, watches: Integers, bad: Integers, total: Integers) -> Integers:
        """Those of some watches that what came since rejects as still burning."""
        lane = self._runs.lane[watches]
        since = self._runs.seen_bad[lane] - bad[watches], self._runs.seen_total[lane] - total[watches]
        return watches[self._recovery.clears(watches, *since)]


def _places(lane: Integers, lanes: int) -> Integers:
    """The place of each watch among those of its lane."""
    counts = np.bincount(lane, minlength=lanes)
    order = np.argsort(lane, kind="stable")
    found = np.empty(len(lane), dtype=np.int64)
    found[order] = np.arange(len(lane), dtype=np.int64) - np.repeat(np.cumsum(counts) - counts, counts)
    return found
