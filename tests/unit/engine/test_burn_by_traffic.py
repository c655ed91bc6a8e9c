"""Burn weighted by traffic: shown beside the plain one, and where an SLO asks for it, part of the decision."""

from dataclasses import replace
from fractions import Fraction

import pytest

from figwatch_agent.durations import SECOND
from figwatch_agent.model.outcome import TransitionKind
from figwatch_agent.model.slo import Burn, ServiceSlos
from figwatch_agent.model.view import TierView
from support.engine import compact
from support.world import World, settings


def weighing(burn: Burn) -> ServiceSlos:
    service = compact()
    return replace(service, slos=(replace(service.slos[0], burn=burn),), criteria=())


def a_day_and_a_night(burn: Burn) -> World:
    """Half an hour of 100 requests a second, then a night of one in ten seconds in which a burst of ten fails."""
    world = World((weighing(burn),), settings(interval=10 * SECOND))
    world.run(1800, step=10, good=1000)
    world.run(600, step=10, good=1)
    for _ in range(5):
        world.serve(bad=2)
        world.tick(2)
    return world


def tiers(world: World) -> dict[str, TierView]:
    return {tier.name: tier for tier in world.engine.view(world.now).streams[0].tiers}


@pytest.mark.parametrize(("burn", "fires"), [("time", True), ("traffic", False)])
def test_a_burst_of_few_events_at_night_pages_unless_it_is_weighed(burn: Burn, fires: bool) -> None:
    assert bool(a_day_and_a_night(burn).said(TransitionKind.ALERT_FIRED)) is fires


@pytest.mark.parametrize("burn", ["time", "traffic"])
def test_both_figures_are_shown_whichever_decides(burn: Burn) -> None:
    fast = tiers(a_day_and_a_night(burn))["fast"]
    assert fast.burn_low is not None
    assert fast.burn_low > fast.factor
    assert fast.traffic_high is not None
    assert 1 < fast.traffic_high < 2 < fast.factor


def test_a_real_outage_pages_when_it_is_weighed_as_fast_as_without() -> None:
    fired = []
    for burn in ("time", "traffic"):
        world = World((weighing("time" if burn == "time" else "traffic"),))
        world.run(300, step=1, good=40)
        start = world.now
        while not world.said(TransitionKind.ALERT_FIRED):
            world.serve(good=20, bad=20)
            world.tick()
            assert world.now - start < 30_000
        fired.append(world.now - start)
    assert fired[0] == fired[1]


def test_the_weighted_rate_is_exact() -> None:
    world = World((weighing("time"),), settings(interval=10 * SECOND))
    world.serve(good=1, bad=1)
    world.tick(10)  # a first page counts nothing
    world.run(600, step=10, good=100)
    world.serve(good=90, bad=10)
    world.tick(10)
    # The period holds 6,100 events in 610 s, so that two minutes may hold 1,200 and fail 1.2 of them.
    assert tiers(world)["fast"].traffic_low == Fraction(10) / (Fraction(1, 1000) * Fraction(6100, 610) * 120)
