"""The past of routes: slots of whole counts, and gaps where nothing was measured."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from figwatch_agent.durations import DAY, HOUR, MINUTE, SECOND
from figwatch_agent.model.history import SPANS, RouteHistory, Shares
from figwatch_agent.model.inputs import Inputs
from figwatch_agent.report.route import budget_left
from support.engine import Memory, compact, restarted
from support.world import CHAT, MODELS, START, World, service, settings


def quiet() -> World:
    """The migration without criteria that ask for more, scraped every ten seconds."""
    return World(conf=settings(interval=10 * SECOND))


def history(world: World, span: str = "1h") -> RouteHistory:
    """Of the chat route."""
    found = world.engine.history(CHAT, SPANS[span][0])
    assert found is not None
    return found


def minutes(world: World, count: int, *, good: int = 10, bad: int = 0, legacy: int = 5) -> None:
    """Six scrapes a minute."""
    for _ in range(6 * count):
        world.serve(side="service", good=good, bad=bad)
        world.serve(side="legacy", good=legacy)
        world.tick(10)


def test_nothing_is_known_before_the_first_tick() -> None:
    world = World()
    assert world.engine.history(CHAT, HOUR) is None
    shares = world.engine.shares(HOUR)
    assert (shares.axis.slots, shares.overall.total, [share.total for share in shares.routes]) == (0, (), [()])


def test_a_route_that_no_file_declares_has_no_history() -> None:
    world = quiet()
    minutes(world, 1)
    assert world.engine.history("/nobody", HOUR) is None


@pytest.mark.parametrize("span", SPANS)
def test_the_slots_of_every_span_add_up_to_what_was_counted(span: str) -> None:
    world = quiet()
    minutes(world, 13, bad=2)
    service, legacy = history(world, span).sides
    scrapes = 13 * 6 - 1  # what was there at the first scrape is a starting value
    assert sum(count or 0 for count in service.requests) == 12 * scrapes
    assert sum(count or 0 for count in service.judged) == 12 * scrapes
    assert sum(count or 0 for count in service.failed) == 2 * scrapes
    assert sum(count or 0 for count in legacy.requests) == 5 * scrapes
    assert sum(count or 0 for count in legacy.failed) == 0


def test_time_in_which_the_agent_was_off_is_unknown_and_not_zero() -> None:
    world = quiet()
    minutes(world, 5)
    world.tick(20 * MINUTE / SECOND)
    minutes(world, 5)
    requests = history(world).sides[0].requests
    assert requests[-4:-1] == (60, 60, 60)
    assert requests[-20:-8] == (None,) * 12
    assert requests[0] is None


def test_a_source_that_is_down_leaves_a_gap_and_idle_time_a_zero() -> None:
    world = quiet()
    minutes(world, 3)
    world.up = False
    for _ in range(18):
        world.tick(10)
    world.up = True
    world.tick(10)
    minutes(world, 3, good=0, legacy=0)
    slots = history(world).sides[0].requests
    assert slots[-2] == 0
    assert None in slots[-7:-3]


def test_covered_time_is_never_longer_than_the_slot() -> None:
    world = quiet()
    minutes(world, 7)
    found = history(world)
    assert all(0 <= each <= MINUTE for each in found.covered)
    assert found.covered[-3] == MINUTE


def test_slots_grow_with_the_time_between_scrapes() -> None:
    world = World(conf=settings(interval=5 * MINUTE))
    for _ in range(12):
        world.serve(good=5)
        world.tick(300)
    axis = history(world).axis
    assert (axis.step, axis.slots) == (10 * MINUTE, 6)
    assert None not in history(world).sides[0].requests[1:]


@pytest.mark.parametrize("interval", [SECOND, 7 * SECOND, MINUTE, HOUR, DAY])
def test_every_span_can_be_asked_for_at_any_scrape_interval(interval: int) -> None:
    world = World(conf=settings(interval=interval))
    world.tick()
    world.tick()
    for span, _ in SPANS.values():
        found = world.engine.history(CHAT, span)
        assert found is not None
        assert found.axis.end >= world.now > found.axis.end - found.axis.step
        assert world.engine.shares(span).axis.slots >= 1


def test_quantiles_are_those_of_each_slot() -> None:
    world = quiet()
    minutes(world, 2)
    for _ in range(6):
        world.serve(side="service", slow=10)
        world.tick(10)
    minutes(world, 1, good=0)
    p95 = history(world).sides[0].p95
    assert (Fraction(1, 40), Fraction(1, 20)) in p95
    assert (Fraction(1, 4), Fraction(1, 2)) in p95
    assert p95[-1] is None


def test_the_share_of_legacy_is_counted_for_each_route_and_for_all() -> None:
    world = World((service(routes=(CHAT, MODELS)),), settings(interval=10 * SECOND))
    for _ in range(30):
        world.serve(CHAT, side="legacy", good=3)
        world.serve(CHAT, side="service", good=1)
        world.serve(CHAT, side="shadow", good=50)
        world.serve(MODELS, side="service", good=4)
        world.serve("/elsewhere", side="legacy", good=2)
        world.tick(10)
    shares: Shares = world.engine.shares(HOUR)
    chat, models = shares.routes
    assert (chat.legacy[-2], chat.total[-2]) == (36, 48)
    assert (models.legacy[-2], models.total[-2]) == (0, 48)
    assert (shares.overall.legacy[-2], shares.overall.total[-2]) == (60, 120)
    assert chat.total[0] is None


def test_a_budget_is_burnt_down_to_the_figure_beside_it() -> None:
    world = World((compact(),), settings(interval=10 * SECOND))
    minutes(world, 20)
    minutes(world, 3, bad=1)
    minutes(world, 20)
    budget = next(each for each in history(world).budgets if each.slo == "chat-availability")
    stream = world.engine.view(world.now).streams[0]
    left = budget_left(budget)
    assert left[-1] == stream.budget_left
    known = [each for each in left if each is not None]
    assert known[0] == 1
    assert known == sorted(known, reverse=True)
    assert left[0] is None


def test_the_past_outlives_a_restart() -> None:
    world, memory = quiet(), Memory()
    minutes(world, 9, bad=1)
    before = {span: history(world, span) for span in SPANS}
    restarted(world, memory)
    assert {span: history(world, span) for span in SPANS} == before


def test_what_was_read_is_read_anew_after_a_tick() -> None:
    world = quiet()
    minutes(world, 2)
    first = history(world)
    assert history(world) is first
    assert world.engine.shares(HOUR) is world.engine.shares(HOUR)
    world.tick(10)
    assert history(world) is not first


def test_a_route_that_is_counted_by_applications_has_no_requests_at_the_edge() -> None:
    world = World((replace(service(), vantage="application"),), settings(interval=10 * SECOND))
    minutes(world, 2)
    found = history(world)
    assert set(found.sides[0].requests) == {None}
    assert set(found.sides[0].p95) == {None}


def test_a_year_without_a_tick_leaves_an_empty_past() -> None:
    world = quiet()
    minutes(world, 2)
    world.now += 365 * DAY
    world.engine.advance(Inputs(), world.now)
    assert {count for side in history(world, "30d").sides for count in side.requests} == {None}
    assert world.now > START
