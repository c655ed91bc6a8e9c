"""What a tick costs: rings and decisions of ten thousand SLOs, and the whole engine with a thousand.

Every SLO counts two series of its own, at rates from 0.1 to 1,000 requests a second, and spends a third of its budget
at random; thirty days are full before the first measured tick. Ticks are ten seconds apart, or sixty in a replay, which
hands a history to the engine many ticks at a time.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from typing import Final

import numpy as np

from bench.row import Row
from figwatch_agent.durations import SECOND, Duration
from figwatch_agent.engine import Engine
from figwatch_agent.engine.past import PastCounts
from support.tally_load import BEGIN, Load, conf, own_services, pauses

TICKS: Final = 60
REPLAYED: Final = 1_440
TOGETHER: Final = 240
DECIDED_MS: Final = 2.0
REPLAYED_MS: Final = 0.115
"""Thirty days of ticks a minute apart in five seconds."""


def rows() -> Iterator[Row]:
    """Decisions of many, then everything for a thousand: as a live agent counts, and as a replay does."""
    many = statistics.median(_decisions(10_000, 10 * SECOND))
    yield Row(
        name="10,000 SLOs x 8 windows, rings and decisions / 2 ms",
        ratio=many / DECIDED_MS,
        limit=1.0,
        note=f"{many:.2f} ms CPU a tick",
    )
    for name, spends in (("a third of the budgets spent", True), ("no bad event", False)):
        whole = statistics.median(_whole(1_000, 60 * SECOND, spends=spends))
        yield Row(
            name=f"replay of 1,000 SLOs, {name} / 0.115 ms",
            ratio=whole / REPLAYED_MS,
            limit=1.0,
            note=f"{1000 * whole:.0f} us CPU a tick",
        )


def _full(count: int, interval: Duration) -> tuple[Engine, Load, int]:
    """An engine with thirty days behind it."""
    engine, now = Engine(own_services(count), conf(interval), keeps_state=False), BEGIN
    load = Load(engine)
    for pause in pauses(interval):
        now += pause
        engine.advance(load.inputs(now, pause), now)
    return engine, load, now


def _decisions(count: int, interval: Duration) -> Iterator[float]:
    """CPU milliseconds of the rings and the watches alone."""
    engine, load, now = _full(count, interval)
    nothing = np.zeros(0, dtype=np.int64)
    for _ in range(TICKS):
        since, now = now, now + interval
        tally = engine._counter.count((), now, load.inputs(now, interval).counted)
        begun = time.process_time_ns()
        engine._rings.advance(tally, [(now, nothing)], now)
        engine._watches.advance(tally, since, now)
        yield (time.process_time_ns() - begun) / 1e6


def _whole(count: int, interval: Duration, *, spends: bool) -> Iterator[float]:
    """CPU milliseconds a tick of ``advance_many``, as a replay calls it."""
    engine, load, now = _full(count, interval)
    counts = _history(load, now, interval, spends=spends)
    for first in range(1, len(counts.ticks), TOGETHER):
        places = range(first, min(first + TOGETHER, len(counts.ticks)))
        begun = time.process_time_ns()
        for _ in engine.advance_many(counts, places):
            pass
        yield (time.process_time_ns() - begun) / 1e6 / len(places)


def _history(load: Load, now: int, interval: Duration, *, spends: bool) -> PastCounts:
    """What a replay reads: the tick that was lived through last, and those that follow."""
    ticks = now + interval * np.arange(1 + REPLAYED, dtype=np.int64)
    total, bad = (np.array(each) for each in zip(*(load.counts(interval) for _ in ticks), strict=True))
    return PastCounts(
        ticks=ticks,
        keys=load.keys,
        sides=("unknown",) * len(load.keys),
        total=total.astype(np.int32),
        bad=(bad if spends else 0 * bad).astype(np.int32),
        covered=np.full((len(ticks), 1), interval, dtype=np.int64),
        group=np.zeros(len(load.keys), dtype=np.int64),
        untimed={},
        streams=frozenset(range(len(load.keys))),
        started=(),
    )
