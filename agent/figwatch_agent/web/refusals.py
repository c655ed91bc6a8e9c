"""Refused tokens and forms in the audit, a few lines an hour however many there are."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

import structlog
from aiohttp import web

from figwatch_agent.clock import Clock
from figwatch_agent.durations import HOUR, SECOND, Duration, Instant
from figwatch_agent.errors import StoreError
from figwatch_agent.model.audit import AuditKind, AuditNote
from figwatch_agent.ports import Audit

INTERVAL: Final[Duration] = HOUR

MOST: Final = 8
"""Addresses with lines of their own in one interval; the rest share one. With the first of each written at once and the
repeats counted at the end, an attack fills at most 18 lines an hour: some 70 MB in 400 days."""

OTHERS: Final = "other addresses"

_log = structlog.get_logger(__name__)


@dataclass(slots=True, kw_only=True)
class _Repeats:
    note: AuditNote  # the newest
    count: int


class Refusals:
    """The first refusal of an address in an interval is a line at once, all others are counted in one more."""

    def __init__(self, audit: Audit, clock: Clock) -> None:
        self._audit = audit
        self._clock = clock
        self._begun: Instant = clock.now()
        self._repeats: dict[str, _Repeats] = {}

    async def note(self, address: str, origin: str, why: str, actor: str = "", subject: str = "") -> None:
        """Remember that somebody was refused; ``why`` never holds what they sent as a token."""
        now = self._clock.now()
        if now - self._begun >= INTERVAL:
            await self.flush()
        key = address if address in self._repeats or len(self._repeats) < MOST else OTHERS
        where = address if key == address else OTHERS
        note = AuditNote(
            at=now, kind=AuditKind.REFUSED, actor=actor, origin=f"{origin} {where}", subject=subject[:200], why=why
        )
        known = self._repeats.get(key)
        if known is None:
            self._repeats[key] = _Repeats(note=note, count=0)
            await self._write(note)
        else:
            known.note, known.count = note, known.count + 1

    async def flush(self) -> None:
        """Write what was counted, and begin anew."""
        waiting, self._repeats, self._begun = self._repeats, {}, self._clock.now()
        for each in waiting.values():
            if each.count:
                await self._write(_counted(each))

    async def counting(self, app: web.Application) -> AsyncIterator[None]:
        """Beside an application: write at the end of every interval, and what is left when it ends."""
        task = asyncio.create_task(self._at_every_end(), name="refusals")
        yield
        task.cancel()
        await asyncio.wait([task])
        await self.flush()

    async def _at_every_end(self) -> None:
        while True:
            await asyncio.sleep(INTERVAL / SECOND)
            await self.flush()

    async def _write(self, note: AuditNote) -> None:
        try:
            await self._audit.note(note)
        except StoreError as error:  # who was refused stays refused
            _log.warning("the audit cannot be written", error=str(error))


def _counted(repeats: _Repeats) -> AuditNote:
    note = repeats.note
    return AuditNote(
        at=note.at,
        kind=note.kind,
        actor=note.actor,
        origin=note.origin,
        subject=note.subject,
        why=f"repeated {repeats.count} times, at last: {note.why}",
        count=repeats.count,
    )
