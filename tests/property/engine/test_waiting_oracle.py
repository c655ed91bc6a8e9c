"""Ends that are waited for come at the very tick at which a look at every watch would have found them."""

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import comb

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from figwatch_agent.decide.runs import NEVER, Marks, Runs
from figwatch_agent.engine.waiting import Waiting
from figwatch_agent.evaluate.tables import Recovery

Integers = NDArray[np.int64]

TICK, HOLD = 1_000, 3_000
LEVEL = Fraction(5, 100)
RATIOS = (Fraction(1, 5), Fraction(1, 2), Fraction(9, 10))
LANES = ((0,), (0, 0), (0, 1, 1), (1, 0, 2, 0))
"""The lane of each watch."""


@lru_cache(maxsize=4096)
def still_burning_rejected(bad: int, total: int, ratio: Fraction) -> bool:
    """At most ``bad`` of ``total`` fail with a probability of 5 % or less at ``ratio``, term by term."""
    if total <= 0:
        return False
    top, bottom = ratio.numerator, ratio.denominator
    below = sum(comb(total, k) * top**k * (bottom - top) ** (total - k) for k in range(bad + 1))
    return Fraction(below, bottom**total) <= LEVEL


@dataclass
class Plain:
    """One watch, looked at every tick."""

    ratio: Fraction
    start: int = NEVER
    last_bad: int = NEVER
    since_run: tuple[int, int] = (0, 0)
    first_failure: int = NEVER
    last_failure: int = NEVER
    since_failure: tuple[int, int] = (0, 0)
    standing: bool = False

    def count(self, bad: int, total: int, now: int) -> None:
        """Take one tick's events."""
        self.since_run = (self.since_run[0] + bad, self.since_run[1] + total)
        self.since_failure = (self.since_failure[0] + bad, self.since_failure[1] + total)
        if bad > 0 and Fraction(bad, total) > self.ratio / 2:
            self.first_failure = now - TICK if self.first_failure == NEVER else self.first_failure
            self.last_failure, self.since_failure = now, (0, 0)
        if bad >= 2 and Fraction(bad, total) > self.ratio:
            self.start = now - TICK if self.start == NEVER else self.start
            self.last_bad, self.since_run = now, (0, 0)

    def forget(self) -> None:
        """End failing ticks that a clean stretch has followed."""
        if not self.standing and still_burning_rejected(*self.since_failure, self.ratio):
            self.first_failure = NEVER

    def rest(self, now: int) -> None:
        """End a run that a hold and a clean stretch have followed."""
        if self.standing or self.start == NEVER or now - self.last_bad < HOLD:
            return
        if still_burning_rejected(*self.since_run, self.ratio):
            self.resolve()

    def resolve(self) -> None:
        """Nothing of what was is part of what comes."""
        self.start = self.first_failure = NEVER

    def says(self) -> tuple[int, ...]:
        """What the alert and the incident ask of a run."""
        return (
            self.start,
            self.last_bad if self.start != NEVER else NEVER,
            self.first_failure,
            self.last_failure if self.first_failure != NEVER else NEVER,
        )


def said(runs: Runs, watch: int) -> tuple[int, ...]:
    """The same of a watch of the engine."""
    start, first = int(runs.start[watch]), int(runs.first_failure[watch])
    return (
        start,
        int(runs.last_bad[watch]) if start != NEVER else NEVER,
        first,
        int(runs.last_failure[watch]) if first != NEVER else NEVER,
    )


@dataclass(frozen=True)
class Step:
    """What one tick brings: (bad, total) by lane; an alert that fires, or ends; a restart after it."""

    events: tuple[tuple[int, int], ...]
    fires: int | None
    resolves: int | None
    restart: bool
    gap: int  # ticks without an answer before it


@st.composite
def counts(draw: st.DrawFn) -> tuple[int, int]:
    """Mostly nothing bad; now and then one, or many."""
    total = draw(st.sampled_from((0, 1, 2, 3, 5, 13, 40)))
    return min(draw(st.sampled_from((0, 0, 0, 0, 1, 2, 3, 30))), total), total


def steps(watches: int) -> st.SearchStrategy[list[Step]]:
    """A history."""
    chosen = st.none() | st.integers(0, watches - 1)
    seldom = st.integers(0, 9).map(lambda number: number == 0)
    gap = st.sampled_from((0, 0, 0, 1, 2, 3))
    return st.lists(st.builds(Step, st.tuples(*[counts()] * 3), chosen, chosen, seldom, gap), min_size=1, max_size=40)


def marks_of(ratios: list[Fraction]) -> Marks:
    """Above the ratio a tick is bad, above its half it is failing."""
    parts = ([r.numerator for r in ratios], [r.denominator for r in ratios])
    return Marks(*(np.array(part) for part in (*parts, parts[0], [2 * bottom for bottom in parts[1]])))


@settings(max_examples=200)
@given(st.data())
def test_ends_come_at_the_tick_at_which_a_look_at_every_watch_finds_them(data: st.DataObject) -> None:
    lane = data.draw(st.sampled_from(LANES))
    ratios = [data.draw(st.sampled_from(RATIOS)) for _ in lane]
    lanes, count = max(lane) + 1, len(lane)
    runs, standing = Runs.none(count, np.array(lane), lanes), np.zeros(count, dtype=np.bool_)
    waiting = Waiting(runs, Recovery(ratios), standing, HOLD)
    plain, marks, now = [Plain(ratio) for ratio in ratios], marks_of(ratios), 100_000
    for step in data.draw(steps(count)):
        now += TICK * (1 + step.gap)
        bad, total = (np.array([each[part] for each in step.events[:lanes]]) for part in (0, 1))
        marked = (bad > 0).nonzero()[0]
        begin = np.full(lanes, now - TICK)
        waiting.put_off(*runs.advance(begin, now, bad, total, marks, waiting.of(marked)), now)
        for watch, one in enumerate(plain):
            one.count(*step.events[lane[watch]], now)
            one.forget()
        due = waiting.due(bad < 0, now)
        waiting.forget_failures(due)
        if step.fires is not None:
            standing[step.fires] = plain[step.fires].standing = True
        if step.resolves is not None and standing[step.resolves]:
            standing[step.resolves] = plain[step.resolves].standing = False
            runs.end(step.resolves)
            plain[step.resolves].resolve()
        waiting.end_rested(due, now)
        for one in plain:
            one.rest(now)
        waiting.wait(due, now)
        assert [said(runs, watch) for watch in range(count)] == [one.says() for one in plain]
        if step.restart:
            waiting = Waiting(runs, Recovery(ratios), standing, HOLD)
            waiting.wait_all(now)


def ends(*ticks: tuple[int, int]) -> list[bool]:
    """After each tick of (bad, total), whether no run of a watch that fires at 1/5 is open."""
    ratio, now, ended = Fraction(1, 5), 100_000, []
    runs, standing, marks = Runs.none(1), np.zeros(1, dtype=np.bool_), marks_of([ratio])
    waiting = Waiting(runs, Recovery([ratio]), standing, HOLD)
    for tick in ticks:
        now += TICK
        bad, total = (np.array([part]) for part in tick)
        waiting.put_off(*runs.advance(np.array([now - TICK]), now, bad, total, marks, waiting.of(np.array([0]))), now)
        due = waiting.due(bad < 0, now)
        waiting.forget_failures(due)
        waiting.end_rested(due, now)
        waiting.wait(due, now)
        ended.append(int(runs.start[0]) == NEVER)
    return ended


def test_a_bad_event_that_is_taken_back_ends_a_run_sooner_than_was_waited_for() -> None:
    assert not still_burning_rejected(1, 15, Fraction(1, 5))
    assert still_burning_rejected(0, 15, Fraction(1, 5))
    assert ends((5, 5), (1, 15), (0, 0), (0, 0), (-1, 0)) == [False, False, False, False, True]


def test_a_run_outlasts_its_hold_and_its_failing_ticks_until_enough_came_since_its_last_bad_tick() -> None:
    assert still_burning_rejected(0, 15, Fraction(1, 5)), "the failing tick is forgotten at the third"
    assert not still_burning_rejected(1, 21, Fraction(1, 5))
    assert still_burning_rejected(1, 22, Fraction(1, 5))
    ticks = (5, 5), (1, 3), (0, 15), (0, 0), (0, 3), (0, 1), (0, 1)
    assert ends(*ticks) == [False, False, False, False, False, True, True]
