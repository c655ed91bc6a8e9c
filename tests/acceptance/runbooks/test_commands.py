"""Every command of every runbook is run, on the demo with an incident open, so that none can rot."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from figwatch_agent.demo.fault import Kind
from support.parts import ROOT
from support.running_demo import ROUTE, RunningDemo, running_demo

FENCED: Final = re.compile(r"^ *```\w*\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
SPANNED: Final = re.compile(r"`(figwatch [^`]+)`")
WRITTEN_FOR: Final = "http://127.0.0.1:9464"
"""Where an agent listens unless told otherwise."""

STAND_INS: Final = {"RECEIVER": "oncall", "NAME": "chat-uptime", "ROUTE": ROUTE}
ORDER: Final = ("figwatch rollback approve", "figwatch rollback re-arm")
"""What changes the incident comes last, in this order; all else may be said at any time."""


class Written(NamedTuple):
    """A command and where it stands."""

    runbook: str
    command: str


def commands_of(name: str, text: str) -> Iterator[Written]:
    """The lines of fenced blocks, and what is written as a command in a sentence."""
    for block in FENCED.findall(text):
        yield from (Written(name, line.strip()) for line in block.splitlines() if line.strip())
    for span in SPANNED.findall(FENCED.sub("", text)):
        yield Written(name, " ".join(span.split()))


def written() -> list[Written]:
    """All commands of all runbooks."""
    pages = [page for page in sorted(ROOT.joinpath("runbooks").glob("*.md")) if page.name != "README.md"]
    return [one for page in pages for one in commands_of(page.stem, page.read_text("utf-8"))]


def in_order(commands: Iterable[str]) -> list[str]:
    """Each once, those that only look first."""

    def place(command: str) -> int:
        return next((index for index, begin in enumerate(ORDER, 1) if command.startswith(begin)), 0)

    return sorted(dict.fromkeys(commands), key=place)


def test_every_runbook_has_a_command_and_only_known_programs() -> None:
    found = written()
    pages = {page.stem for page in ROOT.joinpath("runbooks").glob("*.md")} - {"README"}
    assert {one.runbook for one in found} == pages
    assert {one.command.split()[0] for one in found} <= {"figwatch", "curl"}


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_every_command_works_while_an_incident_is_open(tmp_path: Path) -> None:
    async with running_demo(tmp_path, mode="approve") as demo:
        await demo.fault(Kind.ERRORS)
        awaiting = await demo.incident(lambda one: (one["decision"] or {}).get("reason") == "awaiting_approval")
        failed: list[str] = []
        for command in in_order(one.command for one in written()):
            code, said = await typed(demo, concrete(command, awaiting["id"], demo.url))
            if code or not said.strip():
                failed.append(f"{command}: exit {code}\n{said}")
            elif command.startswith("figwatch rollback approve"):
                await demo.incident(lambda one: one["rollback"] is not None and one["rollback"]["state"] == "done")
        assert not failed, "\n".join(failed)


def concrete(command: str, incident: str, url: str) -> str:
    """The command with real names in the place of those that stand for them."""
    told = command.replace(WRITTEN_FOR, url)
    for word, real in (STAND_INS | {"ID": incident}).items():
        told = re.sub(rf"(?<= ){word}(?= |$)", real, told)
    return told


async def typed(demo: RunningDemo, command: str) -> tuple[int, str]:
    """Type it into a shell that stands in the folder of figwatch.yaml."""
    environment = demo.environment
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    process = await asyncio.create_subprocess_shell(
        command,
        cwd=demo.folder,
        env=environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await asyncio.wait_for(process.communicate(), 30)
    return process.returncode or 0, said.decode("utf-8", "replace")
