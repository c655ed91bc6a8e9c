"""``figwatch init``."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from figwatch_agent.commands.check import command as check
from figwatch_agent.commands.init import command
from figwatch_agent.files.load import load
from figwatch_agent.model.names import AlertName


def init(*arguments: str) -> Result:
    return CliRunner().invoke(command, arguments, catch_exceptions=False)


def written(folder: Path) -> set[str]:
    return {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()}


def test_the_starter_passes_check(tmp_path: Path) -> None:
    assert init("--dir", str(tmp_path)).exit_code == 0
    result = CliRunner().invoke(check, [str(tmp_path / "figwatch.yaml")], catch_exceptions=False)
    assert (result.exit_code, "All is right" in result.output) == (0, True)


def test_the_starter_holds_settings_promises_and_a_runbook_per_alert(tmp_path: Path) -> None:
    init("--dir", str(tmp_path / "new"))
    runbooks = {f"runbooks/{name}.md" for name in AlertName}
    assert written(tmp_path / "new") == {"figwatch.yaml", "slo/my-service.yaml"} | runbooks


def test_the_service_gets_its_own_name_everywhere(tmp_path: Path) -> None:
    init("--dir", str(tmp_path), "--service", "billing")
    loaded = load(str(tmp_path / "figwatch.yaml"))
    assert [service.service for service in loaded.services] == ["billing"]
    assert [plan.name for plan in loaded.settings.rollback.plans] == ["billing-to-legacy"]
    assert not [file for file in tmp_path.rglob("*.yaml") if "my-service" in file.read_text("utf-8")]


def test_nothing_that_exists_is_overwritten(tmp_path: Path) -> None:
    tmp_path.joinpath("figwatch.yaml").write_text("mine", "utf-8")
    result = init("--dir", str(tmp_path))
    assert result.exit_code == 1
    assert "nothing was written" in result.output
    assert tmp_path.joinpath("figwatch.yaml").read_text("utf-8") == "mine"
    assert written(tmp_path) == {"figwatch.yaml"}


def test_for_a_second_service_the_way_is_told_in_few_lines(tmp_path: Path) -> None:
    init("--dir", str(tmp_path), "--service", "chat")
    said = init("--dir", str(tmp_path), "--service", "models").output
    assert "For one more service, copy a file of slo/" in said
    assert said.count(".md") < 5


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    result = init("--dir", str(tmp_path), "--dry-run", "--output", "json")
    body = json.loads(result.output)
    assert body["written"] == []
    assert str(tmp_path / "figwatch.yaml") in body["would_write"]
    assert written(tmp_path) == set()


@pytest.mark.parametrize("name", ["../evil", "a b", "", "9lives"])
def test_a_name_that_is_none_is_refused(tmp_path: Path, name: str) -> None:
    assert init("--dir", str(tmp_path), "--service", name).exit_code == 2
    assert written(tmp_path) == set()
