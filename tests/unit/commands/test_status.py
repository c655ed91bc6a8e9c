"""``figwatch status`` shows what a running agent sees, and says clearly where none runs."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from figwatch_agent import cli
from figwatch_agent.commands import status
from support.agent_site import failing_world, live_agent, write_files
from support.world import CHAT


def test_it_shows_open_incidents_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with live_agent(tmp_path, failing_world()) as config:
        assert cli.main(["status", "--config", config]) == 0
    said = capsys.readouterr().out
    assert said.index("Incidents") < said.index("Routes") < said.index("SLOs") < said.index("Success criteria")
    assert "OPEN" in said
    assert CHAT in said
    assert "\x1b" not in said


def test_a_page_of_routes_is_chosen_by_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with live_agent(tmp_path, failing_world()) as config:
        assert cli.main(["status", "--config", config, "--routes", "no such route"]) == 0
    assert "Routes, worst first: No route is like that." in capsys.readouterr().out


def test_watching_looks_again_until_it_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(status, "time", SimpleNamespace(sleep=pause))
    with live_agent(tmp_path, failing_world()) as config:
        assert cli.main(["status", "--config", config, "--watch", "--every", "7"]) == 1
    assert pauses == [7, 7, 7]
    assert capsys.readouterr().out.count("Success criteria") == 3


def test_watching_goes_on_while_no_agent_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(status, "time", SimpleNamespace(sleep=lambda _: (_ for _ in ()).throw(KeyboardInterrupt)))
    assert cli.main(["status", "--config", write_files(tmp_path, 1), "--watch"]) == 1
    said = capsys.readouterr().out
    assert "no agent answers at" in said
    assert "Looking again every 2 s." in said


def test_watching_gives_no_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["status", "--config", write_files(tmp_path, 1), "--watch", "--output", "json"]) == 2
    assert "--watch is for people" in capsys.readouterr().err


def test_json_is_the_document_of_the_api(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with live_agent(tmp_path, failing_world()) as config:
        assert cli.main(["status", "--config", config, "--output", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["version"] == 1
    assert document["incidents"][0]["route"] == CHAT


def test_without_an_agent_it_says_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = write_files(tmp_path, 1)
    assert cli.main(["status", "--config", config]) == 1
    said = capsys.readouterr().err
    assert said.startswith("figwatch: no agent answers at http://127.0.0.1:1 ")
    assert "figwatch run" in said


def test_an_agent_may_be_named_without_any_files(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["status", "--url", "http://127.0.0.1:1"]) == 1
    assert "no agent answers at http://127.0.0.1:1" in capsys.readouterr().err


def test_without_settings_it_says_how_to_name_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(["status"]) == 2
    assert "there is no figwatch.yaml" in capsys.readouterr().err


def test_files_that_are_wrong_end_with_3(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = Path(write_files(tmp_path, 1))
    config.write_text(config.read_text("utf-8") + "sorce: 1\n", "utf-8")
    assert cli.main(["status", "--config", str(config)]) == 3
    assert "sorce" in capsys.readouterr().err


@pytest.mark.parametrize("url", ["127.0.0.1:9464", "file:///etc/passwd", "ftp://host/"])
def test_an_address_that_is_no_web_address_is_a_usage_error(url: str) -> None:
    assert cli.main(["status", "--url", url]) == 2
