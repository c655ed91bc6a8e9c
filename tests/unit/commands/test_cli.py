"""The table of verbs: help without loading, the nearest verb, and exit codes instead of tracebacks."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import click
import pytest

from figwatch.contract import __version__
from figwatch_agent import cli
from figwatch_agent.errors import AgentUnreachable, FigwatchError, FilesInvalid, NotEnoughData


@pytest.mark.parametrize("verb", cli.VERBS)
def test_every_verb_of_the_table_exists_and_explains_itself(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    command = import_module(cli.VERBS[verb].module).command
    assert isinstance(command, click.Command)
    assert cli.main([verb, "--help"]) == 0
    assert "Usage: figwatch " + verb in capsys.readouterr().out


def leaves(command: click.Command, words: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every verb that does something, with what is typed for it."""
    if isinstance(command, click.Group):
        for name, below in command.commands.items():
            yield from leaves(below, (*words, name))
    else:
        yield words, command


@pytest.mark.parametrize("verb", cli.VERBS)
def test_the_help_of_everything_that_is_done_ends_with_examples_that_can_be_typed(verb: str) -> None:
    for words, command in leaves(import_module(cli.VERBS[verb].module).command, (verb,)):
        _, _, typed = (command.epilog or "").partition("\n  ")
        assert f"figwatch {' '.join(words)}" in typed


def test_every_verb_stands_in_the_table() -> None:
    folder = Path(str(import_module("figwatch_agent.commands").__file__)).parent
    files = {file.stem.rstrip("_") for file in folder.glob("*.py") if not file.stem.startswith("_")}  # import_.py
    assert files == set(cli.VERBS)


def test_help_teaches_and_names_every_verb(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--help"]) == 0
    said = capsys.readouterr().out
    assert all(f"  {verb} " in said for verb in cli.VERBS)
    assert "When paged:" in said


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"figwatch {__version__}\n"


def test_a_mistyped_verb_gets_the_nearest_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["statsu"]) == 2
    assert "did you mean `figwatch status`?" in capsys.readouterr().err


def test_a_verb_that_is_like_no_other_gets_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["xyzzy"]) == 2
    assert "there are demo, init, check" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (FigwatchError("it is so"), 1, "figwatch: it is so\n"),
        (AgentUnreachable(), 1, "figwatch: No agent answers;"),
        (FilesInvalid("slo/x.yaml:1:1: wrong", 1), 3, "slo/x.yaml:1:1: wrong\n"),
        (NotEnoughData("wait"), 5, "figwatch: wait\n"),
        (click.ClickException("no"), 1, "Error: no\n"),
        (click.UsageError("no"), 2, "Error: no\n"),
        (click.Abort(), 1, "figwatch: stopped\n"),
        (KeyboardInterrupt(), 1, "figwatch: stopped\n"),
    ],
)
def test_expected_errors_are_a_message_and_a_code(
    error: BaseException, code: int, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    @click.command()
    def command() -> None:
        raise error

    monkeypatch.setattr(cli.Table, "get_command", lambda *_: command)
    assert cli.main(["status"]) == code
    assert said in capsys.readouterr().err


def test_the_code_that_a_verb_ends_with_is_the_code_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    @click.command()
    @click.pass_context
    def command(context: click.Context) -> None:
        context.exit(4)

    monkeypatch.setattr(cli.Table, "get_command", lambda *_: command)
    assert cli.main(["status"]) == 4


def test_help_loads_no_verb_and_nothing_heavy() -> None:
    program = (
        "import sys; from figwatch_agent.cli import main; main(['--help']);"
        "heavy = {'numpy', 'aiohttp', 'rich', 'pydantic', 'yaml'} & set(sys.modules);"
        "verbs = [name for name in sys.modules if name.startswith('figwatch_agent.commands.')];"
        "sys.exit(f'{heavy} {verbs}' if heavy or verbs else 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_no_color_is_obeyed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    seen: list[bool | None] = []

    @click.command()
    @click.pass_context
    def command(context: click.Context) -> None:
        seen.append(context.color)

    monkeypatch.setattr(cli.Table, "get_command", lambda *_: command)
    monkeypatch.setenv("NO_COLOR", "1")
    cli.main(["status"])
    assert seen == [False]
