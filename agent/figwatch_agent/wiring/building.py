"""The whole agent, part by part, from what the files say."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random

import aiohttp

from figwatch_agent.clock import AnchoredClock, Clock
from figwatch_agent.durations import SECOND, Duration
from figwatch_agent.engine import Engine
from figwatch_agent.files.load import Loaded
from figwatch_agent.files.secrets import read_secret
from figwatch_agent.loop import Loop
from figwatch_agent.model.agent import Reload
from figwatch_agent.model.outcome import Saved
from figwatch_agent.model.settings import PrometheusServer, Settings
from figwatch_agent.notify.alertmanager_resend import Resender
from figwatch_agent.notify.build import ObserveMember, notifier_for
from figwatch_agent.notify.build import open_session as open_notify_session
from figwatch_agent.notify.emergency import Emergency
from figwatch_agent.notify.heartbeat import Heartbeat
from figwatch_agent.notify.worker import Worker
from figwatch_agent.ports import Audit
from figwatch_agent.rollback.build import probes, steps
from figwatch_agent.rollback.runner import Runner
from figwatch_agent.sources.gateway import read_gateway
from figwatch_agent.sources.prober import HttpProber
from figwatch_agent.sources.probers import Probers
from figwatch_agent.sources.prometheus import PrometheusSource
from figwatch_agent.sources.questions import questions
from figwatch_agent.sources.recording import Recording
from figwatch_agent.sources.sampler import SqlSampler
from figwatch_agent.sources.scrape import ScrapeSource
from figwatch_agent.store.retention import Retention
from figwatch_agent.store.sqlite import SqliteStore
from figwatch_agent.supervisor import Part
from figwatch_agent.telemetry import Telemetry
from figwatch_agent.web.publisher import Latest
from figwatch_agent.wiring.about import About
from figwatch_agent.wiring.delivery import Wake, resenders, workers
from figwatch_agent.wiring.health import Health
from figwatch_agent.wiring.memory import give_back
from figwatch_agent.wiring.site import application, site

LEAST_PATIENCE = SECOND // 10
"""A command that is put into the inbox holds the state for a few milliseconds, on a slow disk for some tens."""

MOST_PATIENCE = 5 * SECOND


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """Everything that runs, ready to be supervised."""

    parts: tuple[Part, ...]
    url: str  # where it listens
    clock: Clock
    loop: Loop
    audit: Audit


@asynccontextmanager
async def build(
    loaded: Loaded, record: Path | None = None, reloaded: Callable[[], Reload | None] = lambda: None
) -> AsyncIterator[Agent]:
    """The agent of these files. Raises StoreError where the state cannot be opened.

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
        del saved  # the engine stands where it says, and this frame lives as long as the agent
        await asyncio.sleep(0)  # the event loop lets go of it too
        give_back()
        yield parts.agent()


@dataclass(slots=True, kw_only=True)
class _Parts:
    settings: Settings
    store: SqliteStore
    clock: Clock
    loop: Loop
    prober: Probers
    emergency: Emergency
    resenders: list[tuple[str, Resender]]
    workers: list[Worker]
    runner: Runner
    url: str
    heartbeat: Heartbeat | None
    telemetry: Telemetry
    health: Health

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
        receivers = [
            (receiver, notifier_for(receiver, session, read_secret, clock, _member_told(telemetry)))
            for receiver in settings.receivers
        ]
        emergency = Emergency(receivers, clock=clock, random=Random())  # noqa: S311 (jitter, not secrets)
        source = _source(loaded, engine, clock)
        stack.push_async_callback(source.close)
        asked = questions(loaded.services, settings.rollback.plans)
        prober = Probers((HttpProber(asked, clock, read_secret), SqlSampler(loaded.services, clock)))
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
        health = Health(loop, store, clock, telemetry)
        about = About(loaded, store, source, loop, health, clock, kill_switch, reloaded)
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
            resenders=resenders(receivers, store, clock),
            workers=workers(receivers, store, emergency, clock, wake, telemetry),
            runner=runner,
            url=await site(settings, application(settings, store, latest, engine, about, telemetry, clock), stack),
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
        parts += [Part(name=f"resender of {name}", run=resender.run) for name, resender in self.resenders]
        if self.heartbeat is not None:
            parts.append(Part(name="heartbeat", run=self.heartbeat.run))
        return Agent(parts=tuple(parts), url=self.url, clock=self.clock, loop=self.loop, audit=self.store)


def _patience(interval: Duration) -> Duration:
    """How long a commit may wait for another process that writes: a tick that waits longer misses its scrapes."""
    return min(max(interval // 2, LEAST_PATIENCE), MOST_PATIENCE)


def _source(loaded: Loaded, engine: Engine, clock: Clock) -> PrometheusSource | ScrapeSource:
    source = loaded.settings.source
    if isinstance(source, PrometheusServer):
        return PrometheusSource(
            source, loaded.services, clock, read_secret, counted_to=engine.counted_to(), missing=engine.missing
        )
    return ScrapeSource(source, engine.wanted(), clock, read_secret)


def _heartbeat(settings: Settings, session: aiohttp.ClientSession, health: Health) -> Heartbeat | None:
    if settings.heartbeat is None:
        return None
    return Heartbeat(settings.heartbeat, session, read_secret, healthy=health.well)


def _member_told(telemetry: Telemetry) -> ObserveMember:
    return lambda receiver, member, result: telemetry.member_told(receiver, member, result.kind.value)


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
