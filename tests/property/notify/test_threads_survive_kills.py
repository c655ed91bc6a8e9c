"""Kill the delivery at every instant: a name that was kept is never lost, and what follows goes under it."""

import asyncio
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from figwatch_agent.clock import ManualClock
from figwatch_agent.model.journal import Delivery, DeliveryResult
from figwatch_agent.model.outcome import Outcome
from figwatch_agent.model.page import PageKind
from figwatch_agent.notify.worker import Worker
from figwatch_agent.store.memory import MemoryStore
from support.fuse import Fuse, Killed, Mortal, every_double_kill, every_single_kill
from support.model_values import NOON, a_row
from support.notify import ACCEPTED, LOST, RETRY, Answers, ManualWait, ThreadedReceiver, always, receiver

KINDS = (PageKind.TRIGGER, PageKind.UPDATE, PageKind.RESOLVE)
ROWS = tuple(f"incident-1/{number}/oncall" for number in range(3))


def once(row: str, result: DeliveryResult) -> Answers:
    """The first attempt at this row gives ``result``, all others are accepted."""
    left = [result]

    def answer(delivery: Delivery) -> DeliveryResult:
        return left.pop() if left and delivery.row.id == row else ACCEPTED

    return answer


SCENARIOS: dict[str, Callable[[], Answers]] = {
    "accepts": lambda: always(ACCEPTED),
    "drops the first reply": lambda: once(ROWS[0], LOST),
    "drops the reply to the update": lambda: once(ROWS[1], LOST),
    "fails once at the update": lambda: once(ROWS[1], RETRY),
}


class KeptNames(MemoryStore):
    """Writes down which name was kept, and how many messages stood at the receiver by then."""

    def __init__(self, slack: ThreadedReceiver) -> None:
        super().__init__()
        self.slack = slack
        self.kept: list[tuple[str, int]] = []

    async def finish_delivery(self, *arguments: Any) -> None:
        await super().finish_delivery(*arguments)
        if arguments[4]:
            self.kept.append((arguments[4], len(self.slack.standing)))


async def tell(fuse: Fuse, scenario: str) -> None:
    """A page with its update and resolve, over as many lives as it takes; then what stands at the receiver."""
    clock = ManualClock(NOON)
    slack = ThreadedReceiver(SCENARIOS[scenario]())
    store = KeptNames(slack)
    by_row = {name: lambda row, *_: row for name in ("begin_delivery", "postpone_delivery", "finish_delivery")}
    mortal_store = Mortal(store, fuse, by_row)
    mortal_slack = Mortal(slack, fuse, {"deliver": lambda delivery: delivery.row.id})
    rows = tuple(a_row(row, kind=kind) for row, kind in zip(ROWS, KINDS, strict=True))
    await store.commit(Outcome(sequence=1, at=NOON, outbox=rows))
    while await store.next_due("oncall") is not None:
        worker = Worker(
            receiver(),
            mortal_store,
            mortal_slack,
            clock=clock,
            random=Random(1),
            wake=asyncio.Event(),
            wait=ManualWait(clock),
        )
        try:
            while (due := await store.next_due("oncall")) is not None:
                clock.advance(max(due - clock.now(), 0))
                await worker.turn()
        except Killed:
            clock.advance(1)
    judge(store, slack, fuse)


def judge(store: KeptNames, slack: ThreadedReceiver, fuse: Fuse) -> None:
    thread, standing_then = store.kept[0]
    assert {name for name, _ in store.kept} == {thread}, f"a known name was lost: {store.kept} after {fuse.struck}"
    afterwards = slack.standing[standing_then:]
    assert [to for _, _, to in afterwards] == [thread] * len(afterwards), f"outside the thread after {fuse.struck}"
    replies = [row for row, _, to in slack.standing if to]
    assert set(replies) == set(ROWS[1:]), f"{slack.standing} after {fuse.struck}"
    first = [row for row, _, to in slack.standing if not to]
    assert set(first) == {ROWS[0]}, f"only the page stands by itself: {slack.standing} after {fuse.struck}"


@pytest.mark.parametrize("scenario", SCENARIOS)
async def test_a_kill_at_any_instant_loses_no_name_and_posts_nothing_outside_the_thread(scenario: str) -> None:
    runs = await every_single_kill(lambda fuse: tell(fuse, scenario))
    assert runs > 15


@pytest.mark.slow
@pytest.mark.parametrize("scenario", SCENARIOS)
async def test_two_kills_at_any_instants_lose_no_name_and_post_nothing_outside_the_thread(scenario: str) -> None:
    runs = await every_double_kill(lambda fuse: tell(fuse, scenario))
    assert runs > 100
