"""ack, silence, resolve and re-arm: a wish goes through the durable inbox, and its refusal is an error."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from figwatch_agent import cli
from figwatch_agent.commands import _wishes
from figwatch_agent.commands._agent import AgentClient
from figwatch_agent.model.command import CommandKind
from figwatch_agent.store.sqlite import SqliteStore
from support.agent_site import failing_world, live_agent, write_files
from support.world import CHAT

USER = re.compile(r"\S+@\S+")


async def new_state(folder: Path) -> None:
    """A state that no agent runs on."""
    store = SqliteStore(folder / "figwatch.db")
    await store.open()
    await store.close()


def test_an_acknowledgement_over_http_carries_the_tokens_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world = failing_world()
    with live_agent(tmp_path, world) as config:
        assert cli.main(["ack", CHAT, "--config", config, "--output", "json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["way"], answer["actor"]) == ("api", "team")
    assert world.incident().acknowledged_by == "team"
    assert answer["decided"]


def test_without_a_token_the_wish_goes_into_the_inbox_under_the_users_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world = failing_world()
    with live_agent(tmp_path, world, token=False) as config:
        assert cli.main(["ack", world.incident().id, "--config", config, "--output", "json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["way"] == "inbox"
    assert USER.fullmatch(world.incident().acknowledged_by or "")


def test_a_token_that_cannot_be_read_is_no_obstacle(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    world = failing_world()
    with live_agent(tmp_path, world) as config:
        (tmp_path / "token").unlink()
        assert cli.main(["ack", CHAT, "--config", config, "--output", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["way"] == "inbox"


@pytest.mark.parametrize("token", [True, False])
def test_a_refusal_is_an_error_with_the_agents_reason(
    token: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with live_agent(tmp_path, failing_world(), token=token) as config:
        assert cli.main(["ack", "inc-unknown", "--config", config]) == 1
    assert "no open incident of that id or route" in capsys.readouterr().err


def test_a_resolve_closes_the_incident(tmp_path: Path) -> None:
    world = failing_world()
    world.rolled_back()
    world.tick()
    with live_agent(tmp_path, world) as config:
        assert cli.main(["resolve", CHAT, "--why", "fixed by hand", "--config", config]) == 0
    assert world.incident().resolved_by == "team"


def test_a_silence_is_told_with_its_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with live_agent(tmp_path, failing_world()) as config:
        assert cli.main(["silence", CHAT, "--for", "30m", "--why", "moving", "--config", config]) == 0
    assert f"{CHAT} is silenced until 2026-" in capsys.readouterr().out


@pytest.mark.parametrize("lasting", ["30", "1x", "0s", "31d", "-5m"])
def test_a_silence_needs_a_duration_that_ends(lasting: str, tmp_path: Path) -> None:
    config = write_files(tmp_path, 1)
    assert cli.main(["silence", CHAT, "--for", lasting, "--why", "x", "--config", config]) == 2


async def test_without_an_agent_a_wish_waits_in_the_inbox(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    await new_state(tmp_path)
    config = write_files(tmp_path, 1)
    assert cli.main(["silence", CHAT, "--for", "30m", "--why", "moving", "--config", config]) == 0
    assert "kept in the inbox" in capsys.readouterr().out
    store = SqliteStore(tmp_path / "figwatch.db")
    await store.open()
    (command,), _ = await store.waiting()
    await store.close()
    assert (command.kind, command.subject, command.why) == (CommandKind.SILENCE, CHAT, "moving")
    assert command.until == command.at + 30 * 60 * 1000
    assert USER.fullmatch(command.actor)
    assert command.origin == "cli"


def test_without_agent_and_state_it_says_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = write_files(tmp_path, 1)
    assert cli.main(["ack", "inc-1", "--config", config]) == 1
    assert "start the agent with `figwatch run`" in capsys.readouterr().err


async def test_a_dry_run_sends_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    await new_state(tmp_path)
    config = write_files(tmp_path, 1)
    for verb in (["ack", "x"], ["resolve", "x", "--why", "y"], ["silence", "x", "--for", "5m", "--why", "y"]):
        assert cli.main([*verb, "--dry-run", "--config", config]) == 0
    assert cli.main(["rollback", "re-arm", CHAT, "--dry-run", "--config", config]) == 0
    assert capsys.readouterr().out.count("Would send to the inbox of") == 4
    store = SqliteStore(tmp_path / "figwatch.db")
    await store.open()
    assert await store.waiting() == ((), ())
    await store.close()


def test_an_agent_that_goes_away_leaves_the_same_wish_in_the_inbox(tmp_path: Path) -> None:
    wish = _wishes.Wish(kind=CommandKind.ACKNOWLEDGE, subject="x", id="k-1")
    client = AgentClient("http://127.0.0.1:1")
    assert _wishes._over_http(wish, client, ("team", "secret")) is None
