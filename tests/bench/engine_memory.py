"""Memory of a whole agent with a thousand compact SLOs: the real process, its rings full, its state in SQLite.

Thirty days are in the state before it starts. It then scrapes the page of the SLOs and serves its own, some of which
are asked for; what is weighed is the resident memory of the process after that, its highest being told beside it.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import aiohttp
from aiohttp import web

from bench.row import Row
from figwatch_agent.durations import SECOND
from figwatch_agent.store.sqlite import SqliteStore
from support.project_load import Jobs, a_month, write
from support.served import everywhere, served

SLOS: Final = 1_000
LIMIT_MB: Final = 100.0
SCRAPES: Final = 20
"""A second apart."""
PATHS: Final = ("/", "/api/v1/status", "/metrics")
"""What people and machines look at."""
WITHIN: Final = 120.0
_LISTENS: Final = re.compile(r"http://127\.0\.0\.1:\d+")


def rows() -> Iterator[Row]:
    """One row."""
    with tempfile.TemporaryDirectory(prefix="figwatch-bench-") as folder:
        resident, highest = asyncio.run(_megabytes(Path(folder)))
    yield Row(
        name="an agent with 1,000 compact SLOs / 100 MB resident",
        ratio=resident / LIMIT_MB,
        limit=1.0,
        note=f"{resident:.1f} MB, at most {highest:.1f} MB",
    )


async def _megabytes(folder: Path) -> tuple[float, float]:
    jobs, scrapes = Jobs(SLOS), asyncio.Semaphore(0)

    async def page(_: web.Request) -> web.Response:
        jobs.work(SECOND)
        scrapes.release()
        return web.Response(body=jobs.page(), content_type="text/plain")

    async with served(everywhere(page)) as url:
        loaded = write(folder, f"{url}/metrics", SLOS)
        store = SqliteStore(folder / "figwatch.db")
        await store.open()
        await store.commit(a_month(loaded, jobs, int(time.time() * SECOND) - 30 * SECOND))
        await store.close()
        async with _agent(folder) as (pid, own), asyncio.timeout(WITHIN):
            for _ in range(SCRAPES):
                await scrapes.acquire()
            await _look(own)
            for _ in range(3):
                await scrapes.acquire()
            return _status(pid, "VmRSS"), _status(pid, "VmHWM")


@asynccontextmanager
async def _agent(folder: Path) -> AsyncIterator[tuple[int, str]]:
    """Process id and URL of ``figwatch run`` in a folder."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "figwatch_agent", "run", "--quiet"),
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    try:
        async with asyncio.timeout(WITHIN):
            url = await _greeted(process.stderr)
        yield process.pid, url
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()


async def _greeted(words: asyncio.StreamReader) -> str:
    """Where the agent says that it listens."""
    said = b""
    while line := await words.readline():
        said += line
        if (found := _LISTENS.search(line.decode())) is not None:
            return found[0]
    raise RuntimeError(f"the agent does not say where it listens: {said.decode()}")


async def _look(url: str) -> None:
    async with aiohttp.ClientSession() as session:
        for path in PATHS:
            async with session.get(url + path) as answer:
                answer.raise_for_status()
                await answer.read()


def _status(pid: int, name: str) -> float:
    """Megabytes of a process, by a line of its status."""
    for line in Path(f"/proc/{pid}/status").read_text("ascii").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise RuntimeError(f"/proc/{pid}/status tells no {name}: memory is measured on Linux only")
