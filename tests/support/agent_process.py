"""The real agent as a process, quickly started: ``figwatch run`` on files as a user writes them.

What runs is ``figwatch_agent.cli.main`` with real SQLite and real sockets, forked from a program that has it loaded
(``support.agent_child``); what it changes outside and what it commits can be made the last thing it does.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager, closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import aiohttp

from figwatch_agent.durations import Instant
from figwatch_agent.model.command import Command, CommandKind
from figwatch_agent.model.incident import Incident
from figwatch_agent.model.journal import Delivery, RollbackRecord
from figwatch_agent.model.outcome import Transition
from figwatch_agent.store.writer import InboxWriter, open_inbox
from support.fake_gateway import ROUTE, FakeGateway
from support.pager import ROUTING_KEY, RunningPager

T = TypeVar("T")

ROOT: Final = Path(__file__).resolve().parents[2]
ROOTS: Final = ("instrumentation", "agent", "tests")
KILLED: Final = -signal.SIGKILL
READY_WITHIN: Final = 30.0
STOP_WITHIN: Final = 10.0


@dataclass(slots=True)
class AgentProcess:
    """One life of an agent."""

    pid: int
    ended: asyncio.Future[int]  # exit code, negative for a signal
    log: Path
    points: Path

    @property
    def running(self) -> bool:
        return not self.ended.done()

    @property
    def killed(self) -> bool:
        """Whether it ended by SIGKILL."""
        return self.ended.done() and self.ended.result() == KILLED

    @property
    def url(self) -> str:
        """Where it said that it listens; empty while it has not."""
        found = _LISTENS.search(self.log.read_text("utf-8")) if self.log.exists() else None
        return found[0] if found else ""

    def passed(self) -> list[str]:
        """Names of the points of this life, the last one being where it was killed, if it was."""
        if not self.points.exists():
            return []
        return self.points.read_text("utf-8").splitlines()

    async def end(self, within: float = STOP_WITHIN) -> int:
        """Wait for its end and return the exit code."""
        async with asyncio.timeout(within):
            return await asyncio.shield(self.ended)

    async def stop(self, number: int = signal.SIGTERM) -> int:
        """Ask it to stop and return the exit code; SIGKILL where it does not."""
        self._send(number)
        with suppress(TimeoutError):
            return await self.end()
        self._send(signal.SIGKILL)
        return await self.end()

    def _send(self, number: int) -> None:
        with suppress(ProcessLookupError):
            if self.running:
                os.kill(self.pid, number)


class Nursery:
    """Starts agents; every one that still runs dies with it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._born: dict[str, asyncio.Future[int]] = {}
        self._ended: dict[str, asyncio.Future[int]] = {}
        self._number = 0

    async def start(
        self,
        folder: Path,
        *arguments: str,
        kill: int | str | None = None,
        counted: bool = False,
        wall: Path | None = None,
        full: Path | None = None,
        env: dict[str, str] | None = None,
    ) -> AgentProcess:
        """``figwatch ARGUMENTS`` in a folder; it dies at point ``kill``, where that is given.

        The file ``wall`` says by how many milliseconds its wall clock is off; while ``full`` exists its disk is full.
        """
        self._number += 1
        name = str(self._number)
        log, points = folder / f"agent-{name}.log", folder / f"points-{name}"
        loop = asyncio.get_running_loop()
        self._born[name], self._ended[name] = loop.create_future(), loop.create_future()
        order = {
            "id": name,
            "argv": arguments,
            "folder": str(folder),
            "env": env or {},
            "log": str(log),
            "points": str(points) if counted or kill is not None else "",
            "kill": kill,
            "wall": str(wall) if wall is not None else "",
            "full": str(full) if full is not None else "",
        }
        stdin = self._process.stdin
        assert stdin is not None
        stdin.write((json.dumps(order) + "\n").encode())
        await stdin.drain()
        async with asyncio.timeout(READY_WITHIN):
            pid = await self._born[name]
        return AgentProcess(pid=pid, ended=self._ended[name], log=log, points=points)

    async def listen(self) -> None:
        """Take in what the program reports, until it ends."""
        stdout = self._process.stdout
        assert stdout is not None
        while line := await stdout.readline():
            told: dict[str, Any] = json.loads(line)
            if "pid" in told:
                self._bear(self._born[told["id"]], told["pid"])
            elif "status" in told:
                self._ended[told["id"]].set_result(told["status"])

    def _bear(self, born: asyncio.Future[int], pid: int) -> None:
        if born.done():  # nobody waits for it any more
            os.kill(pid, signal.SIGKILL)
        else:
            born.set_result(pid)


@asynccontextmanager
async def nursery(folder: Path) -> AsyncIterator[Nursery]:
    """A program that starts agents, for as long as the block lasts."""
    with (folder / "nursery.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "support.agent_child",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(str(ROOT / part) for part in ROOTS)},
        )
    made = Nursery(process)
    assert process.stdout is not None
    async with asyncio.timeout(READY_WITHIN):
        assert await process.stdout.readline(), (folder / "nursery.log").read_text("utf-8")
    listening = asyncio.create_task(made.listen())
    try:
        yield made
    finally:
        assert process.stdin is not None
        process.stdin.close()
        try:
            async with asyncio.timeout(STOP_WITHIN):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
        listening.cancel()


@dataclass(slots=True, kw_only=True)
class Home:
    """A folder with the files of one agent, and what can be read of its state from outside."""

    folder: Path
    gateway: FakeGateway
    pager: RunningPager
    port: int = 0  # 0: whichever is free; the agent says where it listens
    mode: str = "auto"
    interval: str = "100ms"
    timeout: str = "90ms"
    hold: str = "400ms"
    verify_within: str = "20s"
    steps: tuple[str, ...] = ("redirect", "flush")
    receivers: tuple[str, ...] = ("oncall",)
    fallback: bool = False
    token: str = ""  # of somebody who may act from pages; "": nobody may

    @property
    def state(self) -> Path:
        return self.folder / "figwatch.db"

    @property
    def kill_switch(self) -> Path:
        return self.folder / "no-rollbacks"

    def write(self) -> None:
        """figwatch.yaml and slo/chat.yaml."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "slo").mkdir(exist_ok=True)
        (self.folder / "slo" / "chat.yaml").write_text(_PROMISES, "utf-8")
        (self.folder / "figwatch.yaml").write_text(self._settings(), "utf-8")

    async def run(self, nursery: Nursery, *arguments: str, **named: Any) -> AgentProcess:
        """Start ``figwatch run`` here."""
        env = {"ROUTING_KEY": ROUTING_KEY, "SLACK_URL": self.pager.slack, "HOOK_SECRET": "s3cret"}
        env |= {"TEAM_TOKEN": self.token} if self.token else {}
        return await nursery.start(self.folder, "run", *arguments, env=env, **named)

    def inbox(self) -> AbstractContextManager[InboxWriter]:
        """The way in beside the agent, as the command line uses it."""
        return open_inbox(self.state)

    def incidents(self) -> tuple[Incident, ...]:
        return self._read(lambda inbox: inbox.incidents())

    def rollbacks(self) -> tuple[RollbackRecord, ...]:
        return self._read(lambda inbox: inbox.rollbacks())

    def deliveries(self) -> tuple[Delivery, ...]:
        return self._read(lambda inbox: inbox.deliveries())

    def last_tick(self) -> Instant:
        """When the newest committed tick was."""
        with closing(sqlite3.connect(f"{self.state.as_uri()}?mode=ro", uri=True, timeout=5)) as connection:
            (at,) = connection.execute("SELECT at FROM progress").fetchone()
        return int(at)

    def transitions(self) -> tuple[Transition, ...]:
        return self._read(lambda inbox: inbox.transitions(5000))

    def rearm(self, identity: str) -> None:
        """A person says that the route may be rolled back again."""
        with self.inbox() as inbox:
            inbox.put(Command(id=identity, at=0, kind=CommandKind.REARM, subject=ROUTE, actor="test", origin="test"))

    def quiet(self) -> bool:
        """Whether everything that was told has ended, and the loop has heard of it."""
        if not self.state.exists():
            return False
        with closing(sqlite3.connect(f"{self.state.as_uri()}?mode=ro", uri=True, timeout=5)) as connection:
            try:
                (waiting,) = connection.execute(_UNFINISHED).fetchone()
            except sqlite3.OperationalError:
                return False  # no tables yet
        return not waiting

    async def ready(self, process: AgentProcess, within: float = 15.0) -> None:
        """Wait until the agent says that it is well."""
        deadline = asyncio.get_running_loop().time() + within
        async with aiohttp.ClientSession() as session:
            while True:
                assert process.running, process.log.read_text("utf-8")
                with suppress(aiohttp.ClientError, TimeoutError, ValueError):
                    async with session.get(f"{process.url}/readyz", timeout=aiohttp.ClientTimeout(total=2)) as answer:
                        if answer.status == 200:
                            return
                assert asyncio.get_running_loop().time() < deadline, process.log.read_text("utf-8")
                await asyncio.sleep(0.02)

    def _read(self, what: Callable[[InboxWriter], tuple[T, ...]]) -> tuple[T, ...]:
        if not self.state.exists():
            return ()
        with self.inbox() as inbox:
            return what(inbox)

    def _settings(self) -> str:
        gateway = self.gateway.url
        return _SETTINGS.format(
            gateway=gateway,
            interval=self.interval,
            timeout=self.timeout,
            hold=self.hold,
            receivers="\n".join(self._receiver(name) for name in self.receivers),
            mode=self.mode,
            switch=self.kill_switch,
            steps="\n".join(_STEPS[step].format(gateway=gateway) for step in self.steps),
            port=self.port,
            tokens="\n  tokens: [{name: team, token: {env: TEAM_TOKEN}}]" if self.token else "",
            within=self.verify_within,
        )

    def _receiver(self, name: str) -> str:
        fallback = ", fallback: chat-ops" if self.fallback and name == "oncall" else ""
        return _RECEIVERS[name].format(pager=self.pager.url, fallback=fallback)


_LISTENS: Final = re.compile(r"http://127\.0\.0\.1:\d+")

_UNFINISHED: Final = """
    SELECT (SELECT count(*) FROM effect WHERE consumed = 0)
         + (SELECT count(*) FROM outbox WHERE state IN ('pending', 'sending'))"""

_PROMISES: Final = f"""\
version: 1
migration: ai-assistant
service: chat
window: 30d
routes:
  - {{route: {ROUTE}, stage: canary, rollback: chat-to-legacy}}
slos:
  - {{name: chat-availability, sli: {{kind: availability}}, objective: 99.9%}}
"""

_SETTINGS: Final = """\
source: {{scrape: {{interval: {interval}, timeout: {timeout}, targets: ["{gateway}/metrics"]}}}}
state: {{sqlite: figwatch.db}}
alerting: {{hold: {hold}}}
receivers:
{receivers}
rollback:
  mode: {mode}
  kill_switch: {switch}
  plans:
    chat-to-legacy:
      data: stateless
      legacy: {{probe: "{gateway}/healthz", capacity: 5000/s}}
      gateway: {{read: "{gateway}/routes/one", fields: [service_share, revision]}}
      steps:
{steps}
      verify: {{slo: chat-availability, within: {within}}}
web:
  listen: 127.0.0.1:{port}{tokens}
"""

_STEPS: Final = {
    "redirect": """\
        - {{id: redirect, repeat: idempotent, http: {{post: "{gateway}/routes", json: {{to: legacy}}}}}}""",
    "flush": """\
        - {{id: flush, repeat: once, http: {{post: "{gateway}/flush", json: {{}}}}}}""",
}

_RECEIVERS: Final = {
    "oncall": """\
  - {{name: oncall, pagerduty: {{routing_key: {{env: ROUTING_KEY}}, url: "{pager}/v2/enqueue"}}{fallback}}}""",
    "chat-ops": """\
  - {{name: chat-ops, slack: {{webhook_url: {{env: SLACK_URL}}}}{fallback}}}""",
    "audit": """\
  - {{name: audit, webhook: {{url: "{pager}/hook", secret: {{env: HOOK_SECRET}}}}{fallback}}}""",
}
