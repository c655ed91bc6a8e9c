"""Starts the tasks that wiring hands it, and stops them in order."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

_log = structlog.get_logger(__name__)

GRACE = 10.0
"""Seconds that a task has to end after it was cancelled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A task that runs until cancelled."""

    name: str
    run: Callable[[], Awaitable[None]]


class PartEnded(RuntimeError):
    """A part ended that should run until cancelled; the agent stops, so that whatever watches it starts it anew."""


async def supervise(parts: Sequence[Part], stop: asyncio.Event) -> None:
    """Run all parts until ``stop`` is set or one of them ends; then cancel them, last started first.

    Raises PartEnded where a part ended by itself: a half-running agent looks healthy and is not.
    """
    tasks = [asyncio.create_task(_endless(part), name=part.name) for part in parts]
    stopping = asyncio.create_task(stop.wait(), name="stop")
    everything: list[asyncio.Task[Any]] = [stopping, *tasks]
    done, _ = await asyncio.wait(everything, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    for task in reversed(tasks):
        task.cancel()
    _, late = await asyncio.wait(tasks, timeout=GRACE)
    for task in late:
        _log.warning("part did not stop in time", part=task.get_name())
    for task in done - {stopping}:
        if not task.cancelled() and (error := task.exception()) is not None:
            raise error


async def _endless(part: Part) -> None:
    try:
        await part.run()
    except asyncio.CancelledError:
        raise
    except Exception as error:
        raise PartEnded(f"{part.name} failed: {type(error).__name__}: {error}") from error
    raise PartEnded(f"{part.name} ended by itself")


def watch_signals(stop: Callable[[], None], reload: Callable[[], None]) -> None:
    """SIGTERM and SIGINT ask for an orderly stop, SIGHUP for the files to be read anew."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    loop.add_signal_handler(signal.SIGHUP, reload)
