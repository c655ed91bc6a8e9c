"""How quiet it is when little is wrong, and how soon it speaks when much is."""

from dataclasses import replace

import numpy as np
import pytest

from figwatch_agent.durations import MINUTE, SECOND
from figwatch_agent.model.names import Mode, Severity
from figwatch_agent.model.outcome import TransitionKind
from figwatch_agent.model.page import PageKind
from figwatch_agent.model.slo import ServiceSlos
from support.world import World, service, settings


def availability(early: bool = True) -> ServiceSlos:
    """One SLO at 99.9 % with the default tiers."""
    whole = service(early=early)
    return replace(whole, slos=whole.slos[:1], criteria=())


def world_of(interval: int, hold: int = 5 * MINUTE, early: bool = True) -> World:
    world = World((availability(early),), settings(mode=Mode.DRY_RUN, interval=interval, hold=hold))
    world.serve(good=1, bad=1)  # both series stand on the first page
    world.tick(interval / SECOND)
    return world


def pages(world: World) -> int:
    return sum(row.page.severity is Severity.PAGE for row in world.rows(PageKind.TRIGGER))


def test_a_day_at_exactly_the_budget_pages_nobody() -> None:
    world = world_of(MINUTE)
    for bad in np.random.default_rng(20).binomial(3_000, 0.001, size=24 * 60).tolist():
        world.serve(good=3_000 - bad, bad=bad)
        world.tick(60)
        assert not [row for row in world.outcomes[-1].outbox if row.page.severity is Severity.PAGE]


def test_one_failure_at_ten_requests_an_hour_never_pages() -> None:
    world = world_of(MINUTE)
    for minute in range(10 * 60):
        if minute % 6 == 0:
            world.serve(good=minute != 240, bad=minute == 240)
        world.tick(60)
    assert pages(world) == 0


def test_a_total_outage_at_ten_requests_an_hour_is_caught_within_four_failures() -> None:
    world = world_of(MINUTE)
    failures = 0
    for minute in range(10 * 60):
        if minute % 6 == 0:
            failing = minute >= 6 * 60
            failures += failing and not pages(world)
            world.serve(good=not failing, bad=failing)
        world.tick(60)
    assert pages(world) == 1
    assert 2 <= failures <= 4


def test_ten_minutes_of_outage_at_two_requests_a_second_clear_within_six_minutes() -> None:
    world = world_of(5 * SECOND)
    for _ in range(20 * 12):
        world.serve(good=10)
        world.tick(5)
    for _ in range(10 * 12):
        world.serve(bad=10)
        world.tick(5)
    ended = world.now
    for _ in range(6 * 12):
        world.serve(good=10)
        world.tick(5)
    resolved = [o.at for o in world.outcomes for t in o.transitions if t.kind is TransitionKind.INCIDENT_RESOLVED]
    assert pages(world) == 1
    assert len(resolved) == 1
    assert 5 * MINUTE <= resolved[0] - ended <= 6 * MINUTE


@pytest.mark.parametrize(("tier", "needed", "early"), [("early", 14, True), ("1h", 207, False), ("6h", 498, False)])
def test_recovery_needs_as_many_clean_requests_as_reject_that_it_still_burns(
    tier: str, needed: int, early: bool
) -> None:
    whole = availability(early)
    slo = whole.slos[0]
    kept = tuple(each for each in slo.tiers if each.name == tier)
    world = World(
        (replace(whole, slos=(replace(slo, tiers=kept or slo.tiers[:1] if early else kept),)),),
        settings(mode=Mode.DRY_RUN, interval=10 * SECOND, hold=SECOND),
    )
    world.serve(good=1, bad=1)
    world.tick(10)
    for _ in range(3 * 360 if tier == "6h" else 360):
        world.serve(good=20)
        world.tick(10)
    firing = False
    for _ in range(360):
        world.serve(bad=20)
        world.tick(10)
        firing = any(t.firing and t.name == tier for t in world.engine.view(world.now).streams[0].tiers)
        if firing:
            break
    assert firing
    clean = 0
    while firing and clean < 2 * needed:
        world.serve(good=1)
        world.tick(10)
        clean += 1
        firing = any(t.firing and t.name == tier for t in world.engine.view(world.now).streams[0].tiers)
    assert clean == needed


def test_the_hold_and_the_evidence_run_in_parallel() -> None:
    world = world_of(SECOND, hold=60 * SECOND)
    for _ in range(30):
        world.serve(good=40)
        world.tick()
    for _ in range(5):
        world.serve(bad=40)
        world.tick()
    ended = world.now
    for _ in range(70):
        world.serve(good=40)
        world.tick()
    resolved = [o.at for o in world.outcomes for t in o.transitions if t.kind is TransitionKind.INCIDENT_RESOLVED]
    assert resolved == [ended + 60 * SECOND]
