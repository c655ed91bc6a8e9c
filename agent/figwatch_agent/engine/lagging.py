"""Runs of bad ticks that are brought up to date only where somebody looks: in a replay few watches ever alert.

What a lane counted stands in the history. Where its watches are needed they go through its bad ticks, and come out as
if they had been looked at in every tick: between two bad ticks only time and good events are added, so that what ends
there has ended by the last tick before the next bad one.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from figwatch_agent.decide.runs import FEWEST_BAD, NEVER, Marks, Runs
from figwatch_agent.durations import Duration, Instant
from figwatch_agent.engine.stretch import LaneCounts, PastReader
from figwatch_agent.evaluate.tables import TABLED, Recovery

Integers: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.bool_]


FEW = 16
"""So many bad ticks are gone through one by one."""


@dataclass(slots=True)
class _Run:
    """One watch, in plain numbers."""

    start: int
    last_bad: int
    run_bad: int
    run_total: int
    first_failure: int
    last_failure: int
    failure_bad: int
    failure_total: int


class Lag:
    """How far each lane's watches have come in a history, of which ``end`` ticks have been lived through."""

    def __init__(
        self,
        reader: PastReader,
        first: int,
        runs: Runs,
        marks: Marks,
        recovery: Recovery,
        standing: Flags,
        hold: Duration,
    ) -> None:
        self.reader = reader
        self.end = first
        self._runs = runs
        self._marks = marks
        self._recovery = recovery
        self._standing = standing
        self._hold = hold
        self._cursor: Integers = np.full(len(runs.seen_bad), first, dtype=np.int64)
        self._watches: list[list[int]] = [[] for _ in range(len(runs.seen_bad))]
        for watch, lane in enumerate(runs.lane.tolist()):
            self._watches[lane].append(watch)

    @property
    def now(self) -> Instant:
        """The last tick that was lived through."""
        return int(self.reader.counts.ticks[self.end - 1])

    def behind(self) -> list[int]:
        """Lanes that have not come to the end."""
        found: list[int] = np.flatnonzero(self._cursor < self.end).tolist()
        return found

    def catch_up(self, lane: int, *, resting: bool = True) -> None:
        """Bring a lane's watches to the end; without ``resting`` what ends with the last tick is left to ``rest``."""
        first = int(self._cursor[lane])
        if first >= self.end:
            return
        counts = self.reader.lane(lane, first, self.end)
        runs = self._runs
        bad = int(runs.seen_bad[lane]) + np.cumsum(counts.bad)
        total = int(runs.seen_total[lane]) + np.cumsum(counts.total)
        where = np.flatnonzero(counts.bad)
        for watch in self._watches[lane]:
            self._live(watch, counts, where, bad, total, resting=resting)
        runs.seen_bad[lane], runs.seen_total[lane] = bad[-1], total[-1]
        self._cursor[lane] = self.end

    def rest(self, lane: int, now: Instant) -> None:
        """What ends with the last tick, after alerts came and went with it."""
        bad, total = int(self._runs.seen_bad[lane]), int(self._runs.seen_total[lane])
        for watch in self._watches[lane]:
            run = self._read(watch)
            self._rest(watch, run, now, bad, total)
            self._write(watch, run)

    def _live(
        self, watch: int, counts: LaneCounts, where: Integers, bad: Integers, total: Integers, *, resting: bool
    ) -> None:
        run, marks = self._read(watch), self._marks
        here, among = counts.bad[where], counts.total[where]
        failing = here * marks.failing_bottoms[watch] > marks.failing_tops[watch] * among
        burning = (here >= FEWEST_BAD) & (here * marks.bottoms[watch] > marks.tops[watch] * among)
        seen, left = -1, 0  # the last tick that was looked at, and the bad ticks up to it
        if len(where) > FEW:
            seen, left = self._leap(watch, run, counts, (where, failing, burning), (bad, total), resting=resting)
        chosen = (each[left:].tolist() for each in (where, failing, burning))
        for place, fails, burns in zip(*chosen, strict=True):
            if place - 1 > seen:
                self._pause(watch, run, counts, bad, total, place - 1)
            now = int(counts.ticks[place])
            if fails:
                if run.first_failure == NEVER:
                    run.first_failure = int(counts.starts[place])
                run.last_failure, run.failure_bad, run.failure_total = now, int(bad[place]), int(total[place])
            if burns:
                if run.start == NEVER:
                    run.start = int(counts.starts[place])
                run.last_bad, run.run_bad, run.run_total = now, int(bad[place]), int(total[place])
            self._relieve(watch, run, int(bad[place]), int(total[place]))
            if resting or place < len(counts.ticks) - 1:
                self._rest(watch, run, now, int(bad[place]), int(total[place]))
            seen = place
        last = len(counts.ticks) - 1
        if last > seen:
            if resting:
                self._pause(watch, run, counts, bad, total, last)
            else:
                if last - 1 > seen:
                    self._pause(watch, run, counts, bad, total, last - 1)
                self._relieve(watch, run, int(bad[last]), int(total[last]))
        self._write(watch, run)

    def _leap(
        self,
        watch: int,
        run: _Run,
        counts: LaneCounts,
        chosen: tuple[Integers, Flags, Flags],
        seen: tuple[Integers, Integers],
        *,
        resting: bool,
    ) -> tuple[int, int]:
        """Go on behind the last pause by whose end everything was surely over: (its end, the bad ticks before it)."""
        where, failing, burning = chosen
        bad, total = seen
        ends = np.append(where[1:] - 1, len(counts.ticks) - (1 if resting else 2))
        failed, burnt = (_latest(flags) for flags in (failing, burning))
        over = (ends >= where) & (failed >= 0) & self._cleared(watch, where, failed, ends, bad, total)
        if run.start != NEVER:
            over &= burnt >= 0
        rested = counts.ticks[ends] - counts.ticks[where[burnt]] >= self._hold
        over &= (burnt < 0) | (rested & self._cleared(watch, where, burnt, ends, bad, total))
        found = np.flatnonzero(over)
        if not len(found) or self._standing[watch]:
            return -1, 0
        last = int(found[-1])
        run.start = run.first_failure = NEVER
        failure, burn = int(where[failed[last]]), int(where[burnt[last]])
        run.last_failure = int(counts.ticks[failure])
        run.failure_bad, run.failure_total = int(bad[failure]), int(total[failure])
        if burnt[last] >= 0:
            run.last_bad, run.run_bad, run.run_total = int(counts.ticks[burn]), int(bad[burn]), int(total[burn])
        return int(ends[last]), last + 1

    def _cleared(
        self, watch: int, where: Integers, since: Integers, ends: Integers, bad: Integers, total: Integers
    ) -> Flags:
        """Whether what came since some bad ticks rejects "still burning" by the ends of pauses; False where unsure."""
        begun = where[since]
        failures = bad[where] - bad[begun]
        few = failures < TABLED
        found = np.zeros(len(where), dtype=np.bool_)
        rows = np.full(int(few.sum()), watch, dtype=np.int64)
        found[few] = self._recovery.clears(rows, failures[few], (total[ends] - total[begun])[few])
        return found

    def _pause(self, watch: int, run: _Run, counts: LaneCounts, bad: Integers, total: Integers, place: int) -> None:
        """Ticks without a bad event, up to this one."""
        if run.first_failure != NEVER or run.start != NEVER:
            self._relieve(watch, run, int(bad[place]), int(total[place]))
            self._rest(watch, run, int(counts.ticks[place]), int(bad[place]), int(total[place]))

    def _relieve(self, watch: int, run: _Run, bad: int, total: int) -> None:
        if run.first_failure == NEVER or self._standing[watch]:
            return
        if self._recovery.clears_one(watch, bad - run.failure_bad, total - run.failure_total):
            run.first_failure = NEVER

    def _rest(self, watch: int, run: _Run, now: Instant, bad: int, total: int) -> None:
        if run.start == NEVER or now - run.last_bad < self._hold or self._standing[watch]:
            return
        if self._recovery.clears_one(watch, bad - run.run_bad, total - run.run_total):
            run.start = run.first_failure = NEVER

    def _read(self, watch: int) -> _Run:
        runs = self._runs
        return _Run(
            int(runs.start[watch]),
            int(runs.last_bad[watch]),
            int(runs.run_bad[watch]),
            int(runs.run_total[watch]),
            int(runs.first_failure[watch]),
            int(runs.last_failure[watch]),
            int(runs.failure_bad[watch]),
            int(runs.failure_total[watch]),
        )

    def _write(self, watch: int, run: _Run) -> None:
        runs = self._runs
        runs.start[watch], runs.last_bad[watch] = run.start, run.last_bad
        runs.run_bad[watch], runs.run_total[watch] = run.run_bad, run.run_total
        runs.first_failure[watch], runs.last_failure[watch] = run.first_failure, run.last_failure
        runs.failure_bad[watch], runs.failure_total[watch] = run.failure_bad, run.failure_total


def _latest(flags: Flags) -> Integers:
    """The place of the last that holds up to each; -1 where none has."""
    found: Integers = np.maximum.accumulate(np.where(flags, np.arange(len(flags)), -1))
    return found
