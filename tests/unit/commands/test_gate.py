"""`figwatch gate` answers with its exit code: 0 yes, 4 no, 5 not enough data."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from figwatch_agent import cli
from figwatch_agent.store.sqlite import SqliteStore
from support.agent_site import failing_world, live_agent, write_files
from support.world import CHAT


def test_a_failing_route_may_not_move_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with live_agent(tmp_path, failing_world()) as config:
        assert cli.main(["gate", "--route", CHAT, "--config", config]) == 4
        assert f"{CHAT}, canary to migrated: may NOT move on" in capsys.readouterr().out
        assert (
            cli.main(
                ["gate", "--route", CHAT, "--to", "retired", "--over", "1m", "--config", config, "--output", "json"]
            )
            == 4
        )
        assert json.loads(capsys.readouterr().out)["to"] == "retired"
        assert cli.main(["gate", "--route", "/nowhere", "--config", config]) == 1
        assert "no file declares the route" in capsys.readouterr().err


async def test_an_agent_that_does_not_run_lets_nothing_pass(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    world = failing_world()
    store = SqliteStore(tmp_path / "figwatch.db")
    await store.open()
    for outcome in world.outcomes[:20]:
        await store.commit(outcome)
    await store.close()
    assert cli.main(["gate", "--route", CHAT, "--config", write_files(tmp_path, 1)]) == 5
    assert "no agent runs" in capsys.readouterr().out


@pytest.mark.parametrize("over", ["soon", "0s"])
def test_a_time_to_judge_over_is_a_duration(tmp_path: Path, over: str) -> None:
    assert cli.main(["gate", "--route", CHAT, "--over", over, "--config", write_files(tmp_path, 1)]) == 2
