"""Whether loop, store and outbox are well."""

import asyncio
from collections.abc import Mapping

from figwatch_agent.clock import Clock
from figwatch_agent.durations import MINUTE, SECOND, Instant
from figwatch_agent.errors import StoreError
from figwatch_agent.loop import Loop
from figwatch_agent.store.sqlite import SqliteStore
from figwatch_agent.telemetry import Telemetry

OUTBOX_LATE = 5 * MINUTE
"""A page that waits longer makes the agent unhealthy: somebody else should know."""


class Health:
    """Loop, store and outbox: the heartbeat is sent only while all three are well."""

    def __init__(self, loop: Loop, store: SqliteStore, clock: Clock, telemetry: Telemetry) -> None:
        self._loop = loop
        self._store = store
        self._clock = clock
        self._telemetry = telemetry
        self._outbox = True

    def parts(self) -> Mapping[str, bool]:
        """Each part and whether it is well."""
        return {"loop": self._loop.alive(), "store": self._loop.store_healthy, "outbox": self._outbox}

    def well(self) -> bool:
        """All of them."""
        return all(self.parts().values())

    async def run(self) -> None:
        """Look at the outbox every few seconds until cancelled."""
        while True:
            await self._look()
            await asyncio.sleep(2)

    async def _look(self) -> None:
        try:
            oldest: Instant | None = await self._store.oldest_pending()
        except StoreError:
            return  # the store's own health says so
        age = 0 if oldest is None else max(self._clock.now() - oldest, 0)
        self._outbox = age < OUTBOX_LATE
        self._telemetry.oldest_pending(age / SECOND)
