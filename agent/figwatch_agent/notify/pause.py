"""Waiting, as something that is handed in: tests put a clock of their own behind it."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from figwatch_agent.durations import SECOND, Duration

Wait = Callable[[asyncio.Event, Duration | None], Awaitable[None]]
"""Return when the event is set or the time is over; None is for ever."""


async def wait_for(event: asyncio.Event, duration: Duration | None) -> None:
    """The real one."""
    with suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), None if duration is None else duration / SECOND)
