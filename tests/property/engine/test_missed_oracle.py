"""Random outages of an engine, killed agents, counters that are reset meanwhile: nothing is lost, nothing doubled."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from figwatch_agent.durations import SECOND
from figwatch_agent.sources.prometheus_backfill import CHUNK, PIECE
from support.kept_samples import INTERVAL, KeptSamples, Reader
from support.world import START

UNSHRUNK = (Phase.explicit, Phase.reuse, Phase.generate)
PHASES = {"a:1": 2_000, "b:1": 7_300}

moments = st.fixed_dictionaries(
    {
        "orders": st.tuples(st.integers(0, 30), st.integers(0, 5)),
        "restart": st.sampled_from([""] * 8 + ["a:1", "b:1"]),
        "down": st.sampled_from([""] * 12 + ["a:1", "b:1"]),
        "agent": st.sampled_from(["well"] * 3 + ["refused"] * 8 + ["partial", "off", "off", "killed"]),
        "lasts": st.sampled_from([1, 1, 3, 9, 30, 60]),
    }
)


@contextmanager
def looping() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    try:
        yield loop
    finally:
        loop.close()


class Shops:
    """Two scrape targets, scraped at their own phases; what they truly counted is added up."""

    def __init__(self, kept: KeptSamples) -> None:
        self.kept = kept
        self.counts = {target: {"200": 1000, "500": 100} for target in PHASES}
        self.seen: dict[str, dict[str, int]] = {}
        self.total = self.bad = 0

    def round(self, begin: int, orders: tuple[int, int], restart: str, down: str) -> None:
        for target, phase in PHASES.items():
            if target == restart:
                self.counts[target] = {"200": 0, "500": 0}
            self.counts[target]["200"] += orders[0]
            self.counts[target]["500"] += orders[1]
            if target == down:
                self.kept.scrape(target, begin + phase, None)
                continue
            self.kept.scrape(target, begin + phase, self.counts[target])
            self._count(target)

    def _count(self, target: str) -> None:
        before, now = self.seen.get(target), dict(self.counts[target])
        if before is not None:
            for code, value in now.items():
                more = value - before[code] if value >= before[code] else value
                self.total += more
                self.bad += more * (code == "500")
        self.seen[target] = now


def played(loop: asyncio.AbstractEventLoop, story: list[Any], *, always_well: bool) -> tuple[Reader, Shops]:
    kept = KeptSamples()
    reader, shops, begin = Reader(kept, loop), Shops(kept), START
    calm = {"orders": (3, 0), "restart": "", "down": "", "agent": "well", "lasts": 12}
    for moment in [calm, *story, *[calm] * (2 + len(story) // 3)]:
        for first in [True] + [False] * (moment["lasts"] - 1):
            shops.round(begin, moment["orders"], moment["restart"] if first else "", moment["down"])
            begin += INTERVAL
            agent = "well" if always_well else moment["agent"]
            kept.state = agent if agent in ("refused", "partial") else "well"
            if agent != "off":
                reader.tick(begin - 100, commit=agent != "killed")
            if agent == "killed" or (agent == "off" and first):
                reader.killed()
    return reader, shops


CALM = {"orders": (25, 0), "restart": "", "down": "", "agent": "well", "lasts": 2}
GONE_FOR_TWO_LOOKS = [  # short enough that its edges are no gap: the scrape between them must be read all the same
    CALM,
    CALM | {"orders": (10, 2), "agent": "refused", "lasts": 1},
    CALM | {"orders": (2, 2), "agent": "refused", "lasts": 1, "restart": "a:1"},
]
OFF_FOR_TWO_LOOKS = [CALM, *({**each, "agent": "off"} for each in GONE_FOR_TWO_LOOKS[1:])]


@settings(max_examples=3, phases=UNSHRUNK, deadline=None)
@example(story=GONE_FOR_TWO_LOOKS)
@example(story=OFF_FOR_TWO_LOOKS)
@given(story=st.lists(moments, min_size=2, max_size=4))
def test_what_was_missed_is_counted_as_if_it_had_been_read_in_time(story: list[Any]) -> None:
    _agrees(story)


@pytest.mark.parametrize("lost", [1, 2, 4, 5, 20])
def test_the_first_errors_ever_are_counted_though_no_look_saw_them_come(lost: int) -> None:
    counts = []
    with looping() as loop:
        for well in (True, False):
            kept = KeptSamples()
            reader = Reader(kept, loop)
            for number in range(50):
                orders = {"200": 1000 + 30 * number} | ({"500": 3 * (number - 9)} if number >= 10 else {})
                kept.scrape("a:1", START + number * INTERVAL + 2_000, orders)
                kept.state = "refused" if not well and 10 <= number < 10 + lost else "well"
                reader.tick(START + (number + 1) * INTERVAL - 100)
            counts.append((reader.counts(), reader.unknown()))
    in_time, late = counts
    assert in_time == late
    assert in_time[0] == (30 * 49 + 3 * 40, 3 * 40, 0, 0)


@pytest.mark.slow
@settings(max_examples=30, phases=UNSHRUNK, deadline=None)
@given(story=st.lists(moments, min_size=1, max_size=6))
def test_many_stories_of_what_was_missed_agree(story: list[Any]) -> None:
    _agrees(story)


def _agrees(story: list[Any]) -> None:
    with looping() as loop:
        reader, shops = played(loop, story, always_well=False)
        in_time, _ = played(loop, story, always_well=True)
        total, bad, untimed, untimed_bad = reader.counts()
        assert (total + untimed, bad + untimed_bad) == (shops.total, shops.bad)
        assert reader.counts() == in_time.counts()
        assert reader.engine.missing() == ()
        assert reader.unknown() <= in_time.unknown() + 2 * INTERVAL * len(story)
        reader.killed()
        assert reader.counts() == in_time.counts()


lost_looks = st.fixed_dictionaries(
    {
        "orders": st.tuples(st.integers(0, 30), st.integers(0, 5)),
        "restart": st.sampled_from(["", "", "", "a:1", "b:1"]),
        "down": st.just(""),  # else a look may stay unknown where one target's silence ends before another's
        "agent": st.sampled_from(["well", "refused", "partial"]),
        "lasts": st.sampled_from([1, 1, 2, 3, 4, 5, 6, 9, 20, 150]),  # the longest is told in two parts
    }
)
LATER_BY_ONE = [  # the tick that makes up for the lost one finds one scrape target down
    CALM | {"orders": (5, 1), "down": "a:1", "agent": "refused", "lasts": 1},
    CALM | {"orders": (5, 1), "down": "a:1", "lasts": 5},
]


def held(reader: Reader) -> list[Any]:
    """All that windows are made of."""
    rings = reader.engine._rings
    return [
        (ring.at, ring.current.tolist(), [(level.boundaries.tolist(), level._low.tolist()) for level in ring._levels])
        for ring in (*rings.rings.values(), rings.coverage.ring)
    ]


@settings(max_examples=10, phases=UNSHRUNK, deadline=None)
@example(story=LATER_BY_ONE)
@given(story=st.lists(lost_looks, min_size=2, max_size=6))
def test_looks_that_are_lost_leave_no_trace_once_what_they_missed_is_told(story: list[Any]) -> None:
    _leaves_no_trace(story)


@pytest.mark.parametrize(("lost", "pace"), [(1, 1), (2, 1), (4, 1), (9, 1), (1, 2), (2, 2), (4, 2)])
def test_scrapes_and_looks_that_are_not_punctual_are_told_by_the_same_looks(lost: int, pace: int) -> None:
    chosen, told, unknown = Random(lost), [], []
    scrapes = [(at + chosen.randint(0, 40)) for at in range(START + 2_000, START + 60 * INTERVAL, INTERVAL // pace)]
    looks = [START + number * INTERVAL + 9_900 + chosen.randint(0, 60) for number in range(60)]
    with looping() as loop:
        for well in (True, False):
            kept, many = KeptSamples(), list(scrapes)
            reader = Reader(kept, loop)
            for number, now in enumerate(looks):
                while many and many[0] < now:
                    at = many.pop(0)
                    kept.scrape("a:1", at, {"200": (at - START) // 100, "500": (at - START) // 1000})
                kept.state = "refused" if not well and 20 <= number < 20 + lost else "well"
                reader.tick(now)
            told.append((reader.counts(), _by_look(reader)))
            unknown.append(reader.unknown())
    assert told[0] == told[1]
    assert abs(unknown[0] - unknown[1]) < SECOND


def _by_look(reader: Reader) -> list[list[int]]:
    """What had been counted at every tenth second."""
    ring = reader.engine._rings.rings["budget"]
    instants = np.arange(START + 20 * INTERVAL, START + 60 * INTERVAL, INTERVAL)
    found: list[list[int]] = ring.counted_at(instants).tolist()
    return found


@pytest.mark.slow
@settings(max_examples=60, phases=UNSHRUNK, deadline=None)
@given(story=st.lists(lost_looks, min_size=1, max_size=10))
def test_many_looks_that_are_lost_leave_no_trace(story: list[Any]) -> None:
    _leaves_no_trace(story)


def _leaves_no_trace(story: list[Any]) -> None:
    with looping() as loop:
        late, in_time = (played(loop, story, always_well=well)[0] for well in (False, True))
    assert held(late) == held(in_time)
    assert late.unknown() == in_time.unknown()
    assert late.counts() == in_time.counts()


@pytest.mark.slow
def test_kills_while_an_outage_is_told_leave_each_event_counted_once() -> None:
    outage = {"orders": (7, 1), "restart": "a:1", "down": "", "agent": "refused", "lasts": 300}
    with looping() as loop:
        in_time, _ = played(loop, [outage], always_well=True)
        for kill in range(0, 8, 2):
            kept = KeptSamples()
            reader, again, begin = Reader(kept, loop), Shops(kept), START
            for number in range(12 + 300 + 12):
                orders = (7, 1) if 12 <= number < 312 else (3, 0)
                again.round(begin, orders, "a:1" if number == 12 else "", "")
                begin += INTERVAL
                kept.state = "refused" if 12 <= number < 312 else "well"
                dies = number == 308 + kill
                reader.tick(begin - 100, commit=not dies)
                if dies:
                    reader.killed()
            assert again.total == sum(reader.counts()[::2])
            assert len(reader.pasts) >= 3
            assert reader.counts()[1:] == in_time.counts()[1:]


@pytest.mark.slow
def test_what_stays_partial_is_given_up_after_an_hour_and_what_is_newer_is_told() -> None:
    kept, most = KeptSamples(), 2 * PIECE  # where they meet in what is not seen
    kept.unseen = range(START + 900 * SECOND, START + 1020 * SECOND)
    with looping() as loop:
        reader, shops, begin = Reader(kept, loop), Shops(kept), START
        told_at = 0
        for number in range(12 + 300 + 480):
            shops.round(begin, (7, 1), "", "")
            begin += INTERVAL
            kept.state = "refused" if 12 <= number < 312 else "well"
            reader.tick(begin - 100)
            if number == 312 + 300:  # fifty minutes later it is still hoped for
                assert reader.engine.missing() != ()
                assert "cannot be read yet: the engine could not see everything" in str(reader.source.faults)
            if not told_at and number > 312 and reader.engine.missing() == ():
                told_at = number
        assert 312 + 360 <= told_at <= 312 + 360 + 80
        total, bad, untimed, untimed_bad = reader.counts()
        assert (total + untimed, bad + untimed_bad) == (shops.total, shops.bad)
        assert 0 < untimed <= 2 * 8 * (most // INTERVAL + 1)
        assert 0 < reader.unknown() <= most + 2 * INTERVAL
        assert "is counted in no window" in str(reader.source.faults)


def test_the_live_look_never_waits_and_a_look_asks_twice_as_much_at_most() -> None:
    kept = KeptSamples()
    with looping() as loop:
        reader, shops, begin = Reader(kept, loop), Shops(kept), START
        for number in range(12 + 200 + 10):
            shops.round(begin, (7, 1), "", "")
            begin += INTERVAL
            kept.state = "refused" if 12 <= number < 212 else "well"
            kept.asked = 0
            reader.tick(begin - 100)
            assert kept.asked <= 2 * (len(reader.source._queries) + 1)
            if number >= 213:
                assert "its source" not in str(reader.engine.view(begin).findings)
                assert reader.engine._unknown.known_until[0] == begin - 100
        assert all(past.until - past.after <= CHUNK for past in reader.pasts)
