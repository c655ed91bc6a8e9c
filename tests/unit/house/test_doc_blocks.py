"""What stands in code blocks is true: commands exist with their options, files pass the check, Python compiles."""

from __future__ import annotations

import ast
import json
import re
import shlex
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Final, NamedTuple

import click
import pytest
import yaml

from figwatch_agent import cli
from figwatch_agent.files.load import inspect_paths
from support.parts import ROOT

BLOCK: Final = re.compile(
    r"^(?P<indent> *)```(?P<language>\w*)\n(?P<text>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL
)
SHELLS: Final = {"sh", "bash", "shell", "console"}
PROGRAMS: Final = {
    "curl",
    "eval",
    "figwatch",
    "gunicorn",
    "kill",
    "make",
    "pip",
    "python",
    "sqlite3",
    "uvicorn",
    "export",
    "docker",
}
"""What people are told to type. A new one is a decision."""


class Block(NamedTuple):
    """A fenced block and where it stands."""

    page: str
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def blocks() -> Iterator[Block]:
    """All of README, CONTRIBUTING and docs/."""
    for page in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(ROOT.joinpath("docs").glob("*.md"))):
        text = page.read_text("utf-8")
        for found in BLOCK.finditer(text):
            indent, line = len(found["indent"]), text.count("\n", 0, found.start()) + 1
            body = "".join(each[indent:] for each in found["text"].splitlines(keepends=True))
            yield Block(page.relative_to(ROOT).as_posix(), line, found["language"], body)


ALL: Final = list(blocks())


def of(*languages: str) -> list[Block]:
    return [block for block in ALL if block.language in languages]


def lines(block: Block) -> Iterator[list[str]]:
    """What is typed, as words; comments, continued lines and outputs are dealt with."""
    for line in block.text.replace("\\\n", " ").splitlines():
        words = shlex.split(line.removeprefix("$ "), comments=True)
        while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
            del words[0]  # a variable for this command alone
        if words:
            yield words


@pytest.mark.parametrize("block", of(*SHELLS), ids=str)
def test_commands_that_are_shown_exist_with_their_options(block: Block) -> None:
    for words in lines(block):
        assert words[0] in PROGRAMS, f"{block}: {words[0]}"
        if words[0] == "figwatch":
            understood(words[1:], str(block))


def understood(words: list[str], where: str) -> None:
    """Whether the command line would take these words; nothing is carried out."""
    assert words[:1] == ["--version"] or words[0] in cli.VERBS, f"{where}: figwatch {words[0]}"
    if words[0] not in cli.VERBS:
        return
    command: click.Command = import_module(cli.VERBS[words[0]].module).command
    rest = [word for word in words[1:] if word not in (">", "|")]
    while isinstance(command, click.Group) and rest:
        below = command.commands.get(rest.pop(0))
        assert below is not None, f"{where}: {' '.join(words)}"
        command = below
    known = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    wrong = [word for word in rest if word.startswith("-") and word.partition("=")[0] not in known | {"--help", "-h"}]
    assert not wrong, f"{where}: {' '.join(words)} has no {wrong}"


@pytest.mark.parametrize("block", of("yaml"), ids=str)
def test_files_that_are_shown_are_files_that_pass(block: Block, tmp_path: Path) -> None:
    """Whole files are checked; a part of one must at least be YAML whose keys are known at the top."""
    found = yaml.safe_load(block.text)
    assert isinstance(found, dict | list)
    if isinstance(found, dict) and "version" in found and "service" in found:
        text = block.text
        # A promise alone is checked without the plans of another file.
        tmp_path.joinpath("x.yaml").write_text(text, "utf-8")
        (findings,) = inspect_paths((str(tmp_path / "x.yaml"),))
        assert [each.message for each in findings.problems()] == []


@pytest.mark.parametrize("block", of("python"), ids=str)
def test_python_that_is_shown_compiles_and_uses_names_that_exist(block: Block) -> None:
    tree = ast.parse(block.text)
    library = import_module("figwatch")
    used = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "figwatch"
    }
    modules = {"testing", "gateway", "contract", "client"}
    assert used - set(library.__all__) - modules == set(), str(block)


def test_json_that_is_shown_is_json() -> None:
    for block in of("json"):
        json.loads(block.text)


def test_blocks_are_found_at_all() -> None:
    assert {"sh", "yaml", "python"} <= {block.language for block in ALL}
