"""Real engines, by both readers: raw samples to the last integer, ranges, metadata, refusals, and a history."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from figwatch_agent.clock import AnchoredClock
from figwatch_agent.durations import MINUTE, SECOND, Instant
from figwatch_agent.sources.fault import Fault
from figwatch_agent.sources.history_prometheus import PrometheusHistory
from figwatch_agent.sources.prometheus_asking import PrometheusReader
from support.readers import READERS, reading
from support.real_prometheus import prometheus, victoria_metrics
from support.served import served

pytestmark = pytest.mark.needs("prometheus", "victoria-metrics")

ENGINES = {"Prometheus": prometheus, "VictoriaMetrics": victoria_metrics}
LARGE = 9_007_199_254_740_000
"""Close to what a double holds exactly."""
LABEL = 'a "quoted" \\ back\nslash & ü'


@dataclass(slots=True)
class Shop:
    """One counter that a test turns, with a label that must be escaped on every way."""

    count: int = LARGE

    async def page(self, _request: web.Request) -> web.StreamResponse:
        label = LABEL.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        lines = ["# HELP orders_total Orders.", "# TYPE orders_total counter"]
        lines += [f'orders_total{{shop="{label}"}} {self.count}', ""]
        headers = {"Content-Type": "text/plain; version=0.0.4; charset=utf-8"}
        return web.Response(body="\n".join(lines).encode(), headers=headers)


@asynccontextmanager
async def scraped(folder: Path, engine: str) -> AsyncIterator[tuple[str, Shop]]:
    """(URL of an engine that scrapes a shop, the shop)."""
    shop, app = Shop(), web.Application()
    app.router.add_get("/metrics", shop.page)
    async with served(app) as url, ENGINES[engine](folder, [url.removeprefix("http://")]) as found:
        yield found, shop


async def held(reader: PrometheusReader, count: int) -> Instant:
    """The instant of the scrape that first brought ``count``."""
    deadline = time.monotonic() + 20
    while True:
        answer = await reader.instant(f"orders_total[{MINUTE}ms]", AnchoredClock(floor=0).now())
        found = [at for each in answer.data["result"] for at, value in each["values"] if int(float(value)) == count]
        if found:
            at: float = found[0]
            return round(at * SECOND)
        assert time.monotonic() < deadline, answer
        await asyncio.sleep(0.1)


@pytest.mark.parametrize("engine", ["Prometheus", pytest.param("VictoriaMetrics", marks=pytest.mark.slow)])
async def test_both_readers_read_the_same_of_a_real_engine(tmp_path: Path, engine: str) -> None:
    async with scraped(tmp_path, engine) as (url, shop):
        found: dict[str, dict[str, Any]] = {}
        async with reading(READERS["aiohttp"], url) as first:
            begin = await held(first, LARGE)
            shop.count += 7
            end = await held(first, LARGE + 7)
        for name, made in READERS.items():
            async with reading(made, url) as reader:
                found[name] = await _read(reader, begin, end)
        one, other = found.values()
        assert one == other
        assert one["warnings"] == [(), (), ()]
        (series,) = one["instant"]["result"]
        assert series["metric"]["shop"] == LABEL
        assert {int(float(value)) for _, value in series["values"]} == {LARGE, LARGE + 7}
        assert one["range"]["resultType"] == "matrix"
        assert int(one["history"][-1][1] - one["history"][0][1]) == 7


async def _read(reader: PrometheusReader, begin: Instant, end: Instant) -> dict[str, Any]:
    instant = await reader.instant(f"orders_total[{end - begin + 1}ms]", end)
    over = await reader.range("orders_total", begin, end, 200)
    metadata = await reader.metadata("orders_total")
    history = await PrometheusHistory(reader, ["orders_total"], lambda series: True).read(begin, end)
    (track,) = history.targets[0].tracks
    with pytest.raises(Fault, match=r"parse error|unexpected token"):
        await reader.instant("orders_total{", end)
    return {
        "instant": instant.data,
        "range": over.data,
        "metadata": metadata.data,
        "warnings": [answer.warnings for answer in (instant, over, metadata)],
        "history": list(zip(track.at.tolist(), track.values.tolist(), strict=True)),
    }
