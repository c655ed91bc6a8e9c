"""Early lanes over a stretch of ticks. Few rise at all: the others stay at 0, whatever good events come."""

from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from figwatch_agent.durations import HOUR, MINUTE
from figwatch_agent.engine.lanes import YOUNG, Lanes
from figwatch_agent.engine.stretch import Stretch
from figwatch_agent.engine.stretched import Stretched
from figwatch_agent.evaluate.early_lane import most_per_scrape, threshold

Counts: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.bool_]

MOST_EVENTS = 2**36
"""Of one tick: a count times a weight stays far inside 64 bits."""

_NOT = -1


@dataclass(slots=True)
class Path:
    """One lane, tick by tick."""

    statistic: list[int] = field(default_factory=list)  # after each tick
    thresholds: list[int] = field(default_factory=list)
    asked: list[int] = field(default_factory=list)  # the tick that its threshold is due from, or _NOT


class Rising:
    """What early lanes do in a stretch that they have not lived through yet."""

    def __init__(
        self, lanes: Lanes, stretch: Stretch, budget: Stretched, covered: Stretched, sides: Stretched | None
    ) -> None:
        self._lanes = lanes
        self._stretch = stretch
        self._budget = budget
        self._sides = sides
        self._group = lanes.rings.coverage.group[lanes.stream]
        _, above = covered.edges(HOUR, stretch.ticks)
        self._covered = covered.counted[1:] - covered.by(HOUR, above)  # [tick, column of covered time]
        before = np.concatenate([[stretch.since], stretch.ticks[:-1]])
        turned = stretch.ticks // MINUTE != before // MINUTE
        self._asked: Flags = (self._covered > 0) & (turned[:, None] | (self._covered < YOUNG))
        self._above = budget.edges(HOUR, stretch.ticks)[1]
        self._above_sides = self._above if sides is None else sides.edges(HOUR, stretch.ticks)[1]
        self.paths: dict[int, Path] = {}

    def first(self, wanted: Flags) -> int:
        """How many ticks pass before one of the ``wanted`` lanes fires."""
        gains, lit = self._gains()
        found = len(self._stretch.ticks)
        for lane in lit:
            path = self.paths[lane] = self._path(lane, gains.get(lane, {}))
            if wanted[lane]:
                fires = (t for t, (s, h) in enumerate(zip(path.statistic, path.thresholds, strict=True)) if s >= h)
                found = min(next(fires, found), found)
        return found

    def settle(self, ticks: int) -> None:
        """Let the lanes stand where they stand after so many of the ticks."""
        lanes = self._lanes
        last = np.array([np.max(np.flatnonzero(each), initial=_NOT) for each in self._asked[:ticks].T], dtype=np.int64)
        by_lane = last[self._group]
        for lane, path in self.paths.items():
            by_lane[lane] = path.asked[ticks - 1]
            if by_lane[lane] == _NOT:
                lanes.settle(lane, path.thresholds[ticks - 1])
            lanes.statistic[lane] = path.statistic[ticks - 1]
        for tick in np.unique(by_lane[by_lane != _NOT]).tolist():
            chosen = np.flatnonzero(by_lane == tick)
            lanes.ask(chosen, self._events(tick, chosen), self._covered[tick, self._group[chosen]])

    def _gains(self) -> tuple[dict[int, dict[int, int]], list[int]]:
        """(by lane what raises it, tick by tick, lanes that stand above 0 at any time)."""
        lanes, stretch = self._lanes, self._stretch
        ticks, rows = np.nonzero(stretch.lane_bad)
        bad, total = stretch.lane_bad[ticks, rows], stretch.lane_total[ticks, rows]
        gain = bad * lanes.bad_weights[rows] + (total - bad) * lanes.good_weights[rows]
        up = np.flatnonzero((gain > 0) & (lanes.watch[rows] >= 0))
        rising = set(rows[up].tolist()) | set(np.flatnonzero(lanes.statistic > 0).tolist())
        gains: dict[int, dict[int, int]] = {}
        for tick, lane, value in zip(ticks[up].tolist(), rows[up].tolist(), gain[up].tolist(), strict=True):
            gains.setdefault(lane, {})[tick] = value
        return gains, sorted(rising)

    def _path(self, lane: int, gains: dict[int, int]) -> Path:
        lanes, path = self._lanes, Path()
        statistic, height, asked = int(lanes.statistic[lane]), lanes.height(lane), _NOT
        may_ask = self._asked[:, self._group[lane]].tolist()
        bad, total = self._stretch.lane_bad[:, lane].tolist(), self._stretch.lane_total[:, lane].tolist()
        weights = int(lanes.bad_weights[lane]), int(lanes.good_weights[lane])
        for tick, asks in enumerate(may_ask):
            if asks and statistic == 0:
                asked = tick
            if statistic > 0 or tick in gains:
                if asked != _NOT:
                    row = np.array([lane], dtype=np.int64)
                    covered = int(self._covered[asked, self._group[lane]])
                    height, asked = threshold(int(self._events(asked, row)[0]), covered), _NOT
                gain = bad[tick] * weights[0] + (total[tick] - bad[tick]) * weights[1]
                statistic = min(max(statistic + min(gain, most_per_scrape(height)), 0), height)
            path.statistic.append(statistic)
            path.thresholds.append(height)
            path.asked.append(asked)
        return path

    def _events(self, tick: int, rows: Counts) -> Counts:
        """Events of some lanes in the hour before a tick."""
        streams = self._lanes.stream[rows]
        since = self._budget.by(HOUR, self._above[tick : tick + 1], streams)[0]
        events: Counts = self._budget.counted[tick + 1, streams] - since
        served = rows >= len(self._stretch.known)
        if self._sides is not None and served.any():
            columns = self._lanes.served_columns(streams[served])
            since = self._sides.by(HOUR, self._above_sides[tick : tick + 1], columns)[0]
            events[served] = np.minimum(self._sides.counted[tick + 1, columns] - since, events[served])
        return events
