"""The overview shows every route, worst first, in pages that stay small, with figures that are exact."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from typing import Any

from figwatch_agent.durations import HOUR
from figwatch_agent.model.names import Stage
from figwatch_agent.report.numbers import number
from figwatch_agent.report.overview import PAGE, Ask, Overview, overview_document
from support.agent_site import failing_world
from support.world import CHAT, MODELS, World, service


def overview(world: World, ask: Ask | None = None) -> dict[str, Any]:
    """As it arrives at whoever asks."""
    document = overview_document(world.engine.view(world.now), world.engine.shares(HOUR), ask)
    found: dict[str, Any] = json.loads(json.dumps(document, allow_nan=False))
    return found


def many(count: int) -> Overview:
    """A view with so many routes."""
    world = World((service(routes=tuple(f"/r{number:03d}" for number in range(count))),))
    world.tick()
    return Overview(world.engine.view(world.now), world.engine.shares(HOUR))


def test_a_route_says_who_serves_it_and_what_legacy_still_serves() -> None:
    world = World()
    world.both(20)
    route = overview(world)["routes"][0]
    assert (route["served_by"], route["legacy_ratio"]) == ("both", "0.2")
    assert route["lately"] == {"legacy": 190, "service": 760, "shadow": 0, "unknown": 0}
    assert route["share"][-1] == {"legacy": 190, "total": 950}
    assert route["share"][0] is None


def test_who_serves_a_route_is_unknown_while_nothing_is_seen() -> None:
    world = World()
    world.both(20)
    world.up = False
    world.tick()
    assert overview(world)["routes"][0]["served_by"] == "unknown"


def test_a_route_without_requests_is_served_by_nobody() -> None:
    world = World((service(routes=(CHAT, MODELS)),))
    world.both(20)
    assert {route["route"]: route["served_by"] for route in overview(world)["routes"]} == {
        CHAT: "both",
        MODELS: "nobody",
    }


def test_the_worst_route_comes_first() -> None:
    world = World((service(routes=(MODELS, CHAT)),))
    world.both(30)
    world.both(8, service_bad=20)
    routes = overview(world)["routes"]
    assert [route["route"] for route in routes] == [CHAT, MODELS]
    assert routes[0]["incidents"][0]["severity"] == "page"
    assert routes[0]["burn"]["firing"] is True
    assert routes[0]["budget"]["remaining"] < 0
    assert routes[1]["budget"] is None


def test_pages_hold_every_route_once() -> None:
    pages = [many(2 * PAGE + 3).document(Ask(page=page)) for page in (1, 2, 3)]
    names = [route["route"] for page in pages for route in page["routes"]]  # type: ignore[attr-defined]  # a list
    assert len(names) == len(set(names)) == 2 * PAGE + 3
    assert pages[0]["page"] == {
        "number": 1,
        "pages": 3,
        "size": PAGE,
        "matching": 2 * PAGE + 3,
        "all": 2 * PAGE + 3,
        "query": "",
        "stage": None,
    }


def test_a_page_beyond_the_last_is_the_last() -> None:
    found = many(PAGE + 1).document(Ask(page=99))["page"]
    assert isinstance(found, dict)
    assert (found["number"], found["pages"]) == (2, 2)


def test_routes_are_found_by_name_service_and_stage() -> None:
    found = many(30)
    assert len(found.document(Ask(query="R02"))["routes"]) == 10  # type: ignore[arg-type]  # a list
    assert len(found.document(Ask(query="CHAT"))["routes"]) == PAGE  # type: ignore[arg-type]  # a list
    assert found.document(Ask(stage=Stage.RETIRED))["routes"] == []
    assert found.document(Ask(query="%_*"))["routes"] == []


def test_criteria_that_are_missed_come_first_and_all_are_counted() -> None:
    world = World()
    world.both(70)
    found = overview(world)
    assert found["criteria"][0]["verdict"] == "missed"
    assert sum(found["verdicts"].values()) == len(world.services[0].criteria)
    assert all(one["coverage"] is not None or one["reason"] for one in found["criteria"] if one["name"] != "mttr")


def test_open_incidents_are_counted_by_severity() -> None:
    assert overview(failing_world())["open"] == {"page": 1, "ticket": 0}


def test_a_forecast_that_cannot_be_made_says_why() -> None:
    world = World()
    world.both(20)
    found = overview(world)
    assert found["forecast"]["reason"] == "too_few"
    assert found["forecast"]["zero_at"] is None
    assert found["routes"][0]["forecast"]["text"]


def test_the_cut_slot_of_a_window_leaves_bounds() -> None:
    world = World()
    world.both(20, service_bad=1)
    view = world.engine.view(world.now)
    stream = view.streams[0]
    cut = replace(stream, edge=replace(stream.counts, bad=5, total=100))
    document = overview_document(replace(view, streams=(cut,)), world.engine.shares(HOUR))
    budget = document["routes"][0]["budget"]  # type: ignore[index]  # a list
    bad, total = stream.counts.bad, stream.counts.total
    assert budget["remaining_low"] == number(1 - Fraction(bad, total - 95) * 1000)
    assert budget["remaining_high"] == number(1 - Fraction(bad - 5, total - 5) * 1000)
    assert budget["remaining_low"] < budget["remaining"] < budget["remaining_high"]
