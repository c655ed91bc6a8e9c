"""``figwatch rollback``: what awaits a person, what was done, and a person's word on it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from figwatch_agent import cli
from figwatch_agent.commands._kept import Kept
from figwatch_agent.model.names import Mode
from support.agent_site import failing_world, live_agent
from support.world import CHAT, World
from support.world import settings as world_settings


def awaiting() -> World:
    """A world whose rollback awaits approval."""
    return failing_world(conf=world_settings(mode=Mode.APPROVE))


def test_the_list_names_what_awaits_approval(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    world = awaiting()
    with live_agent(tmp_path, world) as config:
        assert cli.main(["rollback", "list", "--config", config]) == 0
    said = capsys.readouterr().out
    assert "Awaiting approval" in said
    assert world.incident().id in said
    assert "Rollbacks: none was decided." in said


def test_the_list_names_what_was_decided(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    world = failing_world()
    with live_agent(tmp_path, world) as config:
        assert cli.main(["rollback", "list", "--config", config, "--output", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["awaiting_approval"] == []
    assert [one["incident"] for one in found["rollbacks"]] == [world.incident().id]


@pytest.mark.parametrize("name", ["id", "route", "rollback"])
def test_it_is_shown_by_incident_route_or_its_own_id(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world = failing_world()
    incident = world.incident()
    assert incident.rollback is not None
    wanted = {"id": incident.id, "route": CHAT, "rollback": incident.rollback.id}[name]
    with live_agent(tmp_path, world) as config:
        assert cli.main(["rollback", "show", wanted, "--config", config]) == 0
    said = capsys.readouterr().out
    assert "worse_than_control" in said
    assert "redirect" in said
    assert "Decision: rollback (conditions_hold)" in said


def test_what_awaits_approval_is_shown_with_the_line_that_approves_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world = awaiting()
    decision = world.incident().decision
    assert decision is not None
    with live_agent(tmp_path, world) as config:
        assert cli.main(["rollback", "show", CHAT, "--config", config]) == 0
    line = f"figwatch rollback approve {world.incident().id} --plan-digest {decision.plan_digest}"
    assert line in capsys.readouterr().out


def test_an_approval_starts_the_rollback_and_is_told_what_the_guard_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world = awaiting()
    with live_agent(tmp_path, world) as config:
        assert world.intents() == []
        assert cli.main(["rollback", "approve", CHAT, "--config", config]) == 0
    assert len(world.intents()) == 1
    assert f"{CHAT}: rollback" in capsys.readouterr().out


def test_an_incident_that_is_over_is_still_found_by_its_route() -> None:
    found = Kept(incidents=[_over("first", 1), _over("second", 2)], rollbacks=[], running=True)
    assert found.incident(CHAT) == _over("second", 2)


def _over(name: str, day: int) -> dict[str, Any]:
    detected = f"2026-01-0{day}T00:00:00.000Z"
    return {"id": name, "route": CHAT, "open": False, "rollback": None, "detected_at": detected}


def test_an_approval_of_another_plan_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    world = awaiting()
    with live_agent(tmp_path, world) as config:
        assert cli.main(["rollback", "approve", CHAT, "--plan-digest", "0000", "--config", config]) == 1
    assert "the plan changed since it was read" in capsys.readouterr().err
    assert world.intents() == []


def test_what_awaits_nothing_cannot_be_approved(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with live_agent(tmp_path, failing_world()) as config:
        assert cli.main(["rollback", "approve", CHAT, "--config", config]) == 1
    assert "nothing awaits approval" in capsys.readouterr().err


def test_a_latched_route_is_armed_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    world = failing_world()
    world.rolled_back()
    world.tick()
    with live_agent(tmp_path, world) as config:
        assert cli.main(["rollback", "re-arm", CHAT, "--config", config]) == 0
    assert "may be rolled back automatically again" in capsys.readouterr().out
    assert world.engine.view(world.now).routes[0].armed


def test_what_is_not_there_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with live_agent(tmp_path, failing_world()) as config:
        assert cli.main(["rollback", "show", "inc-nobody", "--config", config]) == 1
    assert "inc-nobody" in capsys.readouterr().err


def test_without_an_agent_the_state_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    world = failing_world()
    with live_agent(tmp_path, world) as config:
        pass
    assert cli.main(["rollback", "show", world.incident().id, "--config", config]) == 0
    assert "Rollback: committed, pending" in capsys.readouterr().out
