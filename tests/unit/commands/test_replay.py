"""``figwatch replay``: the same inputs give the same Outcomes, byte for byte, or the first difference is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from figwatch_agent import cli
from figwatch_agent.commands.replay import first_difference
from figwatch_agent.files.load import load
from figwatch_agent.model.inputs import Inputs
from figwatch_agent.model.outcome import Saved
from figwatch_agent.sources.recording import Recording
from figwatch_agent.store.memory import MemoryStore
from support.agent_site import SLO, write_files
from support.world import World


def recorded_world(config: str, folder: Path, ticks: int = 20) -> World:
    """A world with the engine of these files, its ticks recorded."""
    loaded = load(config)
    world = World(services=loaded.services, conf=loaded.settings)
    record(world, folder, ticks)
    return world


def record(world: World, folder: Path, ticks: int, saved: Saved | None = None) -> None:
    """Go on and record."""
    recording = Recording(folder, saved)
    for _ in range(ticks):
        world.serve(good=40, bad=2)
        inputs = Inputs(batches=(world.batch(),))
        world.now += 1000
        outcome = world.engine.advance(inputs, world.now)
        world.outcomes.append(outcome)
        recording.record(inputs, world.now, outcome)
    recording.close()


def test_a_recording_replays_byte_for_byte(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = write_files(tmp_path, 1)
    recorded_world(config, tmp_path / "rec")
    assert cli.main(["replay", "--recorded", str(tmp_path / "rec"), "--config", config]) == 0
    assert "All 20 ticks gave the same Outcome" in capsys.readouterr().out


def test_other_files_give_the_first_difference(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = write_files(tmp_path, 1)
    recorded_world(config, tmp_path / "rec")
    (tmp_path / "slo" / "chat.yaml").write_text(SLO.replace("chat-availability", "chat-answers"), "utf-8")
    assert cli.main(["replay", "--recorded", str(tmp_path / "rec"), "--config", config]) == 1
    said = capsys.readouterr().err
    assert said.startswith("figwatch: tick 1 (at 1790000001000) differs at outcome.")
    assert "recorded" in said


async def test_runs_before_and_after_a_restart_replay_each_from_its_own_state(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = write_files(tmp_path, 1)
    world = recorded_world(config, tmp_path / "rec")
    store = MemoryStore()
    for outcome in world.outcomes[:-1]:  # the last one was decided and recorded, and not committed any more
        await store.commit(outcome)
    saved = await store.load()
    loaded = load(config)
    world.engine = type(world.engine)(loaded.services, loaded.settings, saved)
    record(world, tmp_path / "rec", 5, saved)
    assert cli.main(["replay", "--recorded", str(tmp_path / "rec"), "--config", config, "--output", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"ticks": 25, "same": True, "notices": []}


def test_a_folder_without_a_recording_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = write_files(tmp_path, 1)
    assert cli.main(["replay", "--recorded", str(tmp_path), "--config", config]) == 1
    assert "holds no recording" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("then", "now", "where"),
    [
        ({"a": [1, {"b": 2}]}, {"a": [1, {"b": 3}]}, "o.a[1].b"),
        ({"a": [1]}, {"a": [1, 2]}, "the length of o.a"),
        ({"a": 1}, {"a": 1, "b": 2}, "o.b"),
        (1, "1", "o"),
    ],
)
def test_the_first_difference_is_a_path(then: object, now: object, where: str) -> None:
    assert first_difference(then, now, "o")[0] == where
