"""``figwatch export``."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from figwatch_agent.commands.export import command
from support.files import SLO
from support.foreign import imported, read_back


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    tmp_path.joinpath("slo").mkdir()
    tmp_path.joinpath("slo", "chat.yaml").write_text(SLO, "utf-8")
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(command, arguments, catch_exceptions=False)


@pytest.mark.parametrize("tool", ["openslo", "sloth"])
def test_the_files_are_printed_and_can_be_read_again(tool: str) -> None:
    result = run("--to", tool)
    assert result.exit_code == 0
    (service,) = read_back(imported(result.stdout))
    assert [slo.name for slo in service.slos] == ["chat-availability"]


@pytest.mark.parametrize("tool", ["openslo", "sloth"])
def test_what_has_no_place_there_is_told_for_each_slo(tool: str) -> None:
    told = run("--to", tool).stderr.splitlines()
    assert "slo/chat.yaml: chat-availability: the early lane is not carried over" in told
    assert "slo/chat.yaml: chat-availability: criteria of its file are not carried over" in told
    assert "slo/chat.yaml: chat-availability: stages and rollback plans of its routes are not carried over" in told
    assert any("chat-availability: evidence is not carried over" in line for line in told)
    assert any("sides and legacy are not told apart" in line for line in told)
    assert any("chat-uptime: it is not carried over: its probe counts time" in line for line in told)


def test_files_are_written_into_a_folder_and_never_overwritten() -> None:
    assert run("--to", "sloth", "--out", "there").stdout == "Wrote there/chat.yaml.\n"
    assert Path("there/chat.yaml").is_file()
    again = run("--to", "sloth", "--out", "there")
    assert again.exit_code == 1
    assert "there/chat.yaml exists already" in again.stderr


def test_a_dry_run_writes_nothing() -> None:
    assert run("--to", "sloth", "--out", "there", "--dry-run").stdout == "Would write there/chat.yaml.\n"
    assert not Path("there").exists()


def test_the_answer_comes_as_json_too() -> None:
    body = json.loads(run("slo/chat.yaml", "--to", "openslo", "--output", "json").stdout)
    assert list(body["files"]) == ["chat.yaml"]
    assert body["written"] == []
    assert {
        "file": "slo/chat.yaml",
        "slo": "chat-availability",
        "message": "the early lane is not carried over",
    } in body["notices"]


def test_files_that_are_wrong_are_not_exported() -> None:
    from figwatch_agent import cli

    Path("slo/chat.yaml").write_text(SLO.replace("99.9%", "100%"), "utf-8")
    assert cli.main(["export", "--to", "sloth"]) == 3


def test_with_nothing_here_files_are_asked_for() -> None:
    Path("slo/chat.yaml").unlink()
    result = run("--to", "sloth")
    assert result.exit_code == 2
    assert "there is no *.yaml in slo" in result.stderr
