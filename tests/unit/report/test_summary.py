"""The tables say in words what the document says in numbers."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from figwatch_agent.durations import HOUR
from figwatch_agent.report.overview import overview_document
from figwatch_agent.report.spark import BLOCKS
from figwatch_agent.report.status import status_document
from figwatch_agent.report.summary import Table, _times, headline, tables
from figwatch_agent.report.words import percent, quantity, visible
from support.agent_site import failing_world
from support.world import CHAT, World


def document(world: World, **healthy: bool) -> dict[str, Any]:
    """The status as it arrives."""
    found: dict[str, Any] = json.loads(json.dumps(status_document(world.engine.view(world.now), healthy)))
    return found


def overview(world: World) -> dict[str, Any]:
    """The first page of the overview, as it arrives."""
    found: dict[str, Any] = json.loads(
        json.dumps(overview_document(world.engine.view(world.now), world.engine.shares(HOUR)))
    )
    return found


def of(world: World) -> tuple[Table, ...]:
    """What is shown of it."""
    return tables(document(world), overview(world))


@pytest.mark.parametrize(
    ("ratio", "shown"),
    [
        (None, "-"),
        (0, "0%"),
        (1, "100%"),
        (0.999, "99.9%"),
        (0.999999, "> 99.99%"),  # not all
        (0.000001, "< 0.01%"),  # not none
        (-101.5, "-10150%"),
    ],
)
def test_percent_never_rounds_to_all_or_nothing(ratio: float | None, shown: str) -> None:
    assert percent(ratio) == shown


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [(150, "ms", "150 ms"), (185_000, "ms", "3 min 05 s"), (0.25, "ratio", "25%"), (5, "number", "5")],
)
def test_a_figure_is_shown_in_its_unit(value: float, unit: str, shown: str) -> None:
    assert quantity(value, unit) == shown


def test_what_cannot_be_seen_is_written_out() -> None:
    assert visible("a\x1b[2Jb\u202ec\nd") == "a\\u001b[2Jb\\u202ec\\u000ad"


def test_incidents_come_first_and_say_open_in_words() -> None:
    first = of(failing_world())[0]
    assert first.title == "Incidents"
    assert first.rows[0][1:4] == ("OPEN", "page", CHAT)
    assert "EarlyOutage" in first.rows[0][4]
    assert first.rows[0][6:] == ("rollback (conditions_hold)", "committed, pending")


def test_every_row_has_a_cell_for_every_column() -> None:
    for table in of(failing_world()):
        assert {len(row) for row in table.rows} == {len(table.columns)}


def test_a_quiet_engine_says_that_there_is_nothing() -> None:
    world = World()
    world.tick()
    assert of(world)[0].rows == ()


def test_a_criterion_without_a_figure_gives_its_reason() -> None:
    rows = {row[0]: row for row in of(World())[3].rows}
    assert rows["satisfied"][2] == "inconclusive"
    assert "no satisfaction was told of in 1d" in rows["satisfied"][6]


def test_the_headline_names_what_is_ill() -> None:
    world = World()
    world.tick()
    assert "agent NOT healthy: store" in headline(document(world, loop=True, store=False), overview(world)["forecast"])
    assert "agent healthy" in headline(document(world, loop=True, store=True), overview(world)["forecast"])


def test_a_hostile_migration_name_cannot_move_the_cursor() -> None:
    world = World()
    world.tick()
    view = replace(world.engine.view(world.now), migration="x\x1b]0;owned\x07")
    shown = headline(json.loads(json.dumps(status_document(view, {}))), overview(world)["forecast"])
    assert "\x1b" not in shown
    assert "\x07" not in shown


def test_a_route_shows_how_legacys_share_changed_and_what_burns() -> None:
    [routes] = [table for table in of(failing_world()) if table.title.startswith("Routes")]
    row = dict(zip(routes.columns, routes.rows[0], strict=True))
    assert row["route"] == CHAT
    assert row["served by"] == "both"
    assert row["burn"].endswith("FIRES")
    assert re.fullmatch(r"spent \d+\.\dx", row["budget left"])
    assert any(mark in row["legacy over 1h"] for mark in BLOCKS)


def test_a_burn_that_is_not_zero_never_reads_zero() -> None:
    assert [_times(rate) for rate in (0, 0.04, 1.25, 387.9, None)] == ["0.0x", "< 0.1x", "1.2x", "388x", "?"]
