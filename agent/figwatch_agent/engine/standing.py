"""What becomes of an alert that stands, over a stretch of ticks that nobody has lived through yet."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from figwatch_agent.decide.runs import FEWEST_BAD, NEVER, Marks, Runs
from figwatch_agent.durations import Duration
from figwatch_agent.engine.catalog import Watch
from figwatch_agent.engine.stretch import Stretch
from figwatch_agent.evaluate.tables import Recovery

Integers: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.bool_]

_MARGIN = 1 + 1e-9
_FEW = 4


@dataclass(frozen=True, slots=True, eq=False)
class Standing:
    """One watch's alert."""

    ticks: int  # that pass before the data could end it
    impact: Integers  # by tick, the end of the last bad tick; NEVER where there was none


def standing(watch: Watch, runs: Runs, marks: Marks, recovery: Recovery, hold: Duration, stretch: Stretch) -> Standing:
    """Follow a watch whose run is up to date; its alert must be one that ends by what its own lane counts."""
    ratio = min(float(watch.ratio) * _MARGIN, 1.0)  # more bad events than that are no sign of recovery at any level
    row = watch.index
    lane = int(runs.lane[row])
    bad, total = (counted[:, lane].astype(np.int64) for counted in (stretch.lane_bad, stretch.lane_total))
    seen = int(runs.seen_bad[lane]) + np.cumsum(bad), int(runs.seen_total[lane]) + np.cumsum(total)
    burning = (bad >= FEWEST_BAD) & (bad * marks.bottoms[row] > marks.tops[row] * total)
    failing = (bad > 0) & (bad * marks.failing_bottoms[row] > marks.failing_tops[row] * total)
    burnt = _latest(burning, stretch.ticks, seen, (runs.last_bad, runs.run_bad, runs.run_total), row)
    failed = _latest(failing, stretch.ticks, seen, (runs.last_failure, runs.failure_bad, runs.failure_total), row)
    runs_now = (int(runs.start[row]) != NEVER) | np.logical_or.accumulate(burning)
    fails_now = (int(runs.first_failure[row]) != NEVER) | np.logical_or.accumulate(failing)
    last, then_bad, then_total = (np.where(runs_now, one, two) for one, two in zip(burnt, failed, strict=True))
    well = ~(runs_now | fails_now) | (stretch.ticks - last >= hold)
    since = seen[0] - then_bad, seen[1] - then_total
    first = _first_cleared(row, recovery, ratio, np.flatnonzero(well & (since[0] <= ratio * since[1] + 1)), since)
    return Standing(len(bad) if first is None else first, np.where(runs_now | fails_now, last, NEVER))


def _first_cleared(
    watch: int, recovery: Recovery, ratio: float, places: Integers, since: tuple[Integers, Integers]
) -> int | None:
    """The first of some ticks at which what came since rejects "still burning"; most of the time it is an early one."""
    number = _FEW
    while len(places):
        few, places, number = places[:number], places[number:], 2 * number
        cleared = recovery.clears(np.full(len(few), watch, dtype=np.int64), since[0][few], since[1][few])
        if cleared.any():
            return int(few[cleared][0])
    return None


def _latest(
    chosen: Flags, ticks: Integers, seen: tuple[Integers, Integers], before: tuple[Integers, ...], watch: int
) -> tuple[Integers, ...]:
    """By tick, when the last of the chosen ticks was, and what had been seen by then; as it was ``before`` them."""
    place = np.maximum.accumulate(np.where(chosen, np.arange(1, len(ticks) + 1), 0))
    return tuple(
        np.concatenate([[int(old[watch])], each])[place] for old, each in zip(before, (ticks, *seen), strict=True)
    )
