"""``figwatch exclude``: what it asks for, without an agent."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from figwatch_agent.cli import figwatch

SETTINGS = """
source: {scrape: {interval: 5s, targets: ["http://127.0.0.1:1/metrics"]}}
state: {sqlite: figwatch.db}
web: {listen: "127.0.0.1:1"}
"""
PROMISE = """
version: 1
migration: ai-assistant
service: chat
window: 30d
routes: [{route: /api/v1/chat, stage: canary}]
slos: [{name: chat-availability, sli: {kind: availability}, objective: 99.9%}]
"""
TIMES = ["--from", "2026-11-22T22:00:00Z", "--to", "2026-11-22T23:00:00+01:00", "--who", "ann"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    tmp_path.joinpath("figwatch.yaml").write_text(SETTINGS, "utf-8")
    tmp_path.joinpath("slo").mkdir()
    tmp_path.joinpath("slo", "chat.yaml").write_text(PROMISE, "utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def asked(*arguments: str) -> dict[str, object]:
    done = CliRunner().invoke(figwatch, ["exclude", *arguments, "--dry-run", "--output", "json"])
    assert done.exit_code == 0, done.output
    found: dict[str, object] = json.loads(done.output)["would_send"]
    return found


@pytest.mark.usefixtures("folder")
def test_a_dry_run_says_what_would_be_declared() -> None:
    wish = asked("add", "--route", "/api/v1/chat", "--why", "upgrade", *TIMES, "--to", "2026-11-23T00:00:00Z")
    assert (wish["kind"], wish["subject"], wish["why"]) == ("exclude", "/api/v1/chat", "upgrade")
    assert wish["data"] == {
        "scope": "route",
        "from": "2026-11-22T22:00:00.000Z",
        "to": "2026-11-23T00:00:00.000Z",
        "who": "ann",
    }


@pytest.mark.usefixtures("folder")
def test_one_that_is_left_open_has_no_end_and_somebody_who_answers() -> None:
    wish = asked("add", "--service", "chat", "--open", "--why", "upgrade")
    data = wish["data"]
    assert isinstance(data, dict)
    assert set(data) == {"scope", "who"}
    assert asked("end", "exc-1")["kind"] == "end_exclusion"


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--open"], "one of --route, --slo and --service"),
        (["--route", "/a", "--slo", "b", "--open"], "one of --route, --slo and --service"),
        (["--route", "/a"], "give --to, or --open"),
        (["--route", "/a", "--open", "--to", "2026-11-22T22:00:00Z"], "give --to, or --open"),
        (["--route", "/a", *TIMES], "ends before it begins"),
        (["--route", "/a", "--from", "yesterday", "--open"], "--from"),
    ],
)
def test_what_cannot_be_declared_is_refused_before_anything_is_sent(arguments: list[str], said: str) -> None:
    done = CliRunner().invoke(figwatch, ["exclude", "add", "--why", "upgrade", "--dry-run", *arguments])
    assert done.exit_code == 2
    assert said in done.output
