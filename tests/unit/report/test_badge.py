"""Badges say in words what their colour says, and grey where nothing is known."""

from __future__ import annotations

from dataclasses import replace

import pytest

from figwatch_agent.model.names import Verdict
from figwatch_agent.report.badge import BAD, GOOD, GREY, POOR, badge, criterion_badge, route_badge
from figwatch_agent.report.criteria import verdict_of
from support.agent_site import failing_world
from support.world import CHAT, World


def contrast(colour: str) -> float:
    """Of white text on a colour, by WCAG 2."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05)


@pytest.mark.parametrize("colour", [GOOD, POOR, BAD, GREY])
def test_white_words_are_readable_on_every_colour(colour: str) -> None:
    assert contrast(colour) >= 4.5


def test_a_route_with_a_page_is_failing() -> None:
    world = failing_world()
    found = route_badge(world.engine.view(world.now), CHAT)
    assert found is not None
    assert f"<title>{CHAT}: failing</title>" in found
    assert BAD in found


def test_a_good_route_shows_what_is_left_of_its_budget() -> None:
    world = World()
    world.both(20)
    found = route_badge(world.engine.view(world.now), CHAT)
    assert found is not None
    assert "100% budget left" in found
    assert GOOD in found


def test_a_route_that_is_not_measured_is_grey_and_says_unknown() -> None:
    world = World()
    world.both(20)
    world.up = False
    world.tick()
    found = route_badge(world.engine.view(world.now), CHAT)
    assert found is not None
    assert f"<title>{CHAT}: unknown</title>" in found
    assert GREY in found


def test_what_no_file_declares_has_no_badge() -> None:
    view = World().engine.view(0)
    assert route_badge(view, "/nobody") is None
    assert criterion_badge(view, "nobody") is None


def test_a_criterion_shows_verdict_and_figure() -> None:
    world = World()
    world.both(70)
    view = world.engine.view(world.now)
    assert verdict_of(view.criteria[2])[0] is Verdict.MISSED
    found = criterion_badge(view, "legacy")
    assert found is not None
    assert "<title>legacy: missed, 20%</title>" in found
    inconclusive = criterion_badge(view, "satisfied")
    assert inconclusive is not None
    assert "<title>satisfied: inconclusive</title>" in inconclusive
    assert GREY in inconclusive


def test_words_of_others_cannot_become_markup() -> None:
    view = World().engine.view(0)
    route = replace(view.routes[0], route='/<script>"&')
    found = route_badge(replace(view, routes=(route,)), route.route)
    assert found is not None
    assert "<script" not in found
    assert "&lt;script&gt;" in found


def test_long_words_are_cut() -> None:
    assert "…" in badge("x" * 100, "y", GREY)
