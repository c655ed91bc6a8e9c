"""The early lane in the engine against a CUSUM by its definition: the tick at which it fires, on route and service."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from figwatch_agent.durations import SECOND
from figwatch_agent.model.names import Mode
from figwatch_agent.model.outcome import TransitionKind
from figwatch_agent.model.slo import Availability, Latency
from support.alarms import Alarms, Lane, Pair, Tick
from support.engine import compact
from support.world import World
from support.world import settings as configured

HOLD = 5 * SECOND
OBJECTIVES = (
    Fraction(999, 1000),
    Fraction(99999, 100_000),
    Fraction(996, 1000),  # p0 stands exactly at 2 %
    Fraction(995, 1000),
    Fraction(95, 100),
    Fraction(9, 10),  # p0 is 50 %: no lane
)

NAMES = {"early all": "early", "early service": "early (service)"}

CALM, BLIPS = [(50, 0, 0), (50, 0, 0), (50, 0, 0)], [(47, 3, 0), (3, 1, 0), (1, 0, 0), (0, 0, 0), (2000, 4, 0)]
OUTAGES = [(0, 50, 0), (1, 4, 0), (40, 10, 0), (40, 0, 10), (2, 0, 20), (900, 0, 100)]
sides = st.sampled_from([*CALM, *BLIPS, *OUTAGES])
moments = st.tuples(
    sides,  # good, failed, slow of the service side
    sides,  # of legacy
    st.sampled_from(["", "", "", "", "", "unknown", "shadow", "gone", "down", "gap", "quiet minutes"]),
    st.integers(1, 12),
)
stories = st.lists(moments, min_size=1, max_size=10)
UNSHRUNK = (Phase.explicit, Phase.reuse, Phase.generate)  # shrinking a story would take minutes


def world_of(objective: Fraction, latency: bool) -> World:
    service = compact()
    sli = Latency(threshold=200) if latency else Availability()
    slo = replace(service.slos[0], sli=sli, objective=objective, tiers=(), early=True)
    conf = configured(mode=Mode.DRY_RUN, hold=HOLD)
    return World((replace(service, slos=(slo,), criteria=()),), conf)


def alarms_of(objective: Fraction) -> Alarms:
    if 5 * (1 - objective) >= Fraction(1, 2):
        return Alarms(objective, HOLD, [])
    lanes = [Lane.of(name, objective, service=name == "early service") for name in NAMES]
    return Alarms(objective, HOLD, list(lanes))


def users_do(world: World, deed: Any, latency: bool) -> tuple[Pair, Pair]:
    """Serve one tick's requests; (bad, total) of everybody and of the service side."""
    counted = []
    for side, (good, bad, slow) in (("service", deed[0]), ("legacy", deed[1])):
        world.serve(side=side, good=good, bad=bad, slow=slow)
        counted.append((bad + slow * latency, good + bad + slow))
    users = [sum(pair) for pair in zip(*counted, strict=True)]
    if deed[2] == "unknown":
        world.serve(side="unknown", good=2, bad=3)
        users = [users[0] + 3, users[1] + 5]
    elif deed[2] == "shadow":  # nobody waits for a copy
        world.serve(side="shadow", bad=30)
    elif deed[2] == "gone":  # who goes away is neither good nor bad
        world.serve(gone=30)
    return (users[0], users[1]), counted[0]


def follow(objective: Fraction, latency: bool, story: list[Any]) -> None:
    world, oracle = world_of(objective, latency), alarms_of(objective)
    for side in ("service", "legacy", "unknown", "shadow"):
        world.serve(side=side, good=1, bad=1, slow=1, gone=1)  # the series stand on the first page
    world.tick()
    oracle.ticks.append(Tick(world.now))
    answered_at, waiting = world.now, [(0, 0), (0, 0)]
    for deed in story:
        pause = {"gap": 4.0, "quiet minutes": 300.0}.get(deed[2], 1.0)
        for _ in range(1 if pause > 1 else deed[3]):
            world.up = deed[2] != "down"
            for place, (bad, total) in enumerate(users_do(world, deed, latency)):
                waiting[place] = waiting[place][0] + bad, waiting[place][1] + total
            world.tick(pause)
            gap = world.now - answered_at
            known = world.up and gap <= 2_500
            oracle.take(Tick(world.now, gap, waiting[0], waiting[1], known=True) if known else Tick(world.now))
            oracle.rest(world.now)
            if world.up:
                answered_at, waiting = world.now, [(0, 0), (0, 0)]
            assert said(world, TransitionKind.ALERT_FIRED) == {lane.name for lane in oracle.fired}
            assert said(world, TransitionKind.ALERT_RESOLVED) == {lane.name for lane, _ in oracle.ended}
    shown = {tier.name: tier.firing for tier in world.engine.view(world.now).streams[0].tiers}
    assert shown == {NAMES[lane.name]: lane.firing for lane in oracle.each}


def said(world: World, kind: TransitionKind) -> set[str]:
    """Tier and lane of the alerts of which this was said in the last tick."""
    return {" ".join(t.subject.split()[2:4]) for t in world.outcomes[-1].transitions if t.kind is kind}


ALIKE, CANARY, IDLE = ((50, 0, 0), (50, 0, 0)), ((1, 0, 0), (900, 0, 0)), ((0, 0, 0), (50, 0, 0))
before = st.tuples(st.sampled_from([ALIKE, CANARY, IDLE]), st.integers(0, 20))


# A small canary has the threshold of its own rate, and one that served nobody that of the fewest events.
@example(objective=OBJECTIVES[0], latency=False, calm=(CANARY, 60), story=[((3, 1, 0), (900, 0, 0), "", 12)])
@example(objective=OBJECTIVES[0], latency=False, calm=(IDLE, 130), story=[((0, 1, 0), (50, 0, 0), "", 6)])
@settings(max_examples=15, phases=UNSHRUNK)
@given(objective=st.sampled_from(OBJECTIVES), latency=st.booleans(), calm=before, story=stories)
def test_the_early_lane_fires_when_its_definition_says(
    objective: Fraction, latency: bool, calm: Any, story: list[Any]
) -> None:
    follow(objective, latency, [(*calm[0], "", calm[1]), *story])


@pytest.mark.slow
@settings(max_examples=60, phases=UNSHRUNK)
@given(objective=st.sampled_from(OBJECTIVES), latency=st.booleans(), calm=before, story=stories)
def test_many_early_lanes_fire_when_their_definition_says(
    objective: Fraction, latency: bool, calm: Any, story: list[Any]
) -> None:
    follow(objective, latency, [(*calm[0], "", calm[1]), *story])
