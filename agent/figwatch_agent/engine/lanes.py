"""The early lane of every stream, and of the service side of those that have sides: CUSUMs side by side.

A lane is what events are counted on: a stream whole, or its service side. A threshold is worked out when a bad event
asks for it, from what was counted when it was due.
"""

import numpy as np
from numpy.typing import NDArray

from figwatch_agent.durations import HOUR, MINUTE, YEAR, Instant
from figwatch_agent.engine.catalog import Catalog
from figwatch_agent.engine.measuring import Rings
from figwatch_agent.evaluate.early_lane import FEWEST_EVENTS_A_YEAR, advance_many, threshold, threshold_many

Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]

YOUNG = 2 * MINUTE
"""A stream of which less was measured in the last hour gets a new threshold every tick, others once a minute."""


class Lanes:
    """Statistics and thresholds by lane; lanes without an early watch have a statistic of 0 for ever."""

    def __init__(self, catalog: Catalog, rings: Rings) -> None:
        self.rings = rings
        count = len(catalog.streams)
        served = [watch.stream.index for watch in catalog.watches if watch.lane == "service"]
        self.stream: Integers = np.concatenate([np.arange(count), np.array(served, dtype=np.int64)])
        self.keys = [stream.key for stream in catalog.streams]
        self.keys += [f"{catalog.streams[index].key} service" for index in served]
        self._served = np.array(served, dtype=np.int64)
        place = {index: count + number for number, index in enumerate(served)}
        self.of_watch: Integers = np.array(
            [place[w.stream.index] if w.lane == "service" else w.stream.index for w in catalog.watches], dtype=np.int64
        )
        self.watch: Integers = np.full(len(self.stream), -1, dtype=np.int64)  # the early watch of each lane
        self.bad_weights: Integers = np.zeros(len(self.stream), dtype=np.int64)
        self.good_weights: Integers = np.zeros(len(self.stream), dtype=np.int64)
        for watch in catalog.watches:
            if watch.early is not None:
                lane = self.of_watch[watch.index]
                self.watch[lane] = watch.index
                self.bad_weights[lane] = watch.early.bad_weight
                self.good_weights[lane] = watch.early.good_weight
        self.statistic: Integers = np.zeros(len(self.stream), dtype=np.int64)
        self._thresholds: Integers = np.full(len(self.stream), threshold(FEWEST_EVENTS_A_YEAR, YEAR), dtype=np.int64)
        self._due: Flags = np.zeros(len(self.stream), dtype=np.bool_)  # whose threshold is to be worked out
        self._events: Integers = np.zeros(len(self.stream), dtype=np.int64)  # of the hour before it was due
        self._covered: Integers = np.zeros(len(self.stream), dtype=np.int64)

    @property
    def thresholds(self) -> Integers:
        """All of them."""
        self._work_out(np.arange(len(self.stream), dtype=np.int64))
        return self._thresholds

    def stands(self, watch: int) -> tuple[int, int]:
        """(statistic, threshold) of an early watch."""
        lane = int(self.of_watch[watch])
        return int(self.statistic[lane]), int(self.thresholds[lane])

    def restore(self, statistic: Integers, thresholds: Integers) -> None:
        """Stand where another process stood."""
        self.statistic, self._thresholds = statistic.copy(), thresholds.copy()

    def measure(self, since: Instant, now: Instant) -> None:
        """A stream's event rate moves slowly: once a minute is often enough, and every tick in the first two."""
        groups, group = self.rings.covered_inside(HOUR)
        chosen = groups > 0
        if now // MINUTE == since // MINUTE:
            chosen &= groups < YOUNG
        if not chosen.any():
            return
        # A lane on its way keeps its threshold: one that moved would cost it a scrape.
        covered = groups[group][self.stream]
        asked = chosen[group][self.stream] & (self.statistic == 0)
        events = self.rings.totals_inside(HOUR)
        if len(self._served):
            served = self.rings.served_inside(HOUR, self._served)
            events = np.concatenate([events, np.minimum(served, events[self._served])])
        self._events = np.where(asked, events, self._events)
        self._covered = np.where(asked, covered, self._covered)
        self._due |= asked

    def ask(self, lanes: Integers, events: Integers, covered: Integers) -> None:
        """New thresholds are due for some lanes, by what was counted in so much time."""
        self._events[lanes], self._covered[lanes], self._due[lanes] = events, covered, True

    def height(self, lane: int) -> int:
        """The threshold of one lane."""
        self._work_out(np.array([lane], dtype=np.int64))
        return int(self._thresholds[lane])

    def settle(self, lane: int, height: int) -> None:
        """One lane has this threshold, and none is due."""
        self._thresholds[lane], self._due[lane] = height, False

    def served_columns(self, streams: Integers) -> Integers:
        """Where the ring of the sides counts what the service side of these streams served."""
        return self.rings.served_columns(streams)

    def advance(self, lanes: Integers, bad: Integers, total: Integers) -> Integers:
        """Take one tick's events by lane; only ``lanes`` are looked at, and those that fire are returned.

        Lanes left out must have a statistic of 0 and no bad events: good ones cannot lower it any more.
        """
        lanes = lanes[self.watch[lanes] >= 0]
        self._work_out(lanes)
        bad, total, thresholds = bad[lanes], total[lanes], self._thresholds[lanes]
        self.statistic[lanes] = advance_many(
            self.statistic[lanes], bad, total - bad, thresholds, self.bad_weights[lanes], self.good_weights[lanes]
        )
        return lanes[self.statistic[lanes] >= thresholds]

    def _work_out(self, lanes: Integers) -> None:
        due = lanes[self._due[lanes]]
        if len(due):
            self._thresholds[due] = threshold_many(self._events[due], self._covered[due])
            self._due[due] = False
