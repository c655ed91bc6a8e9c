"""A real engine that goes on scraping while nobody can reach it: what it kept is counted as if it had been read."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web

from figwatch_agent.clock import AnchoredClock
from figwatch_agent.durations import SECOND
from figwatch_agent.engine import Engine
from figwatch_agent.model.batch import Batch
from figwatch_agent.model.inputs import Inputs
from figwatch_agent.model.missing import Past
from figwatch_agent.model.secret import Secret
from figwatch_agent.model.settings import PrometheusServer, Scrape, Settings
from figwatch_agent.sources.prometheus import PrometheusSource
from figwatch_agent.sources.prometheus_api import PrometheusApi
from figwatch_agent.sources.scrape import ScrapeSource
from support.kept_samples import METRIC, ORDERS
from support.real_prometheus import free_port, prometheus, victoria_metrics
from support.served import served
from support.world import settings

pytestmark = [pytest.mark.needs("prometheus", "victoria-metrics"), pytest.mark.slow]

ENGINES = {"Prometheus": prometheus, "VictoriaMetrics": victoria_metrics}
LATE = 2 * SECOND


def read_secret(secret: Secret) -> str:
    raise AssertionError(f"nobody asked for {secret}")


class Door:
    """A way to the engine that can be shut: connections are refused then, and the engine knows nothing of it."""

    def __init__(self, behind: str) -> None:
        host, _, port = behind.removeprefix("http://").rpartition(":")
        self._behind = host, int(port)
        self.port = free_port()
        self._server: asyncio.Server | None = None
        self._inside: set[asyncio.StreamWriter] = set()

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._through, "127.0.0.1", self.port)

    async def shut(self) -> None:
        if self._server is not None:
            self._server.close()
            for each in list(self._inside):
                each.transport.abort()
            await self._server.wait_closed()
            self._server = None

    async def _through(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        onward = await asyncio.open_connection(*self._behind)
        self._inside.add(writer)
        try:
            await asyncio.gather(_pump(reader, onward[1]), _pump(onward[0], writer))
        finally:
            self._inside.discard(writer)
            for each in (writer, onward[1]):
                each.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


class Agent:
    """An engine of figwatch with its source."""

    def __init__(self, source: PrometheusSource | ScrapeSource, engine: Engine, clock: AnchoredClock) -> None:
        self.source, self.engine, self._clock = source, engine, clock
        self.at = 0

    async def look(self) -> None:
        """One tick."""
        collected = await self.source.collect(self._clock.now())
        self.at = max(self._clock.now(), self.at + 1)
        batches = tuple(each for each in collected if isinstance(each, Batch))
        past = tuple(each for each in collected if isinstance(each, Past))
        self.engine.advance(Inputs(batches=batches, past=past), self.at)

    def counts(self) -> tuple[int, int, int]:
        """(total, bad) in windows, and all events of no window."""
        parts = self.engine._parts
        total, bad = parts.rings.counted()
        return int(total.sum()), int(bad.sum()), int(parts.untimed_total.sum() + parts.untimed_bad.sum())


async def until(holds: Callable[[], bool], look: Callable[[], Awaitable[None]], within: float = 30.0) -> None:
    deadline = time.monotonic() + within
    while not holds():
        assert time.monotonic() < deadline, "it never came about"
        await look()
        await asyncio.sleep(0.1)


@asynccontextmanager
async def agents(url: str, target: str) -> AsyncIterator[tuple[Agent, Agent]]:
    """(embedded scrape, engine behind a door)."""
    clock, conf = AnchoredClock(floor=0), settings(interval=SECOND)
    server = PrometheusServer(url=url, interval=SECOND)

    def engine(source: Scrape | PrometheusServer) -> Engine:
        found: Settings = replace(conf, source=source)
        return Engine((ORDERS,), found)

    scrape = Scrape(targets=(f"http://{target}/metrics",), interval=SECOND)
    scraped = Agent(ScrapeSource(scrape, frozenset({METRIC}), clock, read_secret), engine(scrape), clock)
    asking = engine(server)
    source = PrometheusSource(server, [ORDERS], clock, read_secret, missing=asking.missing, late=LATE)
    asked = Agent(source, asking, clock)
    try:
        yield scraped, asked
    finally:
        await scraped.source.close()
        await asked.source.close()


@pytest.mark.parametrize("engine", ENGINES)
async def test_what_an_unreachable_engine_scraped_is_counted_like_the_embedded_scrape(
    tmp_path: Path, engine: str
) -> None:
    counts = {"200": 0, "500": 0}

    async def page(_request: web.Request) -> web.StreamResponse:
        lines = [f"# TYPE {METRIC} counter", *(f'{METRIC}{{code="{code}"}} {n}' for code, n in counts.items()), ""]
        return web.Response(body="\n".join(lines).encode(), headers={"Content-Type": "text/plain; version=0.0.4"})

    app = web.Application()
    app.router.add_get("/metrics", page)
    async with served(app) as shop:
        target = shop.removeprefix("http://")
        async with ENGINES[engine](tmp_path, [target]) as real:
            door, direct = Door(real), PrometheusApi(PrometheusServer(url=real), read_secret)
            await door.open()
            async with agents(f"http://127.0.0.1:{door.port}", target) as (scraped, asked):
                await until(lambda: bool(asked.engine.counted_to()), asked.look)
                await until(lambda: bool(scraped.engine.counted_to()), scraped.look)
                served_in_all = 0

                async def stored() -> None:
                    """Both scrapers hold the counters as they stand: what a restart takes away is lost to neither."""
                    stand = sum(counts.values())
                    deadline = time.monotonic() + 20
                    while True:
                        await scraped.look()
                        await asked.look()
                        answer = await direct.instant(f"{METRIC}[2000ms]", AnchoredClock(floor=0).now())
                        newest = sum(float(each["values"][-1][1]) for each in answer.data["result"])
                        if newest == stand and scraped.counts()[0] == served_in_all:
                            return
                        assert time.monotonic() < deadline, (newest, stand, scraped.counts())
                        await asyncio.sleep(0.1)

                for round_ in range(8):
                    if round_ == 1:
                        await door.shut()
                    if round_ == 4:
                        counts.update(dict.fromkeys(counts, 0))
                        await stored()
                    if round_ == 7:
                        await door.open()
                    counts["200"] += 11
                    counts["500"] += 2
                    served_in_all += 13
                    await stored()
                    began = time.monotonic()
                    await until(lambda: time.monotonic() - began > 1.5, asked.look)  # noqa: B023  # at once
                await until(lambda: asked.counts()[0] == served_in_all, asked.look, within=15)
                assert scraped.counts() == asked.counts()
                assert asked.counts() == (served_in_all, 16, 0)
                assert asked.engine.missing() == ()
            await direct.close()
            await door.shut()
