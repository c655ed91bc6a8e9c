"""From settings to concrete classes: the one place that knows which they are."""

import asyncio
import contextlib
import hashlib
import os
import secrets
import uuid
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random

import aiohttp
from aiohttp import web as http

from figwatch import contract
from figwatch_agent.clock import AnchoredClock, Clock
from figwatch_agent.durations import MINUTE, SECOND, Duration, Instant
from figwatch_agent.engine import Engine
from figwatch_agent.engine.guarding import plan_digest
from figwatch_agent.errors import FigwatchError, StoreError
from figwatch_agent.files.load import Loaded
from figwatch_agent.files.runbooks import read_runbooks
from figwatch_agent.files.secrets import read_secret
from figwatch_agent.loop import Loop
from figwatch_agent.model.agent import AgentFacts, FileDigest, Queue, Reload, StoreFacts
from figwatch_agent.model.journal import DeliveryResult
from figwatch_agent.model.outcome import Saved
from figwatch_agent.model.settings import PrometheusServer, Receiver, Scrape, Settings, Web
from figwatch_agent.notify.build import notifier_for
from figwatch_agent.notify.build import open_session as open_notify_session
from figwatch_agent.notify.emergency import Emergency
from figwatch_agent.notify.heartbeat import Heartbeat
from figwatch_agent.notify.worker import Worker
from figwatch_agent.ports import Audit, Notifier, Source
from figwatch_agent.report.redaction import Redaction
from figwatch_agent.report.status import status_document
from figwatch_agent.rollback.build import probes, steps
from figwatch_agent.rollback.runner import Runner
from figwatch_agent.sources.gateway import read_gateway
from figwatch_agent.sources.prober import HttpProber
from figwatch_agent.sources.questions import questions
from figwatch_agent.sources.recording import Recording
from figwatch_agent.sources.scrape import ScrapeSource
from figwatch_agent.store import schema
from figwatch_agent.store.retention import Retention
from figwatch_agent.store.sqlite import SqliteStore
from figwatch_agent.supervisor import Part
from figwatch_agent.telemetry import Telemetry
from figwatch_agent.web.deps import Deps, Gate
from figwatch_agent.web.listening import listening, tls_context
from figwatch_agent.web.publisher import Latest
from figwatch_agent.web.server import make_app

LEAST_PATIENCE = SECOND // 10
"""A command that is put into the inbox holds the state for a few milliseconds, on a slow disk for some tens."""

MOST_PATIENCE = 5 * SECOND

OUTBOX_LATE = 5 * MINUTE
"""A page that waits longer makes the agent unhealthy: somebody else should know."""


class SourceNotBuilt(FigwatchError):
    """The embedded scrape is the only source in this version; use `source: {scrape: ...}`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """Everything that runs, ready to be supervised."""

    parts: tuple[Part, ...]
    url: str  # where it listens
    clock: Clock
    loop: Loop
    audit: Audit


class Wake:
    """Tells every worker that something was committed."""

    def __init__(self) -> None:
        self._events: list[asyncio.Event] = []

    def event(self) -> asyncio.Event:
        """An event of a worker's own."""
        event = asyncio.Event()
        self._events.append(event)
        return event

    def __call__(self) -> None:
        for event in self._events:
            event.set()


@asynccontextmanager
async def build(
    loaded: Loaded, record: Path | None = None, reloaded: Callable[[], Reload | None] = lambda: None
) -> AsyncIterator[Agent]:
    """The agent of these files. Raises StoreError where the state cannot be opened, SourceNotBuilt.

    ``reloaded`` says when the files were read anew last, and how that went.
    """
    settings = loaded.settings
    async with AsyncExitStack() as stack:
        store = SqliteStore(settings.state, busy_timeout=_patience(settings.interval))
        await store.open()
        stack.push_async_callback(store.close)
        saved = await store.load()
        clock = AnchoredClock(floor=saved.at or 0)
        engine = Engine(loaded.services, settings, saved if saved.sequence else None)
        parts = await _Parts.made(loaded, store, engine, clock, saved, record, reloaded, stack)
        yield parts.agent()


@dataclass(slots=True, kw_only=True)
class _Parts:
    settings: Settings
    store: SqliteStore
    clock: Clock
    loop: Loop
    prober: HttpProber
    emergency: Emergency
    workers: list[Worker]
    runner: Runner
    url: str
    heartbeat: Heartbeat | None
    telemetry: Telemetry
    health: "_Health"

    @classmethod
    async def made(
        cls,
        loaded: Loaded,
        store: SqliteStore,
        engine: Engine,
        clock: Clock,
        saved: Saved,
        record: Path | None,
        reloaded: Callable[[], Reload | None],
        stack: AsyncExitStack,
    ) -> "_Parts":
        settings, telemetry, wake = loaded.settings, Telemetry(), Wake()
        session = await stack.enter_async_context(open_notify_session())
        receivers = [(receiver, notifier_for(receiver, session, read_secret, clock)) for receiver in settings.receivers]
        emergency = Emergency(receivers, clock=clock, random=Random())  # noqa: S311 (jitter, not secrets)
        source = _source(settings, engine.wanted(), clock)
        stack.push_async_callback(source.close)
        prober = HttpProber(questions(loaded.services, settings.rollback.plans), clock, read_secret)
        latest = Latest()
        kill_switch = _kill_switch(settings)
        loop = Loop(
            engine=engine,
            source=source,
            prober=prober,
            store=store,
            last_resort=emergency,
            publisher=latest,
            clock=clock,
            interval=settings.interval,
            kill_switch=kill_switch,
            wake=wake,
            telemetry=telemetry,
            recorder=_recorder(record, saved, stack),
            restarted=saved.sequence > 0,
        )
        health = _Health(loop, store, clock, telemetry)
        about = _About(loaded, store, source, loop, health, clock, kill_switch, reloaded)
        runner = Runner(
            store,
            act=steps(session, read_secret, _inherited()),
            ask=probes(session, read_secret, _inherited()),
            read_gateway=partial(read_gateway, read_secret=read_secret),
            clock=clock,
            kill_switch=kill_switch,
            healthy=lambda: loop.store_healthy,
            wake=wake.event(),
        )
        return cls(
            settings=settings,
            store=store,
            clock=clock,
            loop=loop,
            prober=prober,
            emergency=emergency,
            workers=_workers(receivers, store, emergency, clock, wake, telemetry),
            runner=runner,
            url=await _site(settings, _app(settings, store, latest, engine, about, telemetry, clock), stack),
            heartbeat=_heartbeat(settings, session, health),
            telemetry=telemetry,
            health=health,
        )

    def agent(self) -> Agent:
        parts = [
            Part(name="prober", run=self.prober.run),
            Part(name="loop", run=self.loop.run),
            Part(name="health", run=self.health.run),
            Part(name="emergency", run=self.emergency.run),
            Part(name="runner", run=self.runner.run),
            Part(name="retention", run=Retention(self.store, self.clock, self.settings.keep).run),
            *(Part(name=f"worker {index}", run=worker.run) for index, worker in enumerate(self.workers)),
        ]
        if self.heartbeat is not None:
            parts.append(Part(name="heartbeat", run=self.heartbeat.run))
        return Agent(parts=tuple(parts), url=self.url, clock=self.clock, loop=self.loop, audit=self.store)


class _Health:
    """Loop, store and outbox: the heartbeat is sent only while all three are well."""

    def __init__(self, loop: Loop, store: SqliteStore, clock: Clock, telemetry: Telemetry) -> None:
        self._loop = loop
        self._store = store
        self._clock = clock
        self._telemetry = telemetry
        self._outbox = True

    def parts(self) -> Mapping[str, bool]:
        """Each part and whether it is well."""
        return {"loop": self._loop.alive(), "store": self._loop.store_healthy, "outbox": self._outbox}

    def well(self) -> bool:
        """All of them."""
        return all(self.parts().values())

    async def run(self) -> None:
        """Look at the outbox every few seconds until cancelled."""
        while True:
            await self._look()
            await asyncio.sleep(2)

    async def _look(self) -> None:
        try:
            oldest: Instant | None = await self._store.oldest_pending()
        except StoreError:
            return  # the store's own health says so
        age = 0 if oldest is None else max(self._clock.now() - oldest, 0)
        self._outbox = age < OUTBOX_LATE
        self._telemetry.oldest_pending(age / SECOND)


class _About:
    """What the agent says of itself, when asked."""

    def __init__(
        self,
        loaded: Loaded,
        store: SqliteStore,
        source: Source,
        loop: Loop,
        health: _Health,
        clock: Clock,
        kill_switch: Callable[[], bool],
        reloaded: Callable[[], Reload | None],
    ) -> None:
        self._settings = loaded.settings
        self._store = store
        self._source = source
        self._loop = loop
        self._clock = clock
        self._kill_switch = kill_switch
        self._reloaded = reloaded
        self._began = clock.now()
        self._files = _digests([loaded.settings.path, *(service.path for service in loaded.services)])
        self.healthy = health.parts

    async def facts(self) -> AgentFacts:
        """Now. The figures of a store that cannot be read are left out."""
        queues, oldest = await self._outbox()
        return AgentFacts(
            at=self._clock.now(),
            version=contract.__version__,
            started_at=self._began,
            healthy=self.healthy(),
            store=StoreFacts(
                path=self._settings.state,
                healthy=self._loop.store_healthy,
                bytes=_size(self._settings.state),
                schema=schema.VERSION,
                last_commit=self._loop.last_commit,
            ),
            queues=queues,
            oldest_pending=oldest,
            interval=self._settings.interval,
            last_tick=self._loop.last_took,
            kill_switch=self._kill_switch(),
            reload=self._reloaded(),
            files=self._files,
            faults=self._source.faults if isinstance(self._source, ScrapeSource) else {},
        )

    async def _outbox(self) -> tuple[tuple[Queue, ...], Instant | None]:
        try:
            return await self._store.queues(), await self._store.oldest_pending()
        except StoreError:
            return (), None  # the store's own health says so


def _digests(paths: Sequence[str]) -> tuple[FileDigest, ...]:
    """Of the files as they are now; one that is gone already has none."""
    found: list[FileDigest] = []
    for path in dict.fromkeys(paths):
        with contextlib.suppress(OSError):
            found.append(FileDigest(path=path, sha256=hashlib.sha256(Path(path).read_bytes()).hexdigest()))
    return tuple(found)


def _size(path: str) -> int | None:
    """Bytes of the state with its write-ahead log; None where there is no file."""
    sizes: list[int] = []
    for each in (path, path + "-wal"):
        with contextlib.suppress(OSError):
            sizes.append(os.stat(each).st_size)
    return sum(sizes) if sizes else None


async def _site(settings: Settings, app: http.Application, stack: AsyncExitStack) -> str:
    """The agent's own server, listening; its URL."""
    web = settings.web
    where = f"web.listen in {settings.path}"
    return await stack.enter_async_context(listening(app, web.host, web.port, tls_context(web.tls), where))


def _gate(web: Web) -> Gate:
    outside = web.external_url or ""
    return Gate(
        access=web.access,
        secure=web.tls is not None or outside.startswith("https://"),
        host=web.host,
        external_url=web.external_url,
        trusted_proxies=web.trusted_proxies,
    )


def _patience(interval: Duration) -> Duration:
    """How long a commit may wait for another process that writes: a tick that waits longer misses its scrapes."""
    return min(max(interval // 2, LEAST_PATIENCE), MOST_PATIENCE)


def _source(settings: Settings, wanted: frozenset[str], clock: Clock) -> Source:
    if isinstance(settings.source, PrometheusServer):
        raise SourceNotBuilt(SourceNotBuilt.__doc__)
    if not isinstance(settings.source, Scrape):
        raise TypeError(f"{type(settings.source).__name__} is no source")
    return ScrapeSource(settings.source, wanted, clock, read_secret)


def _workers(
    receivers: Sequence[tuple[Receiver, Notifier]],
    store: SqliteStore,
    emergency: Emergency,
    clock: Clock,
    wake: Wake,
    telemetry: Telemetry,
) -> list[Worker]:
    def observe(receiver: str, result: DeliveryResult) -> None:
        telemetry.delivered(receiver, result.kind.value)

    return [
        Worker(
            receiver,
            store,
            notifier,
            clock=clock,
            random=Random(),  # noqa: S311 (jitter, not secrets)
            wake=wake.event(),
            sent_already=emergency.sent,
            observe=observe,
        )
        for receiver, notifier in receivers
    ]


def _app(
    settings: Settings,
    store: SqliteStore,
    latest: Latest,
    engine: Engine,
    about: _About,
    telemetry: Telemetry,
    clock: Clock,
) -> http.Application:
    return make_app(
        Deps(
            publisher=latest,
            inbox=store,
            outbox=store,
            journal=store,
            past=engine,
            facts=about.facts,
            history=store.transitions,
            telemetry=telemetry,
            healthy=about.healthy,
            tokens=tuple((token.name, read_secret(token.token), token.role) for token in settings.web.tokens),
            clock=clock,
            new_id=lambda: uuid.uuid4().hex,
            document=status_document,
            audit=store,
            new_secret=partial(secrets.token_urlsafe, 32),
            runbooks=read_runbooks(settings.path),
            gate=_gate(settings.web),
            plans={plan.name: (plan_digest(plan), plan) for plan in settings.rollback.plans},
            redaction=Redaction(settings),
        )
    )


def _heartbeat(settings: Settings, session: aiohttp.ClientSession, health: _Health) -> Heartbeat | None:
    if settings.heartbeat is None:
        return None
    return Heartbeat(settings.heartbeat, session, read_secret, healthy=health.well)


def _kill_switch(settings: Settings) -> Callable[[], bool]:
    path = settings.rollback.kill_switch
    return lambda: path is not None and os.path.exists(path)


def _inherited() -> Mapping[str, str]:
    return {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}


def _recorder(record: Path | None, saved: Saved, stack: AsyncExitStack) -> Recording | None:
    if record is None:
        return None
    recording = Recording(record, saved if saved.sequence else None)
    stack.callback(recording.close)
    return recording
