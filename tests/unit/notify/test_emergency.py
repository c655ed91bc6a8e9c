"""Pages while the store is gone."""

import asyncio
from random import Random

import pytest

from figwatch_agent.clock import ManualClock
from figwatch_agent.model.journal import DeliveryResult, DeliveryResultKind
from figwatch_agent.model.page import OutboxRow, PageKind
from figwatch_agent.notify.emergency import Emergency
from support.model_values import NOON, a_row
from support.notify import ACCEPTED, REFUSED, RETRY, Asleep, FakeReceiver, ManualWait, always, receiver

TRIGGER = a_row("incident-1/0/oncall")
RESOLVE = a_row("incident-1/1/oncall", kind=PageKind.RESOLVE)


class Bench:
    """Two receivers, the second being the fallback of the first."""

    def __init__(self) -> None:
        self.clock = ManualClock(NOON)
        self.oncall = FakeReceiver()
        self.chat = FakeReceiver()
        self.emergency = Emergency(
            [(receiver(fallback="chat-ops"), self.oncall), (receiver("chat-ops", fallback="oncall"), self.chat)],
            clock=self.clock,
            random=Random(1),
            wait=ManualWait(self.clock),
        )

    async def send(self, *rows: OutboxRow) -> None:
        """Until nothing is left to be sent; a lane that has nothing to do ends the others, so it is run repeatedly."""
        self.emergency.offer(rows)
        for _ in range(8):
            with pytest.raises(BaseExceptionGroup) as caught:
                await self.emergency.run()
            assert caught.value.subgroup(Asleep) is not None


async def test_a_page_goes_out_without_a_store_under_its_own_id() -> None:
    bench = Bench()
    await bench.send(TRIGGER)
    assert bench.oncall.seen == [TRIGGER.id]
    assert bench.emergency.sent(TRIGGER.id, "oncall") is not None


async def test_what_the_receiver_calls_a_page_from_memory_is_kept_for_the_outbox() -> None:
    bench = Bench()
    bench.oncall.answers = always(DeliveryResult(kind=DeliveryResultKind.ACCEPTED, message_id="C0123/1.5"))
    await bench.send(TRIGGER)
    assert bench.emergency.sent(TRIGGER.id, "oncall") == "C0123/1.5"


async def test_an_outcome_that_is_offered_again_is_not_sent_again() -> None:
    bench = Bench()
    await bench.send(TRIGGER)
    await bench.send(TRIGGER, RESOLVE)
    assert [delivery.row.id for delivery in bench.oncall.attempts] == [TRIGGER.id, RESOLVE.id]


async def test_a_failing_receiver_is_tried_again_in_order() -> None:
    bench = Bench()
    bench.oncall.answers = lambda delivery: RETRY if delivery.attempts < 3 else ACCEPTED
    await bench.send(TRIGGER, RESOLVE)
    assert bench.oncall.seen == [TRIGGER.id, RESOLVE.id]
    assert len(bench.oncall.attempts) == 6


async def test_a_refused_page_goes_to_the_fallback() -> None:
    bench = Bench()
    bench.oncall.answers = always(REFUSED)
    await bench.send(TRIGGER)
    assert bench.chat.seen == [TRIGGER.id]
    assert bench.chat.attempts[0].original_receiver == "oncall"


async def test_receivers_that_all_refuse_are_each_asked_once() -> None:
    bench = Bench()
    bench.oncall.answers = bench.chat.answers = always(REFUSED)
    await bench.send(TRIGGER)
    assert (len(bench.oncall.attempts), len(bench.chat.attempts)) == (1, 1)
    assert bench.emergency.sent(TRIGGER.id, "oncall") is None


async def test_what_was_not_sent_is_left_to_the_outbox_when_the_store_is_back() -> None:
    bench = Bench()
    bench.emergency.offer([TRIGGER])
    bench.emergency.store_is_back()
    await bench.send()
    assert bench.oncall.attempts == []
    await bench.send(TRIGGER)
    assert bench.oncall.seen == [TRIGGER.id]


async def test_a_row_for_nobody_is_ignored() -> None:
    bench = Bench()
    await bench.send(a_row(receiver="nobody"))
    assert bench.oncall.attempts == []


async def test_it_runs_until_it_is_cancelled() -> None:
    emergency = Emergency([(receiver(), FakeReceiver())], clock=ManualClock(NOON), random=Random(1))
    task = asyncio.create_task(emergency.run())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_without_receivers_it_runs_on_all_the_same() -> None:
    emergency = Emergency([], clock=ManualClock(NOON), random=Random(1))
    emergency.offer([TRIGGER])
    task = asyncio.create_task(emergency.run())
    done, _ = await asyncio.wait([task], timeout=0.05)
    assert done == set()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
