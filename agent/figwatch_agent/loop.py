"""One tick: collect, advance, remember, act, report."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, Protocol

import structlog

from figwatch_agent.clock import Clock
from figwatch_agent.durations import SECOND, Duration, Instant
from figwatch_agent.engine import Engine
from figwatch_agent.errors import StoreError, StoreUnavailable
from figwatch_agent.model.batch import Batch, Counted
from figwatch_agent.model.command import Command
from figwatch_agent.model.effect import Effect
from figwatch_agent.model.inputs import Inputs
from figwatch_agent.model.missing import Past
from figwatch_agent.model.names import Severity
from figwatch_agent.model.outcome import Outcome
from figwatch_agent.model.page import OutboxRow
from figwatch_agent.model.view import View
from figwatch_agent.ports import Prober, Publisher, Recorder, Source, Store
from figwatch_agent.telemetry import Telemetry

MOST_WAITING: Final = 10_000
"""Outcomes that may wait for a store that is gone: at one a second nearly three hours. Then counting waits too:
counters are cumulative, so nothing is lost in number."""

_log = structlog.get_logger(__name__)


class LastResort(Protocol):
    """Pages from memory while the store is gone."""

    def offer(self, rows: Sequence[OutboxRow]) -> None:
        """Send these, each once."""

    def store_is_back(self) -> None:
        """The outbox has them now."""


class Loop:
    """Ticks at the source's interval: the engine decides, the store remembers, only what is remembered is acted on."""

    def __init__(
        self,
        *,
        engine: Engine,
        source: Source,
        prober: Prober,
        store: Store,
        last_resort: LastResort,
        publisher: Publisher,
        clock: Clock,
        interval: Duration,
        kill_switch: Callable[[], bool],
        wake: Callable[[], None],
        telemetry: Telemetry,
        recorder: Recorder | None = None,
        restarted: bool = False,
    ) -> None:
        self._engine = engine
        self._source = source
        self._prober = prober
        self._store = store
        self._last_resort = last_resort
        self._publisher = publisher
        self._clock = clock
        self._interval = interval
        self._kill_switch = kill_switch
        self._wake = wake
        self._telemetry = telemetry
        self._recorder = recorder
        self._restarted = restarted
        self._waiting: deque[Outcome] = deque()  # advanced, not committed
        self.store_healthy = True
        self.last_tick: Instant | None = None
        self.last_took: Duration | None = None  # from the start of the newest tick to its end
        self.last_commit: Instant | None = None  # the tick that the store took last

    def alive(self) -> bool:
        """Whether a tick was finished lately."""
        return self.last_tick is not None and self._clock.now() - self.last_tick < 5 * self._interval + 5 * SECOND

    async def run(self) -> None:
        """Tick until cancelled. One poisoned tick is counted and does not stop the next."""
        due = self._clock.now()
        while True:
            try:
                await self.tick()
            except StoreError:
                raise  # the state contradicts us: going on would only pile up what can never be committed
            except Exception:  # noqa: BLE001 (the tick's edge: one poisoned item must not stop the next tick)
                self._telemetry.tick_failed()
                _log.exception("tick failed")
            due = max(due + self._interval, self._clock.now())
            await asyncio.sleep(max(due - self._clock.now(), 0) / SECOND)

    async def tick(self) -> None:
        """From inputs to what follows from them."""
        begun = self._clock.now()
        inputs = await self._collect(begun)
        now = max(self._clock.now(), begun + 1, (self._engine.at or 0) + 1)
        outcome = self._advance(inputs, now)
        await self._remember(outcome)
        self._act(outcome)
        self._report(begun, now)

    async def _collect(self, now: Instant) -> Inputs:
        collected = await self._source.collect(now)
        batches = tuple(each for each in collected if isinstance(each, Batch))
        probes, readings = self._prober.drain()
        commands, effects = await self._inbox()
        for batch in batches:
            if not batch.up:
                self._telemetry.scrape_failed(batch.reason)
        return Inputs(
            batches=batches,
            counted=tuple(each for each in collected if isinstance(each, Counted)),
            past=tuple(each for each in collected if isinstance(each, Past)),
            probes=probes,
            readings=readings,
            commands=commands,
            effects=effects,
            kill_switch=self._kill_switch(),
            store_healthy=self.store_healthy,
            wall_step=self._clock.wall_step(),
            restarted=self._restarted,
        )

    async def _inbox(self) -> tuple[tuple[Command, ...], tuple[Effect, ...]]:
        """What waits there and was not taken by an Outcome that still waits to be committed."""
        try:
            commands, effects = await self._store.waiting()
        except StoreError:
            return (), ()
        taken = {name for outcome in self._waiting for name in (*outcome.commands, *outcome.effects)}
        return (
            tuple(command for command in commands if command.id not in taken),
            tuple(effect for effect in effects if effect.id not in taken),
        )

    def _advance(self, inputs: Inputs, now: Instant) -> Outcome | None:
        if len(self._waiting) >= MOST_WAITING:
            return None
        outcome = self._engine.advance(inputs, now)
        self._restarted = False
        self._waiting.append(outcome)
        if self._recorder is not None:
            self._recorder.record(inputs, now, outcome)
        return outcome

    async def _remember(self, outcome: Outcome | None) -> None:
        """Offer what waits, oldest first; the same Outcome again until it is taken."""
        try:
            while self._waiting:
                await self._store.commit(self._waiting[0])
                self._waiting.popleft()
        except StoreUnavailable as error:
            self._telemetry.commit_failed()
            if self.store_healthy:
                _log.error("the state cannot be written; pages go out from memory", error=str(error))
            self.store_healthy = False
            return
        if not self.store_healthy:
            _log.info("the state can be written again")
            self._last_resort.store_is_back()
        self.store_healthy = True
        if outcome is not None:
            self._telemetry.committed(outcome.at)
            self.last_commit = outcome.at

    def _act(self, outcome: Outcome | None) -> None:
        """Workers act on committed rows; where nothing could be committed, pages alone go out from memory."""
        if self.store_healthy:
            self._wake()
        elif outcome is not None:
            self._last_resort.offer(outcome.outbox)

    def _report(self, begun: Instant, now: Instant) -> None:
        view = self._engine.view(now)
        self._publisher.publish(view)
        self._count_incidents(view)
        self._telemetry.wall_step(view.wall_step)
        self.last_took = self._clock.now() - begun
        self._telemetry.tick(self.last_took / SECOND)
        self.last_tick = self._clock.now()

    def _count_incidents(self, view: View) -> None:
        severities = [incident.severity for incident in view.incidents if incident.open]
        self._telemetry.open_incidents(severities.count(Severity.PAGE), severities.count(Severity.TICKET))
