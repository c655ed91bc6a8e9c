"""A call to an outside watchdog that is made only while the agent is healthy: when it stops, somebody else pages."""

import asyncio
from collections.abc import Callable
from typing import Final

import aiohttp
import structlog

from figwatch_agent.errors import SecretUnreadable
from figwatch_agent.model.secret import ReadSecret, resolved
from figwatch_agent.model.settings import Heartbeat as Settings
from figwatch_agent.notify.pause import Wait, wait_for

TIMEOUT: Final = aiohttp.ClientTimeout(total=10)
"""Seconds."""

_log = structlog.get_logger(__name__)


class Heartbeat:
    """Calls the watchdog's URL once an interval. GET, which every such service takes."""

    def __init__(
        self,
        settings: Settings,
        session: aiohttp.ClientSession,
        read_secret: ReadSecret,
        *,
        healthy: Callable[[], bool],
        wait: Wait = wait_for,
    ) -> None:
        self._settings = settings
        self._session = session
        self._read_secret = read_secret
        self._healthy = healthy
        self._wait = wait
        self._never = asyncio.Event()

    async def run(self) -> None:
        """Call until cancelled."""
        while True:
            await self.beat()
            await self._wait(self._never, self._settings.interval)

    async def beat(self) -> bool:
        """Call once if healthy; whether the watchdog took it. Its URL is a secret and appears in no log."""
        if not self._healthy():
            return False
        try:
            url = resolved(self._settings.url, self._read_secret)
            async with self._session.get(url, timeout=TIMEOUT, allow_redirects=False) as answer:
                taken = answer.ok
        except (aiohttp.ClientError, OSError, SecretUnreadable) as error:
            _log.warning("heartbeat failed", error=type(error).__name__)
            return False
        return taken
