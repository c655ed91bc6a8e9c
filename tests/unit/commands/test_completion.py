"""Shells complete verbs, options, routes and open incidents; a completion never complains."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.shell_completion import ShellComplete

from figwatch_agent import cli
from figwatch_agent.commands import _completion, completion
from support.parts import not_here


def offered(*words: str) -> list[str]:
    """What is offered for the last word."""
    *before, incomplete = words
    complete = ShellComplete(cli.figwatch, {}, completion.PROGRAM, completion.VARIABLE)
    return [item.value for item in complete.get_completions(before, incomplete)]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the starter's files; nothing runs there."""
    monkeypatch.chdir(tmp_path)
    assert cli.main(["init", "--service", "chat"]) == 0
    return tmp_path


def test_verbs_are_offered_with_their_help() -> None:
    items = cli.Table(name="figwatch").shell_complete(click.Context(cli.figwatch), "s")
    assert [(item.value, item.help) for item in items] == [
        (verb.name, verb.help) for verb in cli.VERBS.values() if verb.name.startswith("s")
    ]


def test_offering_verbs_loads_none_of_them() -> None:
    program = (
        "import sys; from figwatch_agent.cli import main; main([]);"
        "sys.exit(' '.join(name for name in sys.modules if name.startswith('figwatch_agent.commands.')))"
    )
    environment = {**os.environ, completion.VARIABLE: "fish_complete", "COMP_WORDS": "figwatch", "COMP_CWORD": "s"}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)
    assert "status" in done.stdout
    assert done.stderr == ""


def test_options_of_a_verb_are_offered() -> None:
    assert offered("silence", "--f") == ["--for"]


def test_routes_come_from_the_files(project: Path) -> None:
    assert offered("rollback", "re-arm", "/api") == ["/api/v1/example"]


def test_open_incidents_are_offered_by_id_and_by_route(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_completion, "_open", lambda _: [{"id": "inc-7", "route": "/api/v1/chat"}])
    assert offered("ack", "") == ["inc-7", "/api/v1/chat"]
    assert offered("ack", "inc") == ["inc-7"]
    assert offered("silence", "/api") == ["/api/v1/chat", "/api/v1/example"]


@pytest.mark.parametrize("verb", [("ack",), ("silence",), ("rollback", "show"), ("rollback", "re-arm")])
def test_without_files_nothing_is_offered_and_nothing_is_said(
    verb: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert offered(*verb, "") == []
    assert capsys.readouterr() == ("", "")


def test_with_files_that_are_wrong_nothing_is_said_either(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    project.joinpath("figwatch.yaml").write_text("nonsense: [", "utf-8")
    assert offered("ack", "") == []
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_of_each_shell_names_figwatch(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["completion", shell]) == 0
    said = capsys.readouterr().out
    assert "figwatch" in said
    assert completion.VARIABLE in said


def test_bash_completes_a_verb(project: Path) -> None:
    bash = shutil.which("bash")
    if bash is None:
        not_here("bash")
    script = (
        'eval "$(figwatch completion bash)";'
        "COMP_WORDS=(figwatch rollback re-arm /api); COMP_CWORD=3; _figwatch_completion figwatch;"
        'echo "${COMPREPLY[@]}"'
    )
    program = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{program}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        [bash, "-c", script], cwd=project, env=environment, capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("/api/v1/example\n", "")
