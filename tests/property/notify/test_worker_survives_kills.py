"""Kill the delivery at every instant, and at every pair of instants: nothing is lost and the order holds."""

import asyncio
from collections.abc import Callable
from itertools import pairwise
from random import Random

import pytest

from figwatch_agent.clock import ManualClock
from figwatch_agent.model.effect import DeliveryState
from figwatch_agent.model.journal import Delivery, DeliveryResult
from figwatch_agent.model.outcome import Outcome
from figwatch_agent.model.page import PageKind
from figwatch_agent.notify.worker import Worker
from figwatch_agent.store.memory import MemoryStore
from support.fuse import Fuse, Killed, Mortal, every_double_kill, every_single_kill
from support.model_values import NOON, a_row
from support.notify import ACCEPTED, LOST, REFUSED, RETRY, Answers, FakeReceiver, ManualWait, always, receiver

KINDS = (PageKind.TRIGGER, PageKind.UPDATE, PageKind.RESOLVE)
ROWS = tuple(f"incident-1/{number}/oncall" for number in range(3))


def first_time(result: DeliveryResult) -> Answers:
    """The first attempt at each row gives ``result``, later ones are accepted."""
    known: set[str] = set()

    def answer(delivery: Delivery) -> DeliveryResult:
        if delivery.row.id in known:
            return ACCEPTED
        known.add(delivery.row.id)
        return result

    return answer


def refusing(*numbers: int) -> Answers:
    """These rows are refused whenever they come."""
    return lambda delivery: REFUSED if delivery.row.id in {ROWS[number] for number in numbers} else ACCEPTED


# answers of the receiver, and which rows it shall have seen in the end; the fallback has all others
SCENARIOS: dict[str, tuple[Callable[[], Answers], int]] = {
    "accepts": (lambda: always(ACCEPTED), 3),
    "fails once": (lambda: first_time(RETRY), 3),
    "drops the first reply": (lambda: first_time(LOST), 3),
    "refuses all": (lambda: always(REFUSED), 0),
    "refuses the update": (lambda: refusing(1), 1),
    "refuses the resolve": (lambda: refusing(2), 2),
}
BACKLOG = ((0, 1, 2),)
ONE_BY_ONE = ((0,), (1,), (2,))


class Story:
    """A page with its update and resolve, told to a receiver and its fallback, over as many lives as it takes."""

    def __init__(self, fuse: Fuse, answers: Answers, batches: tuple[tuple[int, ...], ...]) -> None:
        self.clock = ManualClock(NOON)
        self.store = MemoryStore()
        self.oncall = FakeReceiver(answers)
        self.fallback = FakeReceiver()
        name = {"begin_delivery": lambda row, *_: row, "postpone_delivery": lambda row, *_: row}
        finish = {"finish_delivery": lambda row, *_: row, "commit": lambda outcome: str(outcome.sequence)}
        self._mortal_store = Mortal(self.store, fuse, {**name, **finish})
        told = {"deliver": lambda delivery: delivery.row.id}
        self._mortal = {
            "oncall": Mortal(self.oncall, fuse, told),
            "fallback": Mortal(self.fallback, fuse, told),
        }
        self._batches = batches

    async def live(self) -> None:
        while True:
            try:
                return await self._life()
            except Killed:
                self.clock.advance(1)

    async def _life(self) -> None:
        workers = {
            name: Worker(
                receiver(name, fallback="fallback" if name == "oncall" else None),
                self._mortal_store,
                notifier,
                clock=self.clock,
                random=Random(1),
                wake=asyncio.Event(),
                wait=ManualWait(self.clock),
            )
            for name, notifier in self._mortal.items()
        }
        saved = await self.store.load()
        if saved.sequence:
            await self._drain(workers)
        for sequence, batch in enumerate(self._batches[saved.sequence :], start=saved.sequence + 1):
            rows = tuple(a_row(ROWS[number], kind=KINDS[number]) for number in batch)
            await self._mortal_store.commit(Outcome(sequence=sequence, at=NOON, outbox=rows))
            await self._drain(workers)

    async def _drain(self, workers: dict[str, Worker]) -> None:
        while True:
            moved = [await worker.turn() for worker in workers.values()]
            due = [at for name in workers if (at := await self.store.next_due(name)) is not None]
            if not any(moved) and not due:
                return
            if not any(moved):
                self.clock.advance(max(min(due) - self.clock.now(), 0))


async def tell(fuse: Fuse, scenario: str, batches: tuple[tuple[int, ...], ...]) -> None:
    answers, taken = SCENARIOS[scenario]
    story = Story(fuse, answers(), batches)
    await story.live()
    assert tuple(story.oncall.seen) == ROWS[:taken], fuse.struck
    assert tuple(story.fallback.seen) == ROWS[taken:], fuse.struck
    for person in (story.oncall, story.fallback):
        numbers = [ROWS.index(delivery.row.id) for delivery in person.attempts]
        assert all(one <= other for one, other in pairwise(numbers)), f"overtaken: {numbers} after {fuse.struck}"
    rows = await story.store.deliveries()
    assert [row.state for row in rows] == [DeliveryState.ACCEPTED] * 3, fuse.struck
    _, effects = await story.store.waiting()
    accepted = [effect.row for effect in effects if effect.state is DeliveryState.ACCEPTED]
    assert sorted(accepted) == sorted(ROWS), "each end reaches the loop exactly once"


@pytest.mark.parametrize("batches", [BACKLOG, ONE_BY_ONE], ids=["backlog", "one by one"])
@pytest.mark.parametrize("scenario", SCENARIOS)
async def test_a_kill_at_any_instant_loses_no_page_and_no_order(
    scenario: str, batches: tuple[tuple[int, ...], ...]
) -> None:
    runs = await every_single_kill(lambda fuse: tell(fuse, scenario, batches))
    assert runs > 20


@pytest.mark.slow
@pytest.mark.parametrize("batches", [BACKLOG, ONE_BY_ONE], ids=["backlog", "one by one"])
@pytest.mark.parametrize("scenario", SCENARIOS)
async def test_two_kills_at_any_instants_lose_no_page_and_no_order(
    scenario: str, batches: tuple[tuple[int, ...], ...]
) -> None:
    runs = await every_double_kill(lambda fuse: tell(fuse, scenario, batches))
    assert runs > 200
