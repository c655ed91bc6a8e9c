"""`figwatch report` reads a running agent, or its state, and says the same of both."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from figwatch_agent import cli
from figwatch_agent.store.sqlite import SqliteStore
from support.agent_site import failing_world, live_agent, write_files
from support.world import CHAT


async def test_the_state_alone_is_enough(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    world = failing_world()
    store = SqliteStore(tmp_path / "figwatch.db")
    await store.open()
    for outcome in world.outcomes:
        await store.commit(outcome)
    await store.close()
    config = write_files(tmp_path, 1)
    assert cli.main(["report", "--config", config, "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["incidents"][0]["route"] == CHAT
    assert cli.main(["report", "--config", config, "--format", "html", "--out", str(tmp_path / "r.html")]) == 0
    assert "<svg" in (tmp_path / "r.html").read_text()
    assert "inconclusive" in capsys.readouterr().err


def test_a_running_agent_is_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with live_agent(tmp_path, failing_world()) as config:
        assert cli.main(["report", "--config", config]) == 0
        assert "## Success criteria" in capsys.readouterr().out
        assert cli.main(["report", "--config", config, "--output", "json", "--check"]) in (4, 5)
        assert json.loads(capsys.readouterr().out)["version"] == 1


async def test_a_state_without_a_tick_has_nothing_to_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = SqliteStore(tmp_path / "figwatch.db")
    await store.open()
    await store.close()
    assert cli.main(["report", "--config", write_files(tmp_path, 1)]) == 5
    assert "has not finished a tick yet" in capsys.readouterr().err


def test_without_agent_and_state_it_says_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["report", "--config", write_files(tmp_path, 1)]) == 1
    assert "figwatch run" in capsys.readouterr().err
