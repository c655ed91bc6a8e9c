"""The tick: what is remembered is acted on, and what cannot be remembered is not."""

import asyncio
from collections.abc import Callable, Iterable

import pytest

from figwatch_agent.clock import ManualClock
from figwatch_agent.durations import SECOND, Instant
from figwatch_agent.errors import StoreError, StoreUnavailable
from figwatch_agent.loop import Loop
from figwatch_agent.model.batch import Batch, ProbeResult, Reading
from figwatch_agent.model.command import Command, CommandKind
from figwatch_agent.model.outcome import Outcome
from figwatch_agent.model.page import OutboxRow, PageKind
from figwatch_agent.model.view import View
from figwatch_agent.store.memory import MemoryStore
from figwatch_agent.telemetry import Telemetry
from support.world import World


class FailingStore(MemoryStore):
    """A store that can be told to refuse commits."""

    def __init__(self) -> None:
        super().__init__()
        self.refuse: Exception | None = None
        self.offered: list[int] = []

    async def commit(self, outcome: Outcome) -> None:
        self.offered.append(outcome.sequence)
        if self.refuse is not None:
            raise self.refuse
        await super().commit(outcome)


class WorldSource:
    """Scrapes the world's gateway."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def collect(self, now: Instant) -> tuple[Batch, ...]:
        self.world.now = now
        return (self.world.batch(),)

    async def close(self) -> None:
        return


class WorldProber:
    """Answers as the world does."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def run(self) -> None:
        await asyncio.Event().wait()

    def drain(self) -> tuple[tuple[ProbeResult, ...], tuple[Reading, ...]]:
        return (), tuple(self.world.readings())


class Memory:
    """Takes pages from memory, and wakes."""

    def __init__(self) -> None:
        self.rows: list[OutboxRow] = []
        self.woken = 0
        self.back = 0
        self.views: list[View] = []

    def offer(self, rows: Iterable[OutboxRow]) -> None:
        self.rows += rows

    def store_is_back(self) -> None:
        self.back += 1

    def wake(self) -> None:
        self.woken += 1

    def publish(self, view: View) -> None:
        self.views.append(view)


class Setting:
    """A loop over the world with a clock that moves when told to."""

    def __init__(self, kill_switch: Callable[[], bool] = lambda: False) -> None:
        self.world = World()
        self.clock = ManualClock(self.world.now)
        self.store = FailingStore()
        self.memory = Memory()
        self.loop = Loop(
            engine=self.world.engine,
            source=WorldSource(self.world),
            prober=WorldProber(self.world),
            store=self.store,
            last_resort=self.memory,
            publisher=self.memory,
            clock=self.clock,
            interval=SECOND,
            kill_switch=kill_switch,
            wake=self.memory.wake,
            telemetry=Telemetry(),
        )

    async def seconds(self, count: int, *, bad: int = 0) -> None:
        """Traffic and ticks."""
        for _ in range(count):
            self.world.serve(side="service", good=40 - bad, bad=bad)
            self.world.serve(side="legacy", good=10)
            self.clock.advance(SECOND)
            await self.loop.tick()

    async def outbox(self) -> list[OutboxRow]:
        """Rows that were committed, oldest first."""
        return [delivery.row for delivery in reversed(await self.store.deliveries())]


@pytest.fixture(name="setting")
async def _setting() -> Setting:
    setting = Setting()
    await setting.store.open()
    return setting


async def test_an_outage_becomes_a_committed_page_and_a_committed_intent(setting: Setting) -> None:
    await setting.seconds(10)
    await setting.seconds(4, bad=20)
    assert [row.page.kind for row in await setting.outbox()] == [PageKind.TRIGGER]
    assert [record.intent.route for record in await setting.store.unfinished_rollbacks()] == ["/api/v1/chat"]


async def test_workers_are_woken_after_every_commit_and_only_then(setting: Setting) -> None:
    await setting.seconds(2)
    assert setting.memory.woken == 2
    setting.store.refuse = StoreUnavailable()
    await setting.seconds(2)
    assert setting.memory.woken == 2


async def test_with_the_store_gone_the_page_goes_out_from_memory_and_no_rollback_is_begun(setting: Setting) -> None:
    await setting.seconds(10)
    setting.store.refuse = StoreUnavailable()
    await setting.seconds(4, bad=20)
    assert [row.page.kind for row in setting.memory.rows] == [PageKind.TRIGGER]
    assert not setting.loop.store_healthy
    assert await setting.store.unfinished_rollbacks() == ()


async def test_the_guard_withholds_while_the_store_does_not_take_commits(setting: Setting) -> None:
    await setting.seconds(10)
    setting.store.refuse = StoreUnavailable()
    await setting.seconds(6, bad=20)
    decision = setting.world.engine.view(setting.clock.now()).incidents[0].decision
    assert decision is not None
    assert decision.reason.value == "agent_unhealthy"


async def test_refused_outcomes_are_offered_again_in_their_order_under_the_same_keys(setting: Setting) -> None:
    await setting.seconds(10)
    setting.store.refuse = StoreUnavailable()
    await setting.seconds(4, bad=20)
    from_memory = [row.id for row in setting.memory.rows]
    setting.store.refuse = None
    await setting.seconds(1, bad=20)
    assert setting.store.offered[-6:] == [11, 11, 12, 13, 14, 15][-6:]
    assert [row.id for row in await setting.outbox()][: len(from_memory)] == from_memory
    assert setting.memory.back == 1


async def test_a_store_that_contradicts_the_agent_ends_it(setting: Setting) -> None:
    setting.store.refuse = StoreError("a gap in the sequence")
    setting.world.serve(good=1)
    with pytest.raises(StoreError):
        await setting.loop.run()


async def test_a_command_is_decided_once_even_while_its_outcome_waits_for_the_store(setting: Setting) -> None:
    await setting.seconds(10)
    await setting.seconds(4, bad=20)
    incident = setting.world.engine.view(setting.clock.now()).incidents[0].id
    command = Command(
        id="c1", kind=CommandKind.ACKNOWLEDGE, at=setting.clock.now(), actor="sam", origin="cli", subject=incident
    )
    await setting.store.put(command)
    setting.store.refuse = StoreUnavailable()
    await setting.seconds(3)
    setting.store.refuse = None
    await setting.seconds(1)
    said = [t for t in await setting.store.transitions() if t.kind.value == "incident_acknowledged"]
    assert len(said) == 1
    assert await setting.store.waiting() == ((), ())


async def test_one_poisoned_tick_does_not_stop_the_next(setting: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    ticks: list[int] = []

    async def poisoned() -> None:
        ticks.append(len(ticks))
        if len(ticks) == 1:
            raise RuntimeError("planted")
        raise asyncio.CancelledError

    monkeypatch.setattr(setting.loop, "tick", poisoned)
    monkeypatch.setattr(asyncio, "sleep", _at_once(setting.clock))
    with pytest.raises(asyncio.CancelledError):
        await setting.loop.run()
    assert ticks == [0, 1]


async def test_every_tick_is_published(setting: Setting) -> None:
    await setting.seconds(3)
    assert [view.sequence for view in setting.memory.views] == [1, 2, 3]


def _at_once(clock: ManualClock) -> Callable[[float], object]:
    async def sleep(seconds: float) -> None:
        clock.advance(round(seconds * SECOND))

    return sleep
