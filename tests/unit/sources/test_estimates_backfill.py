"""PromQL of SLOs after an outage: asked for step by step, once, and given up after a day."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from figwatch_agent.durations import DAY, MINUTE, SECOND, Duration, Instant
from figwatch_agent.model.batch import Counted
from figwatch_agent.sources.estimates import HANDED_ON, Estimates
from figwatch_agent.sources.estimates_backfill import CHUNK, LONGEST_PAUSE, EstimatesBackfill
from figwatch_agent.sources.fault import Fault, FaultReason
from support.estimates import COUNTED, RATE, estimates, vector

STEP, SETTLE = 15 * SECOND, MINUTE
HANDED_OVER = 200
"""Milliseconds that the last look took."""
KNOWN = HANDED_OVER + HANDED_ON
BEGIN = 100 * DAY


class Engine:
    """Answers ranges, and remembers what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Instant, Instant, Duration]] = []
        self.refuses = False
        self.silent: set[Instant] = set()

    async def ask(self, query: str, start: Instant, end: Instant, step: Duration) -> Any:
        self.asked.append((query, start, end, step))
        if self.refuses:
            raise Fault(FaultReason.REFUSED, "connection refused")
        values = [[at / 1000, "3"] for at in range(start, end + 1, step) if at not in self.silent]
        return {"resultType": "matrix", "result": [{"metric": {}, "values": values}]}


def cut_off(missed: Duration) -> tuple[Estimates, EstimatesBackfill, Instant]:
    """A source that was answered, then not, then again; the instant of the last answer."""
    own = estimates()
    own.counted([vector("1"), vector("1")], BEGIN)
    own.done(BEGIN + HANDED_OVER)
    own.skip()
    own.skip()
    own.counted([vector("1"), vector("1")], BEGIN + missed)
    return own, EstimatesBackfill(own, STEP, SETTLE), BEGIN + missed


def steps(counted: tuple[Counted, ...]) -> list[tuple[int, int, int, int]]:
    """(milliseconds since the beginning, total, bad, covered) of each."""
    return [(each.at - BEGIN, int(each.total[0]), int(each.bad[0]), int(each.covered[0])) for each in counted]


async def test_what_was_missed_is_computed_step_by_step_at_its_instants() -> None:
    engine, (own, backfill, now) = Engine(), cut_off(4 * STEP)
    counted = await backfill.read(now + SETTLE, engine.ask)
    assert engine.asked == [
        (COUNTED.replace("$window", "15000ms"), BEGIN + STEP, BEGIN + 4 * STEP, STEP),
        (RATE, BEGIN + STEP, BEGIN + 4 * STEP, STEP),
    ]
    first, *others = steps(counted)
    assert first == (STEP, 3, 45, STEP - KNOWN)  # its events whole, and the time that the last look does not cover
    assert others == [(n * STEP, 3, 45, STEP) for n in (2, 3, 4)]  # three bad events a second
    assert own.missed == []
    assert await backfill.read(now + 2 * SETTLE, engine.ask) == ()
    assert len(engine.asked) == 2


async def test_what_may_still_be_stored_late_is_not_asked_for() -> None:
    engine, (_, backfill, now) = Engine(), cut_off(4 * STEP)
    assert await backfill.read(now + SETTLE - 1, engine.ask) == ()
    assert engine.asked == []


async def test_an_outage_that_is_no_whole_number_of_steps_leaves_a_shorter_one() -> None:
    engine, (_, backfill, now) = Engine(), cut_off(2 * STEP + 4 * SECOND)
    first = await backfill.read(now + SETTLE, engine.ask)
    rest = await backfill.read(now + SETTLE + STEP, engine.ask)
    assert steps(first) == [(STEP, 3, 45, STEP - KNOWN), (2 * STEP, 3, 45, STEP)]
    assert steps(rest) == [(2 * STEP + 4 * SECOND, 3, 12, 4 * SECOND)]


async def test_an_outage_shorter_than_a_look_takes_is_counted_and_covers_next_to_nothing() -> None:
    engine, (_, backfill, now) = Engine(), cut_off(KNOWN // 2)
    assert steps(await backfill.read(now + SETTLE, engine.ask)) == [(KNOWN // 2, 3, 1, 1)]


async def test_a_long_outage_is_read_chunk_by_chunk() -> None:
    engine, (own, backfill, now) = Engine(), cut_off(CHUNK + 2 * STEP)
    first = await backfill.read(now + SETTLE, engine.ask)
    assert (first[0].at, first[-1].at) == (BEGIN + STEP, BEGIN + CHUNK)
    assert [each[:2] for each in own.missed] == [(BEGIN + CHUNK, BEGIN + CHUNK + 2 * STEP)]
    assert steps(await backfill.read(now + SETTLE + STEP, engine.ask))[-1][0] == CHUNK + 2 * STEP


async def test_steps_without_a_value_stay_unknown() -> None:
    engine, (_, backfill, now) = Engine(), cut_off(3 * STEP)
    engine.silent = {BEGIN + 2 * STEP}
    assert [each[3] for each in steps(await backfill.read(now + SETTLE, engine.ask))] == [STEP - KNOWN, 0, STEP]


async def test_a_refusal_is_told_and_asked_again_after_a_pause_that_doubles() -> None:
    engine, (_, backfill, now) = Engine(), cut_off(3 * STEP)
    engine.refuses = True
    asked_at = []
    for tick in range(now + SETTLE, now + SETTLE + 4 * LONGEST_PAUSE, SECOND):
        before = len(engine.asked)
        assert await backfill.read(tick, engine.ask) == ()
        asked_at += [tick] if len(engine.asked) > before else []
    pauses = [(later - earlier) // SECOND for earlier, later in pairwise(asked_at)]
    assert pauses[:9] == [1, 2, 4, 8, 16, 32, 64, 128, 256]
    assert max(pauses) == LONGEST_PAUSE // SECOND
    assert "cannot be read yet: connection refused" in backfill.fault
    engine.refuses = False
    assert len(await backfill.read(now + SETTLE + 5 * LONGEST_PAUSE, engine.ask)) == 3
    assert backfill.fault == ""


async def test_after_a_day_it_stays_unknown() -> None:
    engine, (own, backfill, now) = Engine(), cut_off(3 * STEP)
    engine.refuses = True
    await backfill.read(now + SETTLE, engine.ask)
    assert await backfill.read(now + DAY + 1, engine.ask) == ()
    assert (own.missed, backfill.fault) == ([], "")


@pytest.mark.parametrize("answer", [vector("1"), {"resultType": "matrix", "result": [{"values": [["x"]]}]}, {}])
def test_what_is_no_range_of_numbers_is_a_fault(answer: dict[str, Any]) -> None:
    with pytest.raises(Fault):
        estimates().counted_then([answer, answer], [BEGIN], STEP, 0)


def test_a_first_look_misses_nothing() -> None:
    own = estimates()
    own.skip()
    own.counted([vector("1"), vector("1")], BEGIN)
    assert own.missed == []
