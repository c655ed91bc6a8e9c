"""What ended long ago is forgotten, again and again, as long as the agent runs."""

import asyncio

from figwatch_agent.clock import ManualClock
from figwatch_agent.durations import DAY, Instant
from figwatch_agent.errors import StoreUnavailable
from figwatch_agent.store.memory import MemoryStore
from figwatch_agent.store.retention import Retention
from support.model_values import NOON, an_audit_note


class Counted(MemoryStore):
    """A store that tells how often it was asked to forget, and may refuse."""

    def __init__(self, refuse: bool = False) -> None:
        super().__init__()
        self.asked: list[Instant] = []
        self.done = asyncio.Event()
        self._refuse = refuse

    async def prune(self, before: Instant) -> None:
        """As a store does."""
        self.asked.append(before)
        if self._refuse:
            raise StoreUnavailable("locked")
        await super().prune(before)
        self.done.set()


async def test_it_forgets_at_the_start_what_is_older_than_it_keeps() -> None:
    store = Counted()
    await store.note(an_audit_note(NOON))
    task = asyncio.create_task(Retention(store, ManualClock(NOON + 8 * DAY), 7 * DAY).run())
    async with asyncio.timeout(5):
        await store.done.wait()
    task.cancel()
    assert store.asked == [NOON + DAY]
    assert [line.note.kind for line in await store.audit_lines()] == ["pruned"]


async def test_a_store_that_refuses_does_not_end_it() -> None:
    store = Counted(refuse=True)
    retention = Retention(store, ManualClock(NOON), DAY)
    await retention.prune()
    await retention.prune()
    assert len(store.asked) == 2
