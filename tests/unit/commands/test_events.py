"""`figwatch events` and `figwatch baseline`: told once, all or nothing, listed as they were told."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from figwatch_agent import cli
from figwatch_agent.durations import DAY
from figwatch_agent.model.names import Measure
from figwatch_agent.model.outcome import TransitionKind
from figwatch_agent.model.slo import Criterion
from figwatch_agent.store.sqlite import SqliteStore
from support.agent_site import live_agent, write_files
from support.world import CHAT, World, service

CRITERIA = """criteria:
  - {name: happy, measure: satisfaction, target: kept}
  - {name: deploys, measure: deployment_frequency, target: x5}
  - {name: mttr, measure: mttr, target: "< 15m"}
"""


async def idle(folder: Path) -> str:
    """Files whose agent does not run now, with criteria; their path."""
    config = write_files(folder, 1)
    with (folder / "slo" / "chat.yaml").open("a") as file:
        file.write(CRITERIA)
    store = SqliteStore(folder / "figwatch.db")
    await store.open()
    await store.close()
    return config


def answered(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """The JSON document that was printed."""
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


async def test_an_event_is_told_once_whatever_its_way(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = await idle(tmp_path)
    add = [
        "events",
        "add",
        "deployment",
        "service=chat",
        "version=1.4",
        "--id",
        "d1",
        "--config",
        config,
        "--output",
        "json",
    ]
    assert [cli.main(add), answered(capsys)["taken"], cli.main(add), answered(capsys)["known"]] == [0, 1, 0, 1]


async def test_a_dry_run_tells_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = await idle(tmp_path)
    assert cli.main(["events", "add", "lag", "seconds=1", "--dry-run", "--config", config]) == 0
    assert "Would tell of 1 event to the inbox of" in capsys.readouterr().out
    store = SqliteStore(tmp_path / "figwatch.db")
    await store.open()
    assert await store.waiting() == ((), ())
    await store.close()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["lag"], "seconds: a lag needs it"),
        (["lag", "seconds"], "FIELD=TEXT"),
        (["lag", "seconds=1", "seconds=2"], "given twice"),
        (["lag", "seconds=1", "--at", "now"], "at: "),
        (["lags"], "lags"),
    ],
)
async def test_an_event_that_is_wrong_is_a_usage_error(
    tmp_path: Path, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["events", "add", *arguments, "--config", await idle(tmp_path)]) == 2
    assert said in capsys.readouterr().err


async def test_a_file_with_one_wrong_line_is_imported_nowhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = await idle(tmp_path)
    good, bad = "lag,2026-11-01T12:00:00Z,1\n", "lag,2026-11-01T12:00:00Z,soon\n"
    (tmp_path / "lags.csv").write_text(f"kind,at,seconds\n{good}{bad}{bad}")
    assert cli.main(["events", "import", str(tmp_path / "lags.csv"), "--config", config]) == 3
    said = capsys.readouterr().err
    assert f"{tmp_path}/lags.csv:3:26:" in said
    assert f"{tmp_path}/lags.csv:4:26:" in said
    assert "2 problems in 1 file" in said
    (tmp_path / "lags.csv").write_text(f"kind,at,seconds\n{good}")
    arguments = ["events", "import", str(tmp_path / "lags.csv"), "--config", config]
    assert [cli.main(arguments), cli.main(arguments)] == [0, 0]
    said = capsys.readouterr().out
    assert "1 event: 1 taken." in said
    assert "0 taken, 1 known already" in said


def test_events_and_baselines_are_listed_as_they_were_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    criteria = (Criterion(name="happy", measure=Measure.SATISFACTION, target="kept", over=30 * DAY),)
    world = World((replace(service(), criteria=criteria),), start=1_784_980_800_000)
    world.tick()
    with live_agent(tmp_path, world) as config:
        with (tmp_path / "slo" / "chat.yaml").open("a") as file:
            file.write(CRITERIA)
        assert (
            cli.main(["events", "add", "satisfaction", "value=4.2", "--at", "2026-07-25T11:00:00Z", "--config", config])
            == 0
        )
        assert cli.main(["baseline", "record", "happy", "--value", "4", "--config", config]) == 0
        assert cli.main(["baseline", "record", "happy", "--value", "3", "--config", config]) == 1
        said = capsys.readouterr()
        assert "baseline of happy: 4 number" in said.out
        assert "replace it with --replace" in said.err
        assert cli.main(["baseline", "record", "happy", "--value", "3", "--replace", "--config", config]) == 0
        assert cli.main(["events", "list", "--config", config]) == 0
        assert "value 4.2" in capsys.readouterr().out
        assert cli.main(["baseline", "list", "--config", config, "--output", "json"]) == 0
        listed = answered(capsys)
    assert [(each["criterion"], each["value"]) for each in listed["baselines"]] == [("happy", 3)]
    assert listed["missing"] == ["deploys"]
    assert len(world.said(TransitionKind.BASELINE_RECORDED)) == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "name one criterion, or give --all"),
        (["happy", "--all"], "name one criterion, or give --all"),
        (["--all", "--value", "3"], "--value is of one criterion"),
        (["happy", "--from", "june"], "june"),
    ],
)
async def test_a_baseline_is_asked_for_in_one_way(
    tmp_path: Path, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["baseline", "record", *arguments, "--config", await idle(tmp_path)]) == 2
    assert said in capsys.readouterr().err


def test_a_route_has_a_baseline_of_its_own_counts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    world = World(start=1_784_980_800_000)
    world.tick()
    with live_agent(tmp_path, world) as config:
        assert cli.main(["baseline", "record", CHAT, "--value", "12/40000", "--config", config]) == 0
        assert cli.main(["baseline", "record", CHAT, "--value", "12", "--config", config]) == 2
    assert "BAD/TOTAL" in capsys.readouterr().err
    assert world.engine._desk.baselines[CHAT].total == 40_000


async def test_all_baselines_are_those_of_criteria_that_compare(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["baseline", "record", "--all", "--dry-run", "--config", await idle(tmp_path)]
    assert cli.main(arguments) == 0
    said = capsys.readouterr().out
    assert "baseline happy" in said
    assert "baseline deploys" in said
    assert "mttr" not in said
