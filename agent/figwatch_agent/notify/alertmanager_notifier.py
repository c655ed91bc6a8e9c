"""Alertmanager, API version 2: what is open is said again and again, and what is over for a while.

Every member of a pair or a cluster is told, each for itself. A delivery is done once one of them has it: they gossip
about who was notified, not about alerts, and whoever missed it hears it with the next resend.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

import aiohttp

from figwatch_agent.clock import Clock
from figwatch_agent.durations import Instant
from figwatch_agent.model.alertmanager import Standing
from figwatch_agent.model.journal import Delivery, DeliveryResult, DeliveryResultKind
from figwatch_agent.model.page import PageKind
from figwatch_agent.model.secret import ReadSecret
from figwatch_agent.model.settings import Alertmanager
from figwatch_agent.notify.alertmanager import (
    GOOD_FOR,
    INFORMED_FOR,
    Entry,
    entry_of,
    information_of,
    recalled,
    retired,
)
from figwatch_agent.notify.alertmanager_book import Book
from figwatch_agent.notify.alertmanager_kept import kept, standing_of
from figwatch_agent.notify.alertmanager_member import Documents, Member

ObserveMember = Callable[[str, DeliveryResult], None]
"""Told of every request: the member's place in the list, from 1, and the result."""

_BEST_FIRST: Final = (
    DeliveryResultKind.ACCEPTED,
    DeliveryResultKind.UNCONFIRMED,
    DeliveryResultKind.RETRY,
    DeliveryResultKind.REFUSED,
)
"""What is made of several answers: refused for good is only what everybody refuses."""


def _unobserved(member: str, result: DeliveryResult) -> None:
    return


class AlertmanagerNotifier:
    """ports.Notifier of one Alertmanager or a cluster. ``changed`` is set when there is more or less to say again."""

    def __init__(
        self,
        settings: Alertmanager,
        session: aiohttp.ClientSession,
        read_secret: ReadSecret,
        clock: Clock,
        observe: ObserveMember = _unobserved,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._observe = observe
        self._book = Book(settings.resend)
        self.changed = asyncio.Event()
        self._members = [
            (str(place), Member(str(place), url, settings, session, read_secret))
            for place, url in enumerate(settings.urls, start=1)
        ]

    async def deliver(self, delivery: Delivery) -> DeliveryResult:
        """One page, told to all members at once."""
        page = delivery.row.page
        # What is sent while the store is gone comes without what the store knows.
        known = standing_of(delivery.message_id) or self._book.standing(page.group)
        if page.kind is PageKind.INFORMATION and known is None:
            return await self._inform(delivery)
        if page.kind is PageKind.INFORMATION:
            # It is open there and over by now. The end waits behind this row and says all there is to say.
            return DeliveryResult(kind=DeliveryResultKind.ACCEPTED)
        entry = entry_of(delivery, known, self._settings.labels)
        gone = retired(entry, known, page.at)
        if entry.standing.ended_at is not None:
            self._book.hold(entry.group)
        result = await self._tell_all(lambda: [*self._written([entry]), *self._written([gone] if gone else [])])
        if result.kind is not DeliveryResultKind.ACCEPTED:
            return result
        self._book.take(entry, self._clock.now())
        self.changed.set()
        return DeliveryResult(kind=DeliveryResultKind.ACCEPTED, message_id=kept(entry.standing))

    async def close(self) -> None:
        """The session belongs to whoever opened it."""

    def recall(self, delivery: Delivery, standing: Standing) -> None:
        """This stood before the agent was started: go on saying it, with the words of this row."""
        self._book.recall(recalled(delivery, standing))

    async def resend(self) -> None:
        """Say again what is due. Whoever does not take it is told the next time."""
        groups = self._book.due(self._clock.now())
        if not groups:
            return
        self._book.sent(groups, self._clock.now())
        await self._tell_all(lambda: self._written(self._book.entries(groups)))

    def next_due(self) -> Instant | None:
        """When ``resend`` has something to say; None: not until something is delivered."""
        return self._book.next_due()

    async def _inform(self, delivery: Delivery) -> DeliveryResult:
        entry = information_of(delivery, self._settings.labels)
        return await self._tell_all(lambda: entry.documents(self._clock.now() + INFORMED_FOR))

    def _written(self, entries: Sequence[Entry]) -> list[dict[str, object]]:
        good_until = self._clock.now() + GOOD_FOR * self._settings.resend
        return [document for entry in entries for document in entry.documents(good_until)]

    async def _tell_all(self, documents: Documents) -> DeliveryResult:
        results = await asyncio.gather(*(member.send(documents, self._clock) for _, member in self._members))
        for (name, _), result in zip(self._members, results, strict=True):
            self._observe(name, result)
        return min(results, key=lambda result: _BEST_FIRST.index(result.kind))
