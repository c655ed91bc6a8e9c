"""What the runner begins, goes on with, undoes, and leaves to a person."""

import asyncio
from collections.abc import Sequence

import pytest

from figwatch_agent.clock import ManualClock
from figwatch_agent.durations import SECOND, Duration
from figwatch_agent.errors import StoreUnavailable
from figwatch_agent.model.effect import RollbackEffect, RollbackState
from figwatch_agent.model.intent import RollbackIntent
from figwatch_agent.model.journal import ActionResult, RollbackRecord, StepEntry, StepState
from figwatch_agent.model.names import Repeat
from figwatch_agent.model.outcome import Outcome
from figwatch_agent.model.plan import Call
from figwatch_agent.rollback.permission import ReadGateway
from figwatch_agent.rollback.runner import Runner
from figwatch_agent.store.memory import MemoryStore
from support.model_values import NOON
from support.rollback import DONE, FAILED, GATEWAY, LATE, UNKNOWN, Gateway, World, intent, step

TWO = (step("redirect", Repeat.IDEMPOTENT), step("flush", Repeat.ONCE))


class Bench:
    """A runner with everything around it."""

    def __init__(
        self,
        store: MemoryStore | None = None,
        world: World | None = None,
        read_gateway: ReadGateway | None = None,
    ) -> None:
        self.clock = ManualClock(NOON)
        self.store = store or MemoryStore()
        self.world = world or World()
        self.gateway = Gateway()
        self.kill_switch = False
        self.healthy = True
        self.wake = asyncio.Event()
        self.runner = Runner(
            self.store,
            act=self.world,
            ask=self.world,
            read_gateway=read_gateway or self.gateway,
            clock=self.clock,
            kill_switch=lambda: self.kill_switch,
            healthy=lambda: self.healthy,
            wake=self.wake,
            sleep=self._sleep,
        )

    async def commit(self, *intents: RollbackIntent) -> None:
        await self.store.commit(Outcome(sequence=1, at=NOON, intents=intents))

    async def round(self, *intents: RollbackIntent) -> RollbackRecord:
        """Commit, carry out, and what became of the newest."""
        await self.commit(*intents)
        await self.runner.round()
        return (await self.store.rollbacks())[0]

    async def last_effect(self) -> RollbackEffect:
        _, effects = await self.store.waiting()
        assert isinstance(effects[-1], RollbackEffect)
        return effects[-1]

    async def _sleep(self, duration: Duration) -> None:
        self.clock.advance(duration)
        await asyncio.sleep(0)


def states(entries: Sequence[StepEntry]) -> list[tuple[str, StepState]]:
    return [(entry.step, entry.state) for entry in entries]


async def test_steps_are_done_in_order_and_each_is_intended_first() -> None:
    bench = Bench()
    record = await bench.round(intent(*TWO))
    assert record.state is RollbackState.DONE
    assert bench.world.calls == [("do", "redirect"), ("do", "flush")]
    assert states(record.entries) == [
        ("redirect", StepState.INTENDED),
        ("redirect", StepState.DONE),
        ("flush", StepState.INTENDED),
        ("flush", StepState.DONE),
    ]


async def test_a_rollback_that_is_not_begun_in_time_expires() -> None:
    bench = Bench()
    bench.clock.advance(LATE - NOON)
    assert (await bench.round(intent(*TWO))).state is RollbackState.EXPIRED
    assert bench.world.calls == []


async def test_nothing_begins_while_the_kill_switch_is_set() -> None:
    bench = Bench()
    bench.kill_switch = True
    assert (await bench.round(intent(*TWO))).state is RollbackState.ABANDONED
    assert (await bench.last_effect()).detail.startswith("kill_switch")
    assert bench.world.calls == []


@pytest.mark.parametrize(("value", "reason"), [('{"to":"shadow"}', "gateway_changed"), (None, "gateway_unknown")])
async def test_a_gateway_that_changed_or_cannot_be_read_is_left_alone(value: str | None, reason: str) -> None:
    bench = Bench()
    bench.gateway.value = value
    assert (await bench.round(intent(*TWO))).state is RollbackState.ABANDONED
    assert (await bench.last_effect()).detail.startswith(reason)
    assert bench.world.calls == []


async def test_a_resumed_rollback_does_not_stumble_over_its_own_change_of_the_gateway() -> None:
    bench = Bench()
    await bench.commit(intent(*TWO))
    for state in (StepState.INTENDED, StepState.DONE):
        await bench.store.append_step(_entry("redirect", state))
    bench.gateway.value = '{"to":"legacy"}'
    await bench.runner.round()
    assert (await bench.store.rollbacks())[0].state is RollbackState.DONE
    assert bench.world.calls == [("do", "flush")]


async def test_nothing_begins_while_the_store_is_unwell() -> None:
    bench = Bench()
    bench.healthy = False
    await bench.commit(intent(*TWO))
    assert await bench.runner.round() is True
    assert bench.world.calls == []
    bench.healthy = True
    assert await bench.runner.round() is False
    assert bench.world.in_place == {"redirect", "flush"}


async def test_a_kill_switch_set_half_way_stops_before_the_next_step_and_asks_a_person() -> None:
    class Pulling(World):
        async def run(self, call: Call, *, key: str, deadline: Duration) -> ActionResult:
            bench.kill_switch = True
            return await World.run(self, call, key=key, deadline=deadline)

    bench = Bench(world=Pulling())
    assert (await bench.round(intent(*TWO))).state is RollbackState.NEEDS_HUMAN
    assert bench.world.calls == [("do", "redirect")]


async def test_an_unknown_outcome_is_probed_and_found_done() -> None:
    bench = Bench()
    bench.world.answers = {("do", "flush"): [UNKNOWN]}
    record = await bench.round(intent(step("flush", Repeat.ONCE, probe=True)))
    assert record.state is RollbackState.DONE
    assert bench.world.effects == [("do", "flush")]


async def test_a_once_step_that_certainly_did_not_happen_is_done_again() -> None:
    bench = Bench()
    bench.world.answers = {("do", "flush"): [UNKNOWN, DONE], ("ask", "flush"): [FAILED]}
    record = await bench.round(intent(step("flush", Repeat.ONCE, probe=True)))
    assert record.state is RollbackState.DONE
    assert bench.world.calls == [("do", "flush"), ("ask", "flush"), ("do", "flush")]


@pytest.mark.parametrize("probe", [False, True])
async def test_a_once_step_that_may_have_happened_is_left_to_a_person(probe: bool) -> None:
    bench = Bench()
    bench.world.answers = {("do", "flush"): [UNKNOWN], ("ask", "flush"): [UNKNOWN]}
    record = await bench.round(intent(step("flush", Repeat.ONCE, probe=probe)))
    assert record.state is RollbackState.NEEDS_HUMAN
    assert bench.world.calls.count(("do", "flush")) == 1
    effect = await bench.last_effect()
    assert (effect.step, effect.state) == ("flush", RollbackState.NEEDS_HUMAN)
    assert "may have been done" in effect.detail


@pytest.mark.parametrize("repeat", [Repeat.IDEMPOTENT, Repeat.KEYED])
async def test_a_safe_step_is_tried_three_times_with_one_key_and_then_left_to_a_person(repeat: Repeat) -> None:
    bench = Bench()
    bench.world.answers = {("do", "redirect"): [UNKNOWN]}
    record = await bench.round(intent(step("redirect", repeat)))
    assert record.state is RollbackState.NEEDS_HUMAN
    assert bench.world.calls == [("do", "redirect")] * 3
    assert len(bench.world.keys) == 1


async def test_after_a_failure_what_was_done_is_undone_in_reverse() -> None:
    bench = Bench()
    bench.world.answers = {("do", "three"): [FAILED]}
    steps = [step(name, Repeat.IDEMPOTENT, undo=True) for name in ("one", "two", "three")]
    record = await bench.round(intent(*steps))
    assert record.state is RollbackState.COMPENSATED
    assert bench.world.calls[3:] == [("undo", "two"), ("undo", "one")]
    assert bench.world.in_place == set()
    effect = await bench.last_effect()
    assert effect.step == "three"
    assert "exit 1" in effect.detail


async def test_what_cannot_be_undone_ends_the_undoing() -> None:
    bench = Bench()
    bench.world.answers = {("do", "three"): [FAILED], ("undo", "two"): [FAILED]}
    steps = [step(name, Repeat.IDEMPOTENT, undo=True) for name in ("one", "two", "three")]
    record = await bench.round(intent(*steps))
    assert record.state is RollbackState.FAILED
    assert ("undo", "one") not in bench.world.calls, "step two may stand on it"


async def test_a_step_done_without_a_compensation_makes_a_failure_final() -> None:
    bench = Bench()
    bench.world.answers = {("do", "two"): [FAILED]}
    record = await bench.round(intent(step("one", Repeat.IDEMPOTENT), step("two", Repeat.IDEMPOTENT)))
    assert record.state is RollbackState.FAILED
    assert "no compensation" in (await bench.last_effect()).detail


async def test_an_action_that_breaks_inside_is_an_unknown_outcome() -> None:
    class Broken(World):
        async def run(self, call: Call, *, key: str, deadline: Duration) -> ActionResult:
            raise ZeroDivisionError

    bench = Bench(world=Broken())
    assert (await bench.round(intent(step("flush", Repeat.ONCE)))).state is RollbackState.NEEDS_HUMAN


async def test_a_rollback_that_breaks_the_runner_is_given_to_a_person_and_the_next_one_goes_on() -> None:
    broken = True

    async def reading(_: object) -> str:
        nonlocal broken
        if broken:
            broken = False
            raise ZeroDivisionError
        return GATEWAY

    bench = Bench(read_gateway=reading)
    await bench.commit(intent(*TWO, id="a", incident="incident-a"), intent(*TWO, id="b", incident="incident-b"))
    await bench.runner.round()
    assert [record.state for record in await bench.store.rollbacks()] == [RollbackState.DONE, RollbackState.NEEDS_HUMAN]


class Locked(MemoryStore):
    """Takes no step entry of this state as often as it is told to."""

    def __init__(self, state: StepState, failures: int) -> None:
        super().__init__()
        self.state = state
        self.failures = failures

    async def append_step(self, entry: StepEntry) -> None:
        if entry.state is self.state and self.failures > 0:
            self.failures -= 1
            raise StoreUnavailable
        await super().append_step(entry)


async def test_without_a_committed_intent_there_is_no_effect() -> None:
    bench = Bench(Locked(StepState.INTENDED, 1))
    await bench.commit(intent(*TWO))
    assert await bench.runner.round() is True
    assert bench.world.calls == []
    assert await bench.runner.round() is False


async def test_an_outcome_that_the_store_cannot_take_is_kept_until_it_can() -> None:
    bench = Bench(Locked(StepState.DONE, 5))
    record = await bench.round(intent(step("flush", Repeat.ONCE)))
    assert record.state is RollbackState.DONE
    assert bench.world.effects == [("do", "flush")]


async def test_keys_differ_by_rollback_step_and_direction_and_fit_into_a_header() -> None:
    bench = Bench()
    bench.world.answers = {("do", "two"): [FAILED]}
    steps = (step("one", Repeat.KEYED, undo=True), step("two", Repeat.KEYED))
    record = await bench.round(intent(*steps, id="ünïcode\n/rollback"))
    keys = {entry.key for entry in record.entries}
    assert len(keys) == 3
    assert all(key.isascii() and key.replace("-", "").isalnum() for key in keys)


class Slow(World):
    """Every call waits to be let through."""

    def __init__(self) -> None:
        super().__init__()
        self.entered = asyncio.Event()
        self.go = asyncio.Event()

    async def run(self, call: Call, *, key: str, deadline: Duration) -> ActionResult:
        self.entered.set()
        await self.go.wait()
        return await World.run(self, call, key=key, deadline=deadline)


async def test_a_step_that_was_begun_is_finished_and_remembered_before_the_runner_stops() -> None:
    slow = Slow()
    bench = Bench(world=slow)
    await bench.commit(intent(step("flush", Repeat.ONCE), step("redirect", Repeat.IDEMPOTENT)))
    task = asyncio.create_task(bench.runner.run())
    await asyncio.wait_for(slow.entered.wait(), 5)
    task.cancel()
    await asyncio.sleep(0)
    task.cancel()
    slow.go.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    (record,) = await bench.store.rollbacks()
    assert states(record.entries) == [("flush", StepState.INTENDED), ("flush", StepState.DONE)]


async def test_undoing_is_shielded_from_cancellation() -> None:
    slow = Slow()
    bench = Bench(world=slow)
    steps = [step(name, Repeat.IDEMPOTENT, undo=True) for name in ("one", "two", "three")]
    await bench.commit(intent(*steps))
    for name in ("one", "two"):
        for state in (StepState.INTENDED, StepState.DONE):
            await bench.store.append_step(_entry(name, state))
    for state in (StepState.INTENDED, StepState.FAILED):
        await bench.store.append_step(_entry("three", state))
    task = asyncio.create_task(bench.runner.run())
    await asyncio.wait_for(slow.entered.wait(), 5)
    task.cancel()
    slow.go.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert slow.calls == [("undo", "two"), ("undo", "one")]


async def test_a_commit_wakes_the_runner() -> None:
    slow = Slow()
    bench = Bench(world=slow)
    task = asyncio.create_task(bench.runner.run())
    await asyncio.sleep(0)
    await bench.commit(intent(*TWO))
    bench.wake.set()
    await asyncio.wait_for(slow.entered.wait(), 5)
    slow.go.set()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def _entry(name: str, state: StepState) -> StepEntry:
    return StepEntry(rollback="incident-1/rollback", step=name, state=state, attempt=1, at=NOON + SECOND, key="key")
