"""The sending half of an agent in this process, on real time: outbox, worker and resender of one Alertmanager."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from random import Random

from figwatch_agent.clock import AnchoredClock, Clock
from figwatch_agent.durations import Duration
from figwatch_agent.model.journal import Delivery
from figwatch_agent.model.outcome import Outcome
from figwatch_agent.model.page import OutboxRow, PageKind
from figwatch_agent.model.settings import Alertmanager
from figwatch_agent.notify.alertmanager_notifier import AlertmanagerNotifier
from figwatch_agent.notify.alertmanager_resend import Resender
from figwatch_agent.notify.build import open_session
from figwatch_agent.notify.worker import Worker
from figwatch_agent.store.memory import MemoryStore
from support.messages import stories
from support.notify import reading, receiver

NAME = "alertmanager"
QUICK: Duration = 300
"""Between two resends; an open alert is good for four of them."""


@dataclass(slots=True)
class Sender:
    """What the loop would put into the outbox, and what became of it."""

    store: MemoryStore
    clock: Clock
    committed: int = 0

    async def tell(self, kind: PageKind) -> None:
        """A page about the incident of the stories, as it stands now."""
        self.committed += 1
        page = stories()["resolve" if kind is PageKind.RESOLVE else "page"].delivery.row.page
        now = self.clock.now()
        incident = replace(page.incident, resolved_at=now if kind is PageKind.RESOLVE else None)
        page = replace(page, kind=kind, incident=incident, at=now)
        row = OutboxRow(id=f"{page.group}/{self.committed}/{NAME}", receiver=NAME, incident=page.group, page=page)
        await self.store.commit(Outcome(sequence=self.committed, at=now, outbox=(row,)))

    async def newest(self) -> Delivery:
        """The row that was told last."""
        (found,) = await self.store.deliveries(limit=1)
        return found


@asynccontextmanager
async def sender(settings: Alertmanager, secret: str = "") -> AsyncIterator[Sender]:
    """It works for as long as the block lasts, and says nothing at its end."""
    clock, store, wake = AnchoredClock(), MemoryStore(), asyncio.Event()
    async with open_session() as session:
        notifier = AlertmanagerNotifier(settings, session, reading(secret), clock)
        worker = Worker(receiver(NAME, settings), store, notifier, clock=clock, random=Random(7), wake=wake)
        tasks = [asyncio.create_task(each.run()) for each in (worker, Resender(NAME, notifier, store, clock))]
        waking = asyncio.create_task(_wake(wake))
        try:
            yield Sender(store, clock)
        finally:
            for task in (*tasks, waking):
                task.cancel()
            await asyncio.gather(*tasks, waking, return_exceptions=True)


async def _wake(event: asyncio.Event) -> None:
    """As every commit does."""
    while True:
        event.set()
        await asyncio.sleep(0.02)
