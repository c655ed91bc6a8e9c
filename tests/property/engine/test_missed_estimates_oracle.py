"""SLOs in PromQL through outages of their engine, beside a twin that was never cut off: what is known is the same."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from figwatch_agent.clock import ManualClock
from figwatch_agent.durations import MINUTE, SECOND, Duration, Instant
from figwatch_agent.engine import Engine
from figwatch_agent.model.batch import Counted
from figwatch_agent.model.inputs import Inputs
from figwatch_agent.model.settings import PrometheusServer
from figwatch_agent.sources.estimates import HANDED_ON
from figwatch_agent.sources.fault import Fault, FaultReason
from figwatch_agent.sources.prometheus import PrometheusSource
from figwatch_agent.sources.prometheus_answer import Answer
from figwatch_agent.sources.prometheus_api import PrometheusApi
from figwatch_agent.sources.prometheus_asking import RetryBudget
from support.estimates import promql_service
from support.world import START
from support.world import settings as configured

INTERVAL = 10 * SECOND
SERVER = PrometheusServer(url="http://127.0.0.1:1", interval=INTERVAL)
SERVICE = promql_service("sum(increase(a_total[$window]))", "sum(increase(b_total[$window]))")
LENGTHS = (30 * SECOND, MINUTE, 5 * MINUTE, 30 * MINUTE)

Moment = tuple[str, int, int, int, int]
"""What the engine does, for how many looks, events and bad events a look, milliseconds that a look takes."""

moments = st.tuples(
    st.sampled_from(["well", "well", "refused", "partial"]),
    st.integers(1, 9),
    st.integers(0, 40),
    st.integers(0, 9),
    st.integers(0, 900),
)


class Computing(PrometheusApi):
    """Knows every event, and computes exactly what it is asked for while it can be asked."""

    def __init__(self) -> None:
        super().__init__(SERVER, str)
        self.events: list[tuple[Instant, int, int]] = []
        self.state = "well"

    def _sum(self, query: str, at: Instant) -> int:
        window = int(re.findall(r"\[(\d+)ms\]", query)[0])
        place = 1 if "a_total" in query else 2
        return sum(each[place] for each in self.events if at - window < each[0] <= at)

    def _warnings(self) -> tuple[str, ...]:
        if self.state == "refused":
            raise Fault(FaultReason.REFUSED, "connection refused")
        return ("a store did not answer",) if self.state == "partial" else ()

    async def instant(self, query: str, at: Instant, retries: RetryBudget | None = None) -> Answer:
        """One number."""
        value = [at / 1000, str(self._sum(query, at))]
        data = {"resultType": "vector", "result": [{"metric": {}, "value": value}]}
        return Answer(data=data, warnings=self._warnings())

    async def range(
        self, query: str, start: Instant, end: Instant, step: Duration, retries: RetryBudget | None = None
    ) -> Answer:
        """One number a step."""
        values = [[at / 1000, str(self._sum(query, at))] for at in range(start, end + 1, step)]
        return Answer(
            data={"resultType": "matrix", "result": [{"metric": {}, "values": values}]}, warnings=self._warnings()
        )


@dataclass(frozen=True, slots=True)
class Lived:
    """What an engine knows in the end."""

    counts: list[int]
    windows: list[list[int]]
    unknown: int
    ledger: list[tuple[Any, ...]]


def live(story: list[Moment], *, cut_off: bool, at_once: bool) -> Lived:
    """Play a story to its end and long enough beyond it for all that was missed."""
    kept, loop, clock = Computing(), asyncio.new_event_loop(), ManualClock(START)
    engine = Engine((SERVICE,), replace(configured(), source=SERVER))
    source = PrometheusSource(SERVER, (SERVICE,), clock, str, kept, late=INTERVAL)
    begun = START
    ledger: dict[tuple[Instant, str, str], tuple[int, int]] = {}
    try:
        for state, looks, total, bad, takes in [("well", 3, 5, 1, 5), *story, ("well", 8 + 2 * len(story), 5, 1, 5)]:
            kept.state = state if cut_off else "well"
            for _ in range(looks):
                begun += INTERVAL
                kept.events.append((begun - 3 * SECOND, total, min(bad, total)))
                clock.advance((begun if at_once else begun + takes) - clock.now())
                collected = loop.run_until_complete(source.collect(begun))
                counted = tuple(each for each in collected if isinstance(each, Counted))
                now = begun if at_once else begun + takes + 7
                outcome = engine.advance(Inputs(counted=counted), now)
                for cell in outcome.ledger:  # absolute so far
                    ledger[cell.interval, cell.side, cell.incident] = (cell.total, cell.bad)
                for cell in outcome.ledger_late:  # increments
                    total_so_far, bad_so_far = ledger.get((cell.interval, cell.side, cell.incident), (0, 0))
                    counts = (total_so_far + cell.total, bad_so_far + cell.bad)
                    ledger[cell.interval, cell.side, cell.incident] = counts
    finally:
        loop.close()
    ring = engine._parts.rings.rings["budget"]
    return Lived(
        counts=ring.current.tolist(),
        windows=[[*ring.window(length).inside.tolist(), *ring.window(length).edge.tolist()] for length in LENGTHS],
        unknown=engine._unknown.time(0, now),
        ledger=_by_interval(ledger),
    )


def _by_interval(ledger: dict[tuple[Instant, str, str], tuple[int, int]]) -> list[tuple[Any, ...]]:
    """Whatever incident they belong to: what is told late pages nobody, so the twin may have had an incident more."""
    found: dict[tuple[Instant, str], tuple[int, int]] = {}
    for (interval, side, _), (total, bad) in ledger.items():
        total_so_far, bad_so_far = found.get((interval, side), (0, 0))
        found[interval, side] = (total_so_far + total, bad_so_far + bad)
    return sorted(found.items())


@settings(max_examples=6, deadline=None)
@given(story=st.lists(moments, max_size=6))
@example(story=[("refused", 1, 7, 3, 0)])
@example(story=[("refused", 9, 7, 3, 0), ("well", 1, 2, 0, 0), ("partial", 2, 9, 9, 0)])
def test_after_an_outage_all_is_known_as_if_it_had_been_asked_in_time(story: list[Moment]) -> None:
    found, in_time = live(story, cut_off=True, at_once=True), live(story, cut_off=False, at_once=True)
    assert replace(found, unknown=in_time.unknown) == in_time
    assert found.unknown <= in_time.unknown + len(story) * HANDED_ON


@settings(max_examples=6, deadline=None)
@given(story=st.lists(moments, max_size=6))
@example(story=[("refused", 1, 7, 3, 900), ("well", 3, 2, 0, 0), ("partial", 2, 9, 9, 400)])
def test_looks_that_take_their_time_lose_no_event_and_a_second_at_most(story: list[Moment]) -> None:
    found, in_time = live(story, cut_off=True, at_once=False), live(story, cut_off=False, at_once=False)
    assert found.counts == in_time.counts
    looks = sum(moment[1] for moment in story) + 11 + 2 * len(story)
    assert found.unknown <= in_time.unknown + len(story) * 2 * SECOND + looks
