"""Every query of every dashboard answers, on the real Prometheus that scrapes the demo while a service fails."""

from __future__ import annotations

import asyncio
import json
import math
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest

from figwatch import contract
from figwatch_agent.demo.fault import Kind
from figwatch_agent.files.load import load_slo_files
from figwatch_agent.generate.rule_files import rule_files
from figwatch_agent.generate.rules import Options
from support.dashboards import queries
from support.real_prometheus import prometheus
from support.running_demo import ROUTE, RunningDemo, running_demo

WITHIN = 40.0
"""Seconds for whatever is waited for."""


def rules(folder: Path) -> Iterator[tuple[str, str]]:
    """The rules for the demo's promises, whose minute is five seconds long here."""
    services, _ = load_slo_files([str(file) for file in sorted(folder.glob("slo/*.yaml"))])
    for name, text in rule_files(services, Options()).items():
        if name.endswith(".rules.yml"):
            for minute, short in (("offset 1m", "offset 5s"), ("[1m]", "[5s]"), ("interval: 1m", "interval: 1s")):
                text = text.replace(minute, short)
            yield name, text.replace("interval: 5m", "interval: 1s")


def targets(demo: RunningDemo) -> list[str]:
    """What Prometheus scrapes in production: the edge, legacy, the services, the agent."""
    stack = demo.stack
    parts = (stack.gateway, stack.legacy, *stack.services.values())
    return [f"127.0.0.1:{part.port}" for part in parts] + [urlsplit(demo.url).netloc]


class Asked:
    """Answers of one Prometheus."""

    def __init__(self, client: aiohttp.ClientSession, url: str) -> None:
        self._client = client
        self._url = url

    async def _get(self, path: str, parameters: Mapping[str, str]) -> Any:
        async with self._client.post(f"{self._url}/api/v1/{path}", data=parameters) as answer:
            document = await answer.json()
            assert document["status"] == "success", document
            return document["data"]

    async def at(self, query: str, instant: float) -> list[str]:
        """Values of an instant query."""
        data = await self._get("query", {"query": query, "time": str(instant)})
        return [series["value"][1] for series in data["result"]]

    async def over(self, query: str, start: float, end: float) -> list[str]:
        """Values of a range query."""
        parameters = {"query": query, "start": str(start), "end": str(end), "step": "1"}
        data = await self._get("query_range", parameters)
        return [value for series in data["result"] for _, value in series["values"]]

    async def exemplars(self, start: float, end: float) -> list[str]:
        """Trace ids of the single requests that latency panels show as dots."""
        query = f"{contract.REQUEST_DURATION}_bucket"
        found = await self._get("query_exemplars", {"query": query, "start": str(start), "end": str(end)})
        return [one["labels"]["trace_id"] for series in found for one in series["exemplars"]]

    async def until(self, query: str) -> None:
        """Wait until it answers something."""
        deadline = time.monotonic() + WITHIN
        while not await self.at(query, time.time()):
            assert time.monotonic() < deadline, f"nothing within {WITHIN} s: {query}"
            await asyncio.sleep(0.5)


@pytest.mark.slow
@pytest.mark.timeout(180)
@pytest.mark.needs("prometheus")
async def test_every_query_of_every_dashboard_answers_with_numbers(tmp_path: Path) -> None:
    store = tmp_path / "prometheus"
    store.mkdir()
    async with running_demo(tmp_path) as demo:
        for name, text in rules(tmp_path):
            (store / name).write_text(text, "utf-8")
        more = ("--enable-feature=exemplar-storage",)
        async with prometheus(store, targets(demo), scrape="1s", rules=str(store / "*.rules.yml"), more=more) as url:
            asked, start = Asked(demo.client, url), time.time()
            await asked.until("slo:bad_events:ratio_increase5m")
            await demo.fault(Kind.ERRORS)
            await demo.incident(lambda one: bool(one["rollback"]) and one["rollback"]["state"] == "done")
            await demo.fault(Kind.NONE)
            await demo.incident(lambda one: one["resolved_at"] is not None)
            await asked.until(f'figwatch_incident_mitigated_timestamp_seconds{{route="{ROUTE}"}}')
            end = time.time()
            empty, odd = await answers(asked, start, end)
            traces = await asked.exemplars(start, end)
    assert empty == []
    assert odd == []
    assert traces
    assert all(len(trace) == 32 for trace in traces)


async def answers(asked: Asked, start: float, end: float) -> tuple[list[str], list[str]]:
    """(queries without an answer, queries with what is no number)."""
    empty, odd = [], []
    of_the_end = set(queries(of_the_end=True))
    for where, query in queries():
        at_the_end = (where, query) in of_the_end
        values = await (asked.at(query, end) if at_the_end else asked.over(query, start, end))
        if not values:
            empty.append(f"{where}: {query}")
        if not all(math.isfinite(float(value)) for value in values):
            odd.append(f"{where}: {query} {json.dumps(values[:20])}")
    return empty, odd
