"""Keeps what is open open at an Alertmanager, from the first moment after a restart on."""

import asyncio
from typing import Final

import structlog

from figwatch_agent.clock import Clock
from figwatch_agent.durations import SECOND, Duration
from figwatch_agent.model.effect import DeliveryState
from figwatch_agent.model.journal import Topic
from figwatch_agent.model.page import PageKind
from figwatch_agent.notify.alertmanager_book import OVER_FOR
from figwatch_agent.notify.alertmanager_kept import standing_of
from figwatch_agent.notify.alertmanager_notifier import AlertmanagerNotifier
from figwatch_agent.notify.pause import Wait, wait_for
from figwatch_agent.ports import Outbox

TROUBLE_PAUSE: Final[Duration] = SECOND
"""After a turn that failed."""
_ROWS: Final = 1000
"""Of one incident, the newest first; it has a few."""

_log = structlog.get_logger(__name__)


class Resender:
    """Says again what is due, for one receiver."""

    def __init__(
        self, receiver: str, notifier: AlertmanagerNotifier, outbox: Outbox, clock: Clock, wait: Wait = wait_for
    ) -> None:
        self._receiver = receiver
        self._notifier = notifier
        self._outbox = outbox
        self._clock = clock
        self._wait = wait
        self._recalled = False
        self._never = asyncio.Event()

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            try:
                await self.turn()
                await self._idle()
            except Exception as error:  # noqa: BLE001 (the edge of a turn: what is open must go on being said)
                _log.warning("resending failed", receiver=self._receiver, error=type(error).__name__)
                await self._wait(self._never, TROUBLE_PAUSE)

    async def turn(self) -> None:
        """Say what is due now; before the first time, read what stood when the agent ended."""
        if not self._recalled:
            for topic in await self._outbox.topics(self._receiver):
                await self._recall(topic)
            self._recalled = True
        self._notifier.changed.clear()
        await self._notifier.resend()

    async def _recall(self, topic: Topic) -> None:
        standing = standing_of(topic.message_id)
        if standing is None:
            return
        if standing.ended_at is not None and standing.ended_at + OVER_FOR < self._clock.now():
            return
        rows = [
            row for row in await self._outbox.deliveries(topic.incident, _ROWS) if row.row.page.group == topic.group
        ]
        mine = [row for row in rows if row.row.receiver == self._receiver and row.state is DeliveryState.ACCEPTED]
        if not mine:
            return
        if standing.ended_at is None and rows[0].row.page.kind is PageKind.RESOLVE:
            # Its end is on the way, or was refused and told elsewhere: where nobody says it is open, it ends by itself.
            return
        self._notifier.recall(mine[0], standing)

    async def _idle(self) -> None:
        due = self._notifier.next_due()
        await self._wait(self._notifier.changed, None if due is None else max(due - self._clock.now(), 0))
