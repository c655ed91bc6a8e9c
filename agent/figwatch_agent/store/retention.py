"""Forgets what ended long ago, so that a state does not grow for ever."""

import asyncio
from typing import Final

import structlog

from figwatch_agent.clock import Clock
from figwatch_agent.durations import HOUR, SECOND, Duration
from figwatch_agent.errors import StoreError
from figwatch_agent.ports import Store

EVERY: Final[Duration] = 6 * HOUR
"""Often enough that one round has little to do: the store takes no commit meanwhile."""

_log = structlog.get_logger(__name__)


class Retention:
    """Prunes at the start and every few hours after."""

    def __init__(self, store: Store, clock: Clock, keep: Duration) -> None:
        """``keep``: how long after its end anything is remembered."""
        self._store = store
        self._clock = clock
        self._keep = keep

    async def run(self) -> None:
        """Until cancelled. A store that is gone is tried again the next time."""
        while True:
            await self.prune()
            await asyncio.sleep(EVERY / SECOND)

    async def prune(self) -> None:
        """One round."""
        try:
            await self._store.prune(self._clock.now() - self._keep)
        except StoreError as error:
            _log.warning("what ended long ago could not be forgotten", error=str(error))
