"""``figwatch check``."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from figwatch_agent.commands.check import command
from support.files import SETTINGS, SLO, write_project


def check(*arguments: str) -> Result:
    return CliRunner().invoke(command, arguments, catch_exceptions=False)


def test_right_files_get_one_friendly_line(tmp_path: Path) -> None:
    result = check(write_project(tmp_path))
    assert (result.exit_code, result.output) == (0, "All is right: 2 files, 2 SLOs, 1 criterion.\n")


def test_wrong_files_exit_3_with_line_and_caret(tmp_path: Path) -> None:
    result = check(write_project(tmp_path, chat=SLO.replace("canary", "cannary")))
    assert result.exit_code == 3
    assert f"{tmp_path}/slo/chat.yaml:6:34: " in result.output
    assert "^^^^^^^" in result.output
    assert 'did you mean "canary"?' in result.output
    assert result.output.endswith("1 problem in 1 file\n")


def test_notices_stand_beside_the_friendly_line(tmp_path: Path) -> None:
    result = check(write_project(tmp_path, settings=SETTINGS.replace("dual_write", "forward_only")))
    assert result.exit_code == 0
    assert "notice: /api/v1/chat will never be rolled back without a person" in result.output
    assert result.output.endswith("\n1 notice\n\nAll is right: 2 files, 2 SLOs, 1 criterion.\n")


def test_the_answer_comes_as_json_too(tmp_path: Path) -> None:
    result = check("--output", "json", write_project(tmp_path, chat=SLO.replace("99.9%", "0.999", 1)))
    body = json.loads(result.output)
    assert result.exit_code == 3
    assert [(one["line"], one["column"], one["hint"]) for one in body["problems"]] == [
        (10, 16, "write it as a percentage: 99.9%")
    ]
    assert body["notices"] == []
    assert [Path(file).name for file in body["files"]] == ["figwatch.yaml", "chat.yaml"]


def test_without_arguments_the_files_here_are_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_project(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert check().output == "All is right: 2 files, 2 SLOs, 1 criterion.\n"
    tmp_path.joinpath("figwatch.yaml").unlink()
    assert check().output == "All is right: 1 file, 2 SLOs, 1 criterion.\n"


def test_with_nothing_here_the_way_to_begin_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = check()
    assert result.exit_code == 2
    assert "figwatch init" in result.output


def test_slo_files_can_be_checked_alone(tmp_path: Path) -> None:
    write_project(tmp_path)
    assert check(str(tmp_path / "slo" / "chat.yaml")).exit_code == 0
    assert check(str(tmp_path / "slo")).exit_code == 0


def test_a_file_that_does_not_exist_is_a_finding(tmp_path: Path) -> None:
    result = check(str(tmp_path / "nothing.yaml"))
    assert result.exit_code == 3
    assert "the file cannot be read: No such file or directory" in result.output


def test_settings_under_another_name_are_known_by_their_keys(tmp_path: Path) -> None:
    write_project(tmp_path)
    other = tmp_path / "staging.yaml"
    other.write_text(SETTINGS, "utf-8")
    assert check(str(other)).output == "All is right: 2 files, 2 SLOs, 1 criterion.\n"


def test_files_named_twice_are_read_once(tmp_path: Path) -> None:
    path = write_project(tmp_path)
    assert check(path, str(tmp_path / "slo" / "chat.yaml")).output == "All is right: 2 files, 2 SLOs, 1 criterion.\n"


def test_checking_loads_neither_numpy_nor_aiohttp_nor_rich(tmp_path: Path) -> None:
    code = (
        "import sys; from figwatch_agent.commands.check import command; command([sys.argv[1]], standalone_mode=False);"
        "sys.exit(' '.join({'numpy', 'aiohttp', 'rich', 'jinja2', 'pydantic'} & set(sys.modules)))"
    )
    argv = [sys.executable, "-c", code, write_project(tmp_path)]
    environment = {"PYTHONPATH": ":".join(sys.path)}
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, env=environment, check=False)
    assert done.stderr.strip() == ""
    assert "All is right" in done.stdout
