"""The box around the demo's processes: starts them, knows their ports and logs, and leaves none behind."""

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

import figwatch.contract
import figwatch_agent
from figwatch_agent.demo.child import LOOPBACK
from figwatch_agent.durations import SECOND, Duration, format_duration
from figwatch_agent.errors import FigwatchError

READY_WITHIN: Final[Duration] = 20 * SECOND
"""A busy two-core machine needs two or three seconds to start ten interpreters at once."""
STOP_WITHIN: Final[Duration] = 3 * SECOND
LOG_TAIL: Final = 2000
"""Characters of a log shown when its process fails."""


class PartFailed(FigwatchError):
    """A process of the demo did not start or ended early; its log says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """A process in the box."""

    name: str
    process: asyncio.subprocess.Process
    log: Path
    port: int = 0  # 0 where the process announces none

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def url(self) -> str:
        """Where it listens, without a path."""
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def running(self) -> bool:
        return self.process.returncode is None

    def log_tail(self) -> str:
        """The last lines that the process wrote, for a person."""
        return self.log.read_text(encoding="utf-8", errors="replace")[-LOG_TAIL:]


class Box:
    """Processes that live as long as the ``async with`` block, or as long as this process if that is shorter.

    Each child has a session of its own, so that Ctrl-C reaches the parent alone, which then stops them; and each holds
    the end of a pipe from this process, so that a parent killed with -9 takes them along.
    """

    def __init__(
        self, folder: Path, *, ready_within: Duration = READY_WITHIN, stop_within: Duration = STOP_WITHIN
    ) -> None:
        self._folder = folder
        self._ready_within = ready_within
        self._stop_within = stop_within
        self._children: list[Child] = []

    async def __aenter__(self) -> "Box":
        self._folder.mkdir(parents=True, exist_ok=True)
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.gather(*(self.stop(child) for child in reversed(self._children)))

    @property
    def children(self) -> tuple[Child, ...]:
        """Everything started so far, in order, ended ones included."""
        return tuple(self._children)

    async def start(self, part: str, *arguments: str, name: str = "", env: Mapping[str, str] | None = None) -> Child:
        """Start ``figwatch_agent.demo.<part>`` and wait until it says where it listens.

        Raises PartFailed, with the end of its log, if it does not do so in time.
        """
        name = name or part
        command = ("-m", f"figwatch_agent.demo.{part}", *arguments)
        with self._log(name).open("ab") as log:
            process = await self._spawn(command, env, log, stdout=asyncio.subprocess.PIPE)
        child = Child(name=name, process=process, log=self._log(name))
        self._children.append(child)
        port = await self._announced_port(child)
        self._children.remove(child)
        child = Child(name=name, process=process, log=child.log, port=port)
        self._children.append(child)
        return child

    async def launch(self, module: str, *arguments: str, name: str, env: Mapping[str, str] | None = None) -> Child:
        """Start any module on a leash, such as ``figwatch_agent`` with ``run``; all its output goes to its log."""
        command = ("-m", "figwatch_agent.demo.leash", module, *arguments)
        with self._log(name).open("ab") as log:
            process = await self._spawn(command, env, log, stdout=log)
        child = Child(name=name, process=process, log=self._log(name))
        self._children.append(child)
        return child

    async def stop(self, child: Child) -> None:
        """SIGTERM, then SIGKILL when the time is up; returns when the process is gone."""
        process = child.process
        if process.stdin is not None:
            process.stdin.close()
        with suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(self._stop_within / SECOND):
                await process.wait()
        except TimeoutError:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    def _log(self, name: str) -> Path:
        return self._folder / f"{name}.log"

    async def _spawn(
        self, command: tuple[str, ...], env: Mapping[str, str] | None, log: IO[bytes], stdout: int | IO[bytes]
    ) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=stdout,
            stderr=log,
            env={**os.environ, **(env or {}), "PYTHONPATH": _import_path()},
            start_new_session=True,
        )

    async def _announced_port(self, child: Child) -> int:
        line = b""
        if child.process.stdout is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._ready_within / SECOND):
                    line = await child.process.stdout.readline()
        try:
            return int(json.loads(line)["port"])
        except (ValueError, KeyError, TypeError) as wrong:
            await self.stop(child)
            within = format_duration(self._ready_within)
            complaint = (
                f"{child.name} ended, or did not say within {within} where it listens; its log {child.log} ends:"
            )
            raise PartFailed(f"{complaint}\n{child.log_tail()}") from wrong


def _import_path() -> str:
    """Children import the very packages that this process imported, installed or not."""
    roots = [Path(str(module.__file__)).resolve().parents[1] for module in (figwatch.contract, figwatch_agent)]
    inherited = os.environ.get("PYTHONPATH")
    return os.pathsep.join([*map(str, roots), *([inherited] if inherited else [])])
