"""Uptime from probes to criterion against a map of every moment: up, down or unknown."""

from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from figwatch_agent.durations import HOUR, MINUTE, SECOND
from figwatch_agent.model.batch import ProbeResult
from figwatch_agent.model.names import Measure
from figwatch_agent.model.slo import Criterion
from support.engine import Memory, compact, restarted
from support.world import START, World
from support.world import settings as configured

INTERVAL, SLOT, OVER = 5 * SECOND, 10 * SECOND, MINUTE


@dataclass
class Oracle:
    """Probes in order; each speaks until the next, at most two intervals."""

    began: int
    probes: list[tuple[int, bool]] = field(default_factory=list)

    def account(self, start: int, end: int) -> tuple[int, int]:
        """Milliseconds (up, down) of [start, end)."""
        start, found = max(start, self.began), [0, 0]
        ends = [*(at for at, _ in self.probes[1:]), end]
        for (at, up), following in zip(self.probes, ends, strict=False):  # without probes there is but an end
            held = min(following, at + 2 * INTERVAL, end) - max(at, start)
            found[not up] += max(held, 0)
        return found[0], found[1]


def world_of_probes(start: int) -> World:
    service = compact()
    slo = replace(service.slos[2], tiers=())
    criterion = Criterion(name="up", measure=Measure.UPTIME, target="> 99.9%", over=OVER, slo=slo.name)
    return World((replace(service, slos=(slo,), criteria=(criterion,)),), configured(), start=start)


moments = st.tuples(
    st.sampled_from([1_000, 1_000, 1_000, 5_000, 2_345, 7_000, 20_000, 61_000, 400_000]),  # between ticks
    st.lists(st.tuples(st.integers(0, 999), st.booleans()), max_size=3),  # probes: when in the tick, and what they saw
    st.sampled_from(["", "", "", "off", "late", "same instant"]),
    st.integers(1, 8),
)
stories = st.lists(moments, min_size=1, max_size=12)
offsets = st.sampled_from([0, 0, 0, 3_000, 4_321])
UNSHRUNK = (Phase.explicit, Phase.reuse, Phase.generate)  # shrinking a story would take minutes


def follow(story: list[Any], offset: int) -> None:
    world, memory = world_of_probes(START + offset), Memory()
    world.tick(probes=())
    oracle, late = Oracle(began=world.now), 0
    for pause, probes, happening, ticks in story:
        if happening == "off":
            restarted(world, memory)
        for _ in range(1 if pause > 10_000 else ticks):
            before, now = world.now, world.now + pause
            instants = sorted((before + 1 + part * (pause - 1) // 999, up) for part, up in probes)
            if happening == "same instant":  # the last word counts
                instants = [(instants[0][0], up) for _, up in instants]
            if happening == "late" and instants:
                newest = oracle.probes[-1][0] if oracle.probes else before - 4_000
                instants[0] = max(newest, before - 3_000), instants[0][1]
                late = now
            oracle.probes += instants
            world.tick(pause / 1_000, probes=[ProbeResult(slo="chat-uptime", at=at, up=up) for at, up in instants])
            agree(world, oracle, late)


def agree(world: World, oracle: Oracle, late: int) -> None:
    view, now = world.engine.view(world.now), world.now
    span = view.streams[0].span
    assert span is not None
    up, down = oracle.account(now - HOUR, now)
    if now - HOUR <= oracle.began:
        assert (span.up, span.down, span.unknown) == (up, down, HOUR - up - down)
    shown = view.criteria[0]
    up, down = oracle.account(now - OVER, now)
    assert shown.low is not None
    assert shown.high is not None
    if now - late < OVER + 2 * INTERVAL + SLOT:
        return  # what came late corrects the account as a whole, from the tick that brought it
    assert shown.low <= Fraction(up, OVER)
    assert Fraction(OVER - down, OVER) <= shown.high
    if now % SLOT == 0:
        assert (shown.low, shown.high) == (Fraction(up, OVER), Fraction(OVER - down, OVER))
        assert shown.estimate == (Fraction(up, up + down) if up + down else None)
        assert shown.coverage == Fraction(up + down, OVER)


@settings(max_examples=25, phases=UNSHRUNK)
@given(story=stories, offset=offsets)
def test_uptime_is_what_a_map_of_every_moment_says(story: list[Any], offset: int) -> None:
    follow(story, offset)


@pytest.mark.slow
@settings(max_examples=80, phases=UNSHRUNK)
@given(story=stories, offset=offsets)
def test_many_uptimes_are_what_a_map_of_every_moment_says(story: list[Any], offset: int) -> None:
    follow(story, offset)
