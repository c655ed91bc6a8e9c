"""An agent's server over an engine of support.world: in this loop, or in a thread with files for verbs."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from figwatch_agent.clock import ManualClock
from figwatch_agent.durations import SECOND
from figwatch_agent.errors import StoreUnavailable
from figwatch_agent.model.agent import AgentFacts, FileDigest, Queue, Reload, StoreFacts
from figwatch_agent.model.audit import AuditNote
from figwatch_agent.model.command import Command
from figwatch_agent.model.plan import RollbackPlan
from figwatch_agent.ports import Store
from figwatch_agent.report.redaction import Redaction
from figwatch_agent.report.status import status_document
from figwatch_agent.store.memory import MemoryStore
from figwatch_agent.store.sqlite import SqliteStore
from figwatch_agent.telemetry import Telemetry
from figwatch_agent.web.caps import Cap, Caps
from figwatch_agent.web.deps import Gate
from figwatch_agent.web.publisher import Latest
from figwatch_agent.web.server import Deps, make_app
from support.world import CHAT, START, World

OPERATE = "correct-horse-battery"
VIEW = "may-only-look"
TOKENS = (("team", OPERATE, "operate"), ("wall", VIEW, "view"))
DEADLINE = 10.0
"""Seconds for a thread to come up or go down."""

UNCAPPED = Caps(
    requests=Cap(burst=10**9, every=1), changes=Cap(burst=10**9, every=1), failures=Cap(burst=10**9, every=1)
)
"""The clock of a test stands still, and so would every cap."""

Client = TestClient[web.Request, web.Application]


class GoneStore(MemoryStore):
    """A store whose disk is full."""

    async def put(self, command: Command) -> None:
        """Cannot."""
        raise StoreUnavailable("disk full")

    async def note(self, note: AuditNote) -> None:
        """Cannot."""
        raise StoreUnavailable("disk full")


@dataclass(kw_only=True)
class Site:
    """What stands behind the server."""

    world: World = field(default_factory=World)
    store: Store = field(default_factory=MemoryStore)
    latest: Latest = field(default_factory=Latest)
    telemetry: Telemetry = field(default_factory=Telemetry)
    clock: ManualClock = field(default_factory=lambda: ManualClock(START))
    committed: int = 0  # Outcomes of the world that the store has
    healthy: dict[str, bool] = field(default_factory=lambda: {"loop": True, "store": True, "outbox": True})
    runbooks: Mapping[str, str] = field(default_factory=dict)
    gate: Gate = field(default_factory=lambda: Gate(caps=UNCAPPED))
    plans: Mapping[str, tuple[str, RollbackPlan]] = field(default_factory=dict)
    redaction: Redaction = field(default_factory=Redaction)

    def app(self, tokens: Sequence[tuple[str, str, str]] = TOKENS) -> web.Application:
        """The application on these parts."""
        return make_app(self.deps(tokens))

    def deps(self, tokens: Sequence[tuple[str, str, str]] = TOKENS) -> Deps:
        """These parts, as the server wants them."""
        ids, secrets = itertools.count(1), itertools.count(1)
        return Deps(
            publisher=self.latest,
            inbox=self.store,
            outbox=self.store,
            journal=self.store,
            past=self.world.engine,
            facts=self.facts,
            history=self.store.transitions,
            telemetry=self.telemetry,
            healthy=lambda: self.healthy,
            tokens=tokens,
            clock=self.clock,
            new_id=lambda: f"new-{next(ids)}",
            document=status_document,
            audit=self.store,
            new_secret=lambda: f"secret-{next(secrets)}",
            runbooks=self.runbooks,
            gate=self.gate,
            plans=self.plans,
            redaction=self.redaction,
        )

    async def facts(self) -> AgentFacts:
        """The agent about itself; a test that is about them changes what it says with ``dataclasses.replace``."""
        now = self.clock.now()
        return AgentFacts(
            at=now,
            version="0.0.0",
            started_at=START,
            healthy=self.healthy,
            store=StoreFacts(path="/var/lib/figwatch/figwatch.db", healthy=True, bytes=4096, schema=1, last_commit=now),
            queues=(Queue(receiver="oncall", state="pending", rows=1),),
            oldest_pending=START,
            interval=SECOND,
            last_tick=3,
            kill_switch=False,
            reload=Reload(at=START, ok=False, reason="/etc/figwatch/figwatch.yaml:3: unknown key"),
            files=(FileDigest(path="/etc/figwatch/figwatch.yaml", sha256="0" * 64),),
            faults={"http://gateway/metrics": "refused"},
        )

    async def commit(self) -> None:
        """Give the store every Outcome of the world that it has not, and show the newest view."""
        for outcome in self.world.outcomes[self.committed :]:
            await self.store.commit(outcome)
        self.committed = len(self.world.outcomes)
        self.latest.publish(self.world.engine.view(self.world.now))


@asynccontextmanager
async def serving(site: Site, tokens: Sequence[tuple[str, str, str]] = TOKENS) -> AsyncIterator[Client]:
    """A client of the site on a free loopback port."""
    async with TestClient(TestServer(site.app(tokens), access_log=None)) as client:
        yield client


def bearer(token: str = OPERATE, **more: str) -> Mapping[str, str]:
    """Headers of a request that wants to change something."""
    return {"Authorization": f"Bearer {token}", **more}


SLO = """version: 1
migration: ai-assistant
service: chat
window: 30d
routes:
  - {route: /api/v1/chat, stage: canary}
slos:
  - {name: chat-availability, sli: {kind: availability}, objective: 99.9%}
"""


def write_files(folder: Path, port: int, *, token: bool = True, receivers: str = "") -> str:
    """figwatch.yaml and slo/ for verbs; the token is read from the file ``token``."""
    (folder / "slo").mkdir(exist_ok=True)
    (folder / "slo" / "chat.yaml").write_text(SLO, "utf-8")
    (folder / "token").write_text(OPERATE, "utf-8")
    tokens = f", tokens: [{{name: team, token: {{file: {folder}/token}}}}]" if token else ""
    config = folder / "figwatch.yaml"
    config.write_text(
        'source: {scrape: {interval: 1s, targets: ["http://127.0.0.1:1/metrics"]}}\n'
        f"state: {{sqlite: {folder}/figwatch.db}}\n"
        f"{'receivers: ' + receivers if receivers else ''}\n"
        f'web: {{listen: "127.0.0.1:{port}"{tokens}}}\n',
        "utf-8",
    )
    return str(config)


@contextmanager
def live_agent(folder: Path, world: World, *, token: bool = True) -> Iterator[str]:
    """An agent in a thread that decides on wishes as they come; gives the path of its figwatch.yaml."""
    agent = _Agent(folder, world)
    thread = threading.Thread(target=agent.main, daemon=True)
    thread.start()
    try:
        if not agent.up.wait(DEADLINE) or agent.port == 0:
            raise RuntimeError("the agent of the test did not come up")
        yield write_files(folder, agent.port, token=token)
    finally:
        agent.stop.set()
        thread.join(DEADLINE)


class _Agent:
    def __init__(self, folder: Path, world: World) -> None:
        self._folder = folder
        self._world = world
        self.up = threading.Event()
        self.stop = threading.Event()
        self.port = 0

    def main(self) -> None:
        try:
            asyncio.run(self._run())
        finally:
            self.up.set()

    async def _run(self) -> None:
        store = SqliteStore(self._folder / "figwatch.db")
        await store.open()
        site = Site(world=self._world, store=store)
        await site.commit()
        runner = web.AppRunner(site.app(), access_log=None, shutdown_timeout=0.2)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            self.port = runner.addresses[0][1]
            self.up.set()
            await self._decide(site)
        finally:
            await runner.cleanup()
            await store.close()

    async def _decide(self, site: Site) -> None:
        while not self.stop.is_set():
            commands, _ = await site.store.waiting()
            if commands:
                self._world.tick(commands=commands)
                await site.commit()
            await asyncio.sleep(0.02)


def failing_world(**conf: object) -> World:
    """A world in which half of the chat service's requests fail, so that an incident is open."""
    world = World(**conf)  # type: ignore[arg-type]  # tests name real parameters
    world.both(30)
    world.both(8, service_bad=20)
    return world


__all__ = ["CHAT", "OPERATE", "TOKENS", "VIEW", "Client", "Site", "bearer", "failing_world", "live_agent", "serving"]
