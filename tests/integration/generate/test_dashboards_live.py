"""Every query of every dashboard answers, on the real Prometheus that scrapes the demo while a service fails."""

from __future__ import annotations

import asyncio
import json
import math
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

import aiohttp
import pytest

from figwatch import contract
from figwatch_agent.demo.fault import Kind
from figwatch_agent.files.load import load_slo_files
from figwatch_agent.generate.rule_files import rule_files
from figwatch_agent.generate.rules import Options
from support.dashboards import boards, chosen, filled, legends, panels, queries, variable_query
from support.real_prometheus import prometheus
from support.running_demo import ROUTE, RunningDemo, running_demo

ONE: Final = "/api/v1/chat/{id}"
"""A route with characters that mean something in a pattern."""
NOT_IN_THE_DEMO: Final = {f"figwatch-agent: Members of an Alertmanager A: {label}" for label in ("member", "result")}
"""The demo sends to no Alertmanager, so that panel says 0, and of nobody."""
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


class Series(NamedTuple):
    """One of an answer."""

    labels: dict[str, str]
    values: list[str]


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

    async def at(self, query: str, instant: float) -> list[Series]:
        """What an instant query answers."""
        data = await self._get("query", {"query": query, "time": str(instant)})
        return [Series(each["metric"], [each["value"][1]]) for each in data["result"]]

    async def over(self, query: str, start: float, end: float) -> list[Series]:
        """What a range query answers."""
        parameters = {"query": query, "start": str(start), "end": str(end), "step": "1"}
        data = await self._get("query_range", parameters)
        return [Series(each["metric"], [value for _, value in each["values"]]) for each in data["result"]]

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
            nameless = await without_their_names(asked, start, end)
            traces = await asked.exemplars(start, end)
            others = await routes_that_a_service_brings(asked, "knowledge", end)
            of_one_route = await where_one_route_is_chosen(asked, start, end)
    assert empty == []
    assert odd == []
    assert nameless == NOT_IN_THE_DEMO
    assert others == {"/api/v1/knowledge/search"}
    assert of_one_route == []
    assert traces
    assert all(len(trace) == 32 for trace in traces)


async def answers(asked: Asked, start: float, end: float) -> tuple[list[str], list[str]]:
    """(queries without an answer, queries with what is no number)."""
    empty, odd = [], []
    of_the_end = set(queries(of_the_end=True))
    for where, query in queries():
        at_the_end = (where, query) in of_the_end
        found = await (asked.at(query, end) if at_the_end else asked.over(query, start, end))
        if not found:
            empty.append(f"{where}: {query}")
        values = [value for series in found for value in series.values]
        if not all(math.isfinite(float(value)) for value in values):
            odd.append(f"{where}: {query} {json.dumps(values[:20])}")
    return empty, odd


async def without_their_names(asked: Asked, start: float, end: float) -> set[str]:
    """Lines whose legend asks for a label that no answer has."""
    found = set()
    for where, query, named in legends():
        labels = {label for series in await asked.over(query, start, end) for label in series.labels}
        found |= {f"{where}: {label}" for label in named - labels}
    return found


async def routes_that_a_service_brings(asked: Asked, service: str, end: float) -> set[str]:
    """What stands for the service on panels of the gateway's series, which know no service."""
    query = filled(variable_query(boards()["figwatch-service"], "chosen_route"), {"$service": chosen(service)})
    return {series.labels["route"] for series in await asked.at(query, end)}


async def where_one_route_is_chosen(asked: Asked, start: float, end: float) -> list[str]:
    """Panels of the service's dashboard that show nothing, and lines of other routes, where one alone is chosen."""
    wrong = []
    choices = {"$service": "chat", "$route": chosen(ONE), "$chosen_route": chosen(ONE)}
    for panel in panels(boards()["figwatch-service"]):
        for target in panel["targets"]:
            found = await asked.over(filled(target["expr"], choices), start, end)
            wrong += [] if found else [f"{panel['title']}: nothing"]
    selected = filled(f'{contract.REQUEST_DURATION}_count{{{contract.ROUTE}=~"$chosen_route"}}', choices)
    routes = {series.labels[contract.ROUTE] for series in await asked.over(selected, start, end)}
    return wrong + ([] if routes == {ONE} else [f"routes: {routes}"])
