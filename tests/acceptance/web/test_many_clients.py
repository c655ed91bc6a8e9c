"""Two hundred open pages cost an agent little: its memory stays, and it goes on ticking."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
import pytest

from support.fake_gateway import until
from support.scene import Scene

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.alone]

CLIENTS = 200
SLOW = 20  # of them read nothing at all
WATCHED = 6.0
"""Seconds of ticks that everybody is told of."""

MOST_GROWTH = 48 * 1024
"""kB: two hundred sockets with their buffers, and not what the slow ones left unread."""

PAGES = ("/", "/agent", "/incidents", "/routes/api/v1/chat", "/routes/api/v1/chat?span=6h")


@dataclass(slots=True)
class Reader:
    """A client on a raw socket."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    slow: bool
    events: int = 0
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    async def read(self) -> None:
        """Count events until the connection ends."""
        while line := await self.reader.readline():
            self.events += line.startswith(b"event: ")


@asynccontextmanager
async def watching(url: str) -> AsyncIterator[list[Reader]]:
    """Everybody follows a page."""
    host, port = url.removeprefix("http://").split(":")
    readers: list[Reader] = []
    try:
        for number in range(CLIENTS):
            reader, writer = await asyncio.open_connection(host, int(port), limit=1024 * 1024)
            page = PAGES[number % len(PAGES)].replace("?", "%3F").replace("=", "%3D")
            writer.write(f"GET /live?page={page} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            one = Reader(reader, writer, slow=number % (CLIENTS // SLOW) == 0)
            readers.append(one)
            if one.slow:
                writer.transport.pause_reading()  # type: ignore[attr-defined]  # asyncio types it as a writing end
            else:
                one.tasks.append(asyncio.create_task(one.read()))
        yield readers
    finally:
        for one in readers:
            for task in one.tasks:
                task.cancel()
            one.writer.transport.abort()
        await asyncio.gather(*(task for one in readers for task in one.tasks), return_exceptions=True)


def resident(pid: int) -> int:
    """kB of a process in memory."""
    said = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=True)  # noqa: S607
    return int(said.stdout)


async def ticked(url: str) -> tuple[int, float]:
    """How many ticks the agent has finished, and the seconds that they took in all."""
    async with aiohttp.ClientSession() as session, session.get(f"{url}/metrics") as answer:
        lines = dict(line.rsplit(" ", 1) for line in (await answer.text()).splitlines() if line[:1] not in ("#", ""))
    name = "figwatch_agent_tick_seconds"
    return int(float(lines[f"{name}_count"])), float(lines[f"{name}_sum"])


async def mean_tick(url: str) -> float:
    """Seconds that a tick takes on average, over the time that everybody watches."""
    count, spent = await ticked(url)
    await asyncio.sleep(WATCHED)  # it is the time that is measured over
    later, more = await ticked(url)
    assert later - count >= 2, "the agent hardly ticks"
    return (more - spent) / (later - count)


@pytest.mark.slow
async def test_two_hundred_pages_are_kept_current_in_bounded_memory_while_the_agent_ticks_on(scene: Scene) -> None:
    scene.home.interval, scene.home.timeout = "500ms", "400ms"
    agent = await scene.begin()
    alone = await mean_tick(agent.url)
    before = resident(agent.pid)
    async with watching(agent.url) as readers:
        quick = [one for one in readers if not one.slow]
        await until(lambda: all(one.events for one in quick), 30, "a first event for everybody")
        together = await mean_tick(agent.url)
        assert resident(agent.pid) - before < MOST_GROWTH
        assert min(one.events for one in quick) >= 3, "somebody was told nothing more"
        assert not any(one.reader.at_eof() for one in quick)
    assert together < alone + 0.2, f"a tick takes {together:.3f} s, and took {alone:.3f} s"
