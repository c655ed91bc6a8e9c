"""The worker between the outbox and a receiver."""

import asyncio
from random import Random
from typing import Any

import pytest

from figwatch_agent.clock import ManualClock
from figwatch_agent.durations import HOUR, MINUTE, SECOND
from figwatch_agent.errors import StoreUnavailable
from figwatch_agent.model.effect import DeliveryEffect, DeliveryState
from figwatch_agent.model.journal import Delivery, DeliveryResult, DeliveryResultKind
from figwatch_agent.model.outcome import Outcome
from figwatch_agent.model.page import OutboxRow, PageKind
from figwatch_agent.model.secret import Secret
from figwatch_agent.model.settings import PagerDuty, Receiver, Slack
from figwatch_agent.notify.worker import Worker
from figwatch_agent.store.memory import MemoryStore
from support.model_values import NOON, a_row
from support.notify import ACCEPTED, REFUSED, RETRY, Asleep, FakeReceiver, ManualWait, always, receiver


class Failing(MemoryStore):
    """Refuses to finish a row as often as it is told to."""

    def __init__(self, failures: int) -> None:
        super().__init__()
        self.failures = failures

    async def finish_delivery(
        self, row: str, state: DeliveryState, effect: DeliveryEffect, fallback: str | None, message_id: str = ""
    ) -> None:
        if self.failures > 0:
            self.failures -= 1
            raise StoreUnavailable
        await super().finish_delivery(row, state, effect, fallback, message_id)


class Bench:
    """A worker with everything around it."""

    def __init__(self, *rows: OutboxRow, to: Receiver | None = None, store: MemoryStore | None = None) -> None:
        self.clock = ManualClock(NOON)
        self.store = store or MemoryStore()
        self.notifier = FakeReceiver()
        self.wait = ManualWait(self.clock)
        self.rows = rows
        self.wake = asyncio.Event()
        self.observed: list[DeliveryResult] = []
        self.to = to or receiver()

    async def run(self, **named: Any) -> None:
        """Until there is nothing left to wait for."""
        await self.store.commit(Outcome(sequence=1, at=NOON, outbox=self.rows))
        worker = Worker(
            self.to,
            self.store,
            self.notifier,
            clock=self.clock,
            random=Random(3),
            wake=self.wake,
            wait=self.wait,
            observe=lambda name, result: self.observed.append(result),
            **named,
        )
        with pytest.raises(Asleep):
            await worker.run()

    async def states(self) -> dict[str, DeliveryState]:
        return {each.row.id: each.state for each in await self.store.deliveries()}


def rows(*kinds: PageKind, incident: str = "incident-1") -> tuple[OutboxRow, ...]:
    return tuple(a_row(f"{incident}/{n}/oncall", incident=incident, kind=kind) for n, kind in enumerate(kinds))


async def test_rows_of_one_incident_go_out_in_order() -> None:
    bench = Bench(*rows(PageKind.INFORMATION, PageKind.UPDATE, PageKind.RESOLVE))
    await bench.run()
    assert bench.notifier.seen == [row.id for row in bench.rows]
    assert set((await bench.states()).values()) == {DeliveryState.ACCEPTED}


async def test_a_failing_trigger_holds_back_its_resolve_and_nobody_elses() -> None:
    stuck = rows(PageKind.TRIGGER, PageKind.RESOLVE)
    other = rows(PageKind.TRIGGER, incident="incident-2")
    bench = Bench(*stuck, *other)
    bench.notifier.answers = lambda delivery: (
        RETRY if delivery.row.id == stuck[0].id and delivery.attempts < 4 else ACCEPTED
    )
    await bench.run()
    assert bench.notifier.seen == [other[0].id, stuck[0].id, stuck[1].id]


async def test_a_trigger_whose_resolve_waits_behind_it_wakes_nobody() -> None:
    bench = Bench(*rows(PageKind.TRIGGER, PageKind.RESOLVE))
    await bench.run()
    first, second = (delivery.row.page for delivery in bench.notifier.attempts)
    assert (first.kind, second.kind) == (PageKind.INFORMATION, PageKind.RESOLVE)
    assert first.headline.startswith("Over by now: ")


async def test_a_late_page_of_an_open_incident_is_still_a_page() -> None:
    bench = Bench(*rows(PageKind.TRIGGER))
    bench.clock.advance(3 * HOUR)
    await bench.run()
    (told,) = bench.notifier.attempts
    assert told.row.page.kind is PageKind.TRIGGER


async def test_the_end_of_a_row_becomes_an_effect_for_the_loop() -> None:
    bench = Bench(*rows(PageKind.TRIGGER))
    await bench.run()
    _, (effect,) = await bench.store.waiting()
    assert isinstance(effect, DeliveryEffect)
    assert (effect.row, effect.state, effect.attempts) == (bench.rows[0].id, DeliveryState.ACCEPTED, 1)


async def test_a_row_that_breaks_the_notifier_goes_to_the_fallback_and_the_next_one_goes_out() -> None:
    def answers(delivery: Delivery) -> DeliveryResult:
        if delivery.row.incident == "incident-1":
            raise ZeroDivisionError("in the template")
        return ACCEPTED

    poisoned, sound = rows(PageKind.TRIGGER)[0], rows(PageKind.TRIGGER, incident="incident-2")[0]
    bench = Bench(poisoned, sound, to=receiver(fallback="chat-ops"))
    bench.notifier.answers = answers
    await bench.run()
    assert bench.notifier.seen == [sound.id]
    moved = {each.row.id: each for each in await bench.store.deliveries()}[poisoned.id]
    assert (moved.row.receiver, moved.reason, moved.original_receiver) == ("chat-ops", "internal", "oncall")


async def test_what_retry_after_asks_for_holds_for_the_whole_receiver() -> None:
    asked = DeliveryResult(kind=DeliveryResultKind.RETRY, reason="rate_limited", retry_after=40 * SECOND)
    times: list[int] = []
    bench = Bench(rows(PageKind.TRIGGER)[0], rows(PageKind.TRIGGER, incident="incident-2")[0])

    def answers(delivery: Delivery) -> DeliveryResult:
        times.append(bench.clock.now() - NOON)
        return asked if len(times) == 1 else ACCEPTED

    bench.notifier.answers = answers
    await bench.run()
    assert times[0] == 0
    assert min(times[1:]) >= 40 * SECOND


async def test_no_receiver_silences_us_for_more_than_five_minutes() -> None:
    asked = DeliveryResult(kind=DeliveryResultKind.RETRY, reason="rate_limited", retry_after=999 * HOUR)
    bench = Bench(*rows(PageKind.TRIGGER))
    bench.notifier.answers = lambda delivery: asked if delivery.attempts == 1 else ACCEPTED
    await bench.run()
    assert bench.clock.now() - NOON <= 5 * MINUTE


@pytest.mark.parametrize(
    ("kind", "spacing"),
    [
        (Slack(webhook_url=Secret(env="SLACK")), SECOND),
        (PagerDuty(routing_key=Secret(env="KEY")), SECOND // 2),
    ],
)
async def test_receivers_are_spoken_to_no_faster_than_they_allow(kind: Slack | PagerDuty, spacing: int) -> None:
    many = tuple(a_row(f"incident-{n}/0/oncall", incident=f"incident-{n}") for n in range(5))
    bench = Bench(*many, to=receiver(kind=kind))
    await bench.run()
    assert len(bench.notifier.seen) == 5
    assert bench.clock.now() - NOON >= 4 * spacing


async def test_a_result_that_the_store_cannot_take_is_kept_until_it_can() -> None:
    bench = Bench(*rows(PageKind.TRIGGER), store=Failing(5))
    await bench.run()
    assert len(bench.notifier.attempts) == 1
    assert set((await bench.states()).values()) == {DeliveryState.ACCEPTED}


async def test_a_row_that_was_sent_from_memory_is_not_sent_again() -> None:
    bench = Bench(*rows(PageKind.TRIGGER, PageKind.UPDATE))
    known = {(bench.rows[0].id, "oncall"): "C0123/1.5"}
    await bench.run(sent_already=lambda row, name: known.get((row, name)))
    assert bench.notifier.seen == [bench.rows[1].id]
    assert set((await bench.states()).values()) == {DeliveryState.ACCEPTED}
    assert [attempt.message_id for attempt in bench.notifier.attempts] == ["C0123/1.5"]


async def test_what_the_receiver_calls_a_message_comes_back_with_what_follows() -> None:
    bench = Bench(*rows(PageKind.TRIGGER, PageKind.UPDATE, PageKind.RESOLVE))
    bench.notifier.answers = always(DeliveryResult(kind=DeliveryResultKind.ACCEPTED, message_id="C0123/1.5"))
    await bench.run()
    assert [attempt.message_id for attempt in bench.notifier.attempts] == ["", "C0123/1.5", "C0123/1.5"]


async def test_a_name_that_comes_with_a_refusal_is_not_kept() -> None:
    bench = Bench(*rows(PageKind.TRIGGER))
    refusal = DeliveryResult(kind=DeliveryResultKind.REFUSED, reason="rejected", message_id="C0123/1.5")
    bench.notifier.answers = always(refusal)
    await bench.run()
    assert [row.message_id for row in await bench.store.deliveries()] == [""]


async def test_a_commit_wakes_the_worker() -> None:
    bench = Bench()
    attempted = asyncio.Event()
    worker = Worker(
        bench.to,
        bench.store,
        bench.notifier,
        clock=bench.clock,
        random=Random(1),
        wake=bench.wake,
        observe=lambda name, result: attempted.set(),
    )
    task = asyncio.create_task(worker.run())
    await asyncio.sleep(0)
    await bench.store.commit(Outcome(sequence=1, at=NOON, outbox=rows(PageKind.TRIGGER)))
    bench.wake.set()
    await asyncio.wait_for(attempted.wait(), 5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_every_attempt_can_be_counted() -> None:
    bench = Bench(*rows(PageKind.TRIGGER))
    bench.notifier.answers = lambda delivery: RETRY if delivery.attempts == 1 else ACCEPTED
    await bench.run()
    assert [result.kind for result in bench.observed] == [RETRY.kind, ACCEPTED.kind]


async def test_a_dead_receiver_without_a_fallback_ends_its_rows_and_says_why() -> None:
    bench = Bench(*rows(PageKind.TRIGGER))
    bench.notifier.answers = always(REFUSED)
    await bench.run()
    (row,) = await bench.store.deliveries()
    assert (row.state, row.reason) == (DeliveryState.DEAD, "rejected")
