"""The real Prometheus as the source, beside the embedded scrape and through its faults."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from aiohttp import web

from figwatch_agent.clock import AnchoredClock
from figwatch_agent.durations import SECOND
from figwatch_agent.engine.catalog import compile_catalog
from figwatch_agent.engine.counting import Counter
from figwatch_agent.model.batch import Batch
from figwatch_agent.model.secret import Secret
from figwatch_agent.model.selector import Selector
from figwatch_agent.model.settings import PrometheusServer, Scrape
from figwatch_agent.model.slo import Events
from figwatch_agent.sources.prometheus import PrometheusSource
from figwatch_agent.sources.scrape import ScrapeSource
from support.kept_samples import METRIC, ORDERS, orders
from support.real_prometheus import free_port, prometheus, victoria_metrics
from support.served import served
from support.world import settings

pytestmark = pytest.mark.needs("prometheus", "victoria-metrics")

ENGINES = {"Prometheus": prometheus, "VictoriaMetrics": victoria_metrics}


def read_secret(secret: Secret) -> str:
    return f"value of {secret.env}"


@dataclass(slots=True)
class Shop:
    """A scrape target whose counters a test turns."""

    counts: dict[str, int] = field(default_factory=lambda: {"200": 0, "500": 0})
    ok: bool = True

    async def page(self, _request: web.Request) -> web.StreamResponse:
        if not self.ok:
            return web.Response(status=500)
        lines = [f"# TYPE {METRIC} counter"]
        lines += [f'{METRIC}{{code="{code}"}} {count}' for code, count in self.counts.items()]
        return web.Response(
            body="\n".join([*lines, ""]).encode(), headers={"Content-Type": "text/plain; version=0.0.4"}
        )

    def restart(self) -> None:
        """Counters begin at 0."""
        self.counts = dict.fromkeys(self.counts, 0)


@asynccontextmanager
async def serving(shop: Shop) -> AsyncIterator[str]:
    """host:port of the shop."""
    app = web.Application()
    app.router.add_get("/metrics", shop.page)
    async with served(app) as url:
        yield url.removeprefix("http://")


class Watcher:
    """A source with the counting that the engine does."""

    def __init__(self, source: PrometheusSource | ScrapeSource, clock: AnchoredClock) -> None:
        self.source, self._clock = source, clock
        conf = settings(interval=SECOND)
        self.counter = Counter(compile_catalog((ORDERS,), conf))
        self.total = self.bad = 0
        self.down: list[str] = []

    async def look(self) -> None:
        """Collect and count once."""
        now = self._clock.now()
        batches = tuple(each for each in await self.source.collect(now) if isinstance(each, Batch))
        self.down = [batch.reason for batch in batches if not batch.up]
        tally = self.counter.count(batches, now)
        self.total += int(tally.total.sum() + tally.untimed_total.sum())
        self.bad += int(tally.bad.sum() + tally.untimed_bad.sum())


async def until(holds: Callable[[], bool], look: Callable[[], Awaitable[None]], within: float = 20.0) -> None:
    """Look until something holds."""
    deadline = time.monotonic() + within
    while not holds():
        assert time.monotonic() < deadline, "it never came about"
        await look()
        await asyncio.sleep(0.05)


@asynccontextmanager
async def both(folder: Path, shops: list[Shop], engine: str = "Prometheus") -> AsyncIterator[tuple[Watcher, Watcher]]:
    """(embedded scrape, Prometheus) over the same scrape targets; both have seen every shop."""
    clock = AnchoredClock(floor=0)
    async with AsyncExitStack() as stack:
        targets = [await stack.enter_async_context(serving(shop)) for shop in shops]
        url = await stack.enter_async_context(ENGINES[engine](folder, targets))
        scrape = Scrape(targets=tuple(f"http://{target}/metrics" for target in targets), interval=SECOND)
        scraped = ScrapeSource(scrape, frozenset({METRIC}), clock, read_secret)
        stack.push_async_callback(scraped.close)
        asked = PrometheusSource(PrometheusServer(url=url, interval=SECOND), [ORDERS], clock, read_secret)
        stack.push_async_callback(asked.close)
        watchers = Watcher(scraped, clock), Watcher(asked, clock)

        async def look() -> None:
            for watcher in watchers:
                await watcher.look()

        await until(lambda: all(len(watcher.counter.memories) >= len(shops) for watcher in watchers), look)
        yield watchers


async def _agree(folder: Path, seconds: float, seed: int, engine: str = "Prometheus") -> None:
    rng, shops = random.Random(seed), [Shop(), Shop()]
    async with both(folder, shops, engine) as (scraped, asked):
        served_total = 0
        ends, restarts = time.monotonic() + seconds, time.monotonic() + seconds / 4

        async def settle() -> None:
            """Nothing comes until both have counted what came, and have seen the counters as they stand."""

            def seen() -> bool:
                stand = sum(sum(shop.counts.values()) for shop in shops)
                lasts = [sum(int(m.last.sum()) for m in each.counter.memories.values()) for each in (scraped, asked)]
                return scraped.total == asked.total == served_total and lasts == [stand, stand]

            async def look() -> None:
                await scraped.look()
                await asked.look()

            await until(seen, look)

        while time.monotonic() < ends:
            for shop in shops:
                for code in shop.counts:
                    more = rng.randrange(0, 30) if code == "200" else rng.randrange(0, 2)
                    shop.counts[code] += more
                    served_total += more
            await asyncio.sleep(rng.uniform(0.05, 0.4))
            await scraped.look()
            if rng.random() < 0.5:
                await asked.look()
            if time.monotonic() > restarts:
                await settle()  # what comes between the last scrape and a restart is lost to whoever scraped before it
                rng.choice(shops).restart()
                await settle()  # a counter that passes its old value before the next scrape was not seen to be reset
                restarts += seconds / 4
        await settle()
        assert (scraped.total, scraped.bad) == (asked.total, asked.bad)
        assert served_total > 0
        assert scraped.bad > 0


@pytest.mark.parametrize("engine", ["Prometheus", pytest.param("VictoriaMetrics", marks=pytest.mark.slow)])
async def test_the_embedded_scrape_and_an_engine_count_the_same(tmp_path: Path, engine: str) -> None:
    await _agree(tmp_path, 3.0, seed=1, engine=engine)


@pytest.mark.slow
@pytest.mark.timeout(700)
async def test_embedded_scrape_and_prometheus_count_the_same_for_ten_minutes(tmp_path: Path) -> None:
    await _agree(tmp_path, 600.0, seed=2)


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
async def test_an_engine_that_was_gone_is_read_again_from_where_it_was_left(tmp_path: Path, engine: str) -> None:
    clock, shop = AnchoredClock(floor=0), Shop()
    port = free_port()
    async with serving(shop) as target:
        server = PrometheusServer(url=f"http://127.0.0.1:{port}", interval=SECOND)
        watcher = Watcher(PrometheusSource(server, [ORDERS], clock, read_secret), clock)
        async with ENGINES[engine](tmp_path, [target], port=port):
            await until(lambda: len(watcher.counter.memories) == 1 and not watcher.down, watcher.look)
            shop.counts["200"] += 7
            await until(lambda: watcher.total == 7, watcher.look)
        await watcher.look()
        assert watcher.down == ["refused"]
        assert "refused" in next(iter(watcher.source.faults.values()))
        shop.counts["200"] += 5
        async with ENGINES[engine](tmp_path, [target], port=port):
            await until(lambda: watcher.total == 12, watcher.look)
        await watcher.source.close()


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
async def test_a_target_that_the_engine_cannot_scrape_is_down(tmp_path: Path, engine: str) -> None:
    shop = Shop()
    async with both(tmp_path, [shop], engine) as (_, asked):
        shop.ok = False
        await until(lambda: "down" in asked.down, asked.look)
        shop.ok = True
        shop.counts["200"] += 3
        await until(lambda: asked.total == 3, asked.look)


async def test_a_thousand_slos_are_read_in_at_most_sixteen_questions(tmp_path: Path) -> None:
    slos = tuple(
        replace(ORDERS.slos[0], name=f"slo-{n}", sli=Events(total=(Selector(metric=f"m{n}_total"),), bad=(orders(),)))
        for n in range(1000)
    )
    asked: list[str] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        assert request.method == "POST"
        form = await request.post()
        asked.append(str(form["time"]))
        return web.json_response({"status": "success", "data": {"resultType": "matrix", "result": []}})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    async with served(app) as url:
        source = PrometheusSource(
            PrometheusServer(url=url), [replace(ORDERS, slos=slos)], AnchoredClock(floor=0), read_secret
        )
        await source.collect(1_234_567)
        await source.close()
    assert len(asked) <= 16
    assert set(asked) == {"1234.567"}
