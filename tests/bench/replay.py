"""What thirty days of a thousand SLOs, once a minute, cost to replay with all alerts, once their counts are loaded."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import count
from typing import Final

import numpy as np

from bench.row import Row
from figwatch_agent.durations import DAY, MINUTE
from figwatch_agent.engine import Engine
from figwatch_agent.engine.past import PastCounts
from figwatch_agent.engine.replaying import replay
from figwatch_agent.model.selector import Matcher, Selector
from figwatch_agent.model.settings import Scrape
from figwatch_agent.model.slo import Events, ServiceSlos, Slo
from figwatch_agent.model.tier import DEFAULT_TIERS
from support.world import START, service, settings

SLOS: Final = 1_000
TICKS: Final = 30 * DAY // MINUTE
ENOUGH: Final = 20.0
"""Seconds of CPU after which the rest is reckoned from what was done: every tick costs about the same."""
AIMED_AT: Final = 5.0
"""Seconds."""
LIMIT: Final = 1.0
FAILING: Final = 20
"""SLOs with an outage of half an hour, each at another time."""


def promises() -> tuple[ServiceSlos, ...]:
    """A thousand SLOs of two series each, with the usual four tiers and the early lane."""
    slos = tuple(
        Slo(
            name=f"slo-{number}",
            sli=Events(total=(_selector("requests_total", number),), bad=(_selector("failures_total", number),)),
            objective=Fraction(999, 1000),
            tiers=DEFAULT_TIERS,
        )
        for number in range(SLOS)
    )
    return (replace(service(), routes=(), slos=slos, criteria=()),)


def counts(engine: Engine, ticks: int) -> PastCounts:
    """Six hundred events a minute, three in ten thousand failing, and some outages."""
    chance = np.random.default_rng(1)
    total = chance.poisson(600, (ticks, SLOS)).astype(np.int32)
    bad = chance.binomial(total, 0.0003).astype(np.int32)
    for number in range(FAILING):
        begin = (number * 997 + 60) % max(ticks - 60, 1)
        bad[begin : begin + 30, number] = total[begin : begin + 30, number] // 2
    return PastCounts(
        ticks=START + MINUTE * np.arange(ticks, dtype=np.int64),
        keys=tuple(stream.key for stream in engine.catalog.streams),
        sides=("unknown",) * SLOS,
        total=total,
        bad=bad,
        covered=np.full((ticks, 1), MINUTE, dtype=np.int64),
        group=np.zeros(SLOS, dtype=np.int64),
        untimed={},
        streams=frozenset(range(SLOS)),
        started=(),
    )


def rows() -> Iterable[Row]:
    """One row."""
    conf = replace(settings(), source=Scrape(targets=(), interval=MINUTE))
    engine = Engine(promises(), conf, keeps_state=False)
    past = counts(engine, TICKS)
    done = count()
    started = time.process_time()
    found = replay(engine, past, MINUTE, _until_enough(started, done))
    spent = time.process_time() - started
    ticks = next(done)
    whole = spent * TICKS / ticks
    note = f"{whole:,.1f} s, {1e6 * spent / ticks:,.0f} us a tick, {len(found.alerts)} alerts"
    yield Row(name="30 days x 1,000 SLOs at 60 s / 5 s of CPU", ratio=whole / AIMED_AT, limit=LIMIT, note=note)


def _until_enough(started: float, done: Iterator[int]) -> Iterator[int]:
    """Every tick, or as many as fit the time."""
    for tick in range(TICKS):
        if time.process_time() - started > ENOUGH:
            return
        yield tick
        next(done)


def _selector(metric: str, number: int) -> Selector:
    return Selector(metric=metric, matchers=(Matcher(label="slo", operator="=", value=str(number)),))
