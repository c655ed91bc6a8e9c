"""Failures within the budget go on while an incident begins and ends: they are no part of it."""

from figwatch_agent.model.names import Mode
from support.engine import compact
from support.world import World, settings


def busy_world() -> World:
    """A route whose every tick has a failure, far within its budget, for five minutes."""
    world = World((compact(),), settings(mode=Mode.DRY_RUN))
    for side in ("service", "legacy"):
        world.serve(side=side, good=1, bad=1)
    world.tick()
    world.run(60, step=5, good=5_000, bad=1)
    return world


def test_an_early_alert_without_a_bad_tick_began_with_the_failures_that_fired_it() -> None:
    world = busy_world()
    world.tick()
    outage = world.now
    world.run(4, good=900, bad=100)
    assert world.incident().alerts[0].tier == "early"
    assert world.incident().impact_start == outage


def test_an_early_alert_without_a_bad_tick_resolves_over_failures_within_the_budget() -> None:
    world = busy_world()
    world.run(4, good=900, bad=100)
    ended = world.now
    assert world.incident().open
    world.run(120, step=2, good=5_000, bad=1)
    assert world.incident().mitigated_at == ended
    assert not world.incident().open


def test_an_alert_of_a_service_side_that_serves_nobody_any_more_ends_over_failures_within_the_budget() -> None:
    world = busy_world()
    for _ in range(4):
        world.serve(side="legacy", good=5_000, bad=1)
        world.serve(side="service", bad=20)
        world.tick()
    assert {alert.lane for alert in world.incident().alerts} == {"service"}
    withdrawn = world.now
    world.run(12, step=2, side="legacy", good=5_000, bad=1)
    assert world.incident().mitigated_at == withdrawn
    assert not world.incident().open


def test_an_impact_begins_at_the_last_answer_before_its_first_bad_tick() -> None:
    world = World((compact(),), settings(mode=Mode.DRY_RUN))
    world.serve(good=1, bad=1)
    world.run(10, good=50)
    answered = world.now
    world.up = False
    world.serve(bad=50)
    world.tick()
    world.up = True
    world.run(4, bad=50)
    assert world.incident().impact_start == answered
