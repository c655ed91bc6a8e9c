"""What ships outside of the package: its files, read, and the programs that validate them."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import click
import yaml

from figwatch_agent import cli
from support.parts import ROOT

COMPOSE: Final = ROOT / "deploy/compose/compose.yaml"
DOCKERFILE: Final = ROOT / "deploy/Dockerfile"
UNIT: Final = ROOT / "deploy/systemd/figwatch.service"
ACTION: Final = ROOT / "action.yml"
HOOKS: Final = ROOT / ".pre-commit-hooks.yaml"
WORKFLOWS: Final = tuple(sorted((ROOT / ".github/workflows").glob("*.yml")))


def read_yaml(path: Path) -> Any:
    """A YAML document, as whoever it is for reads it."""
    return yaml.safe_load(path.read_text("utf-8"))


def tool(name: str) -> Path:
    """A validator of the dev extra."""
    return Path(sys.executable).with_name(name)


def says(*command: str | Path, cwd: Path = ROOT) -> tuple[int, str]:
    """Exit code and all that a program says."""
    done = subprocess.run(
        [str(word) for word in command], cwd=cwd, capture_output=True, text=True, timeout=60, check=False
    )
    return done.returncode, done.stdout + done.stderr


def instructions() -> list[tuple[str, str]]:
    """(word, rest) of each instruction of the Dockerfile, continued lines joined."""
    text = re.sub(r"^#.*\n", "", DOCKERFILE.read_text("utf-8"), flags=re.MULTILINE).replace("\\\n", " ")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in lines)]


def instruction(word: str) -> list[str]:
    """What follows each instruction of that word."""
    return [rest for each, rest in instructions() if each == word]


def unit() -> list[tuple[str, str]]:
    """(key, value) of each line of the systemd unit."""
    lines = [line for line in UNIT.read_text("utf-8").splitlines() if line and line[0] not in "#["]
    return [(key, value) for key, _, value in (line.partition("=") for line in lines)]


def services() -> dict[str, Any]:
    """The services of the compose file, YAML's merges done."""
    found: dict[str, Any] = read_yaml(COMPOSE)["services"]
    return found


def command_options(verb: str) -> set[str]:
    """Options of a verb of the command line. Raises KeyError where there is no such verb."""
    command = import_module(cli.VERBS[verb].module).command
    assert isinstance(command, click.Command)
    return {option for parameter in command.params for option in parameter.opts if option.startswith("--")}


def figwatch_calls(text: str) -> Iterator[tuple[str, set[str]]]:
    """(verb, options) of each call of figwatch in a script, continued lines joined."""
    for line in text.replace("\\\n", " ").splitlines():
        found = re.match(r"\s*(?:if )?figwatch ([a-z]+) (.*)", line)
        if found:
            yield found[1], set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", found[2]))


def words(command: str) -> list[str]:
    """An exec form (JSON) or a shell line as words."""
    return [str(word) for word in json.loads(command)] if command.startswith("[") else shlex.split(command)
