"""The whole stack as real processes: what a fault switch does to a service is what users see at the gateway."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
import pytest
import pytest_asyncio
import yaml
from prometheus_client.parser import text_string_to_metric_families

from figwatch import contract
from figwatch_agent.demo import child, files, routes, stack, tokens
from figwatch_agent.demo.box import Box, Child
from figwatch_agent.demo.fault import PATH, Kind
from figwatch_agent.demo.stack import Stack

pytestmark = pytest.mark.asyncio(loop_scope="module")

CHAT = "/api/v1/chat"
ROUTE_OF = {"chat": "/api/v1/chat/{id}", "model_gateway": "/api/v1/models", "knowledge": "/api/v1/knowledge/search"}
"""A route of each service that is read with GET."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """The stack and a client."""

    stack: Stack
    client: aiohttp.ClientSession

    async def get(self, url: str) -> tuple[int, str, str]:
        """(status, served by, body)."""
        async with self.client.get(url) as answer:
            return answer.status, answer.headers.get("X-Served-By", ""), await answer.text()

    async def through_gateway(self, template: str, number: int) -> Counter[tuple[str, int]]:
        """(side, status) of that many requests at once."""
        urls = [self.stack.gateway.url + template.format(id=each, model="small") for each in range(number)]
        answers = await asyncio.gather(*map(self.get, urls))
        return Counter((side, status) for status, side, _ in answers)

    @asynccontextmanager
    async def fault(self, target: Child, kind: Kind, ratio: str = "1", route: str | None = None) -> AsyncIterator[None]:
        await self.stack.fault(self.client, target, kind, ratio, route)
        yield
        await self.stack.fault(self.client, target, Kind.NONE)


@pytest_asyncio.fixture(name="running", scope="module", loop_scope="module")
async def _running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    timeout = aiohttp.ClientTimeout(total=10)
    async with Box(tmp_path_factory.mktemp("box")) as box, aiohttp.ClientSession(timeout=timeout) as client:
        yield Running(stack=await stack.start(box, CHAT), client=client)


@pytest.mark.parametrize("service", routes.SERVICES)
async def test_each_service_counts_its_own_requests_by_template_and_side(running: Running, service: str) -> None:
    target, template = running.stack.services[service], ROUTE_OF[service]
    before = await _served(running, target, template)
    sides = await running.through_gateway(template, 10)
    after = await _served(running, target, template)
    assert after["service"] - before["service"] == sides["service", 200]
    assert after["legacy"] == 0


async def test_the_monolith_counts_itself_as_legacy(running: Running) -> None:
    before = await _served(running, running.stack.legacy, ROUTE_OF["knowledge"])
    sides = await running.through_gateway(ROUTE_OF["knowledge"], 10)
    after = await _served(running, running.stack.legacy, ROUTE_OF["knowledge"])
    assert after["legacy"] - before["legacy"] == sides["legacy", 200] > 0


async def test_the_files_name_the_addresses_at_which_the_parts_answer(running: Running) -> None:
    addresses = running.stack.addresses(child.free_port())
    for url in (addresses.gateway, addresses.legacy, addresses.pager, *addresses.services.values()):
        assert (await running.get(f"{url}/healthz"))[0] == 200


async def test_an_agent_reads_who_serves_a_route_at_the_address_in_its_files(running: Running) -> None:
    plans = yaml.safe_load(files.settings(running.stack.addresses(child.free_port())))["rollback"]["plans"]
    headers = tokens.bearer(running.stack.tokens[tokens.GATEWAY])
    for plan in plans.values():
        async with running.client.get(plan["gateway"]["read"]["get"], headers=headers) as answer:
            state = await answer.json()
        assert state["route"] == plan["steps"][0]["http"]["json"]["route"]
        assert set(plan["gateway"]["fields"]) < set(state)


@pytest.mark.parametrize(
    ("service", "method", "path", "metric"),
    [
        ("chat", "POST", CHAT, "messages_total"),
        ("model_gateway", "POST", "/api/v1/models/small/generate", "inference_duration_ms_count"),
        ("knowledge", "GET", "/api/v1/knowledge/search", "searches_total"),
    ],
)
async def test_each_service_counts_its_business(
    running: Running, service: str, method: str, path: str, metric: str
) -> None:
    target = running.stack.services[service]
    before = await _total(running, target, metric)
    async with running.client.request(method, target.url + path) as answer:
        assert answer.status == 200
    assert await _total(running, target, metric) == before + 1


@pytest.mark.parametrize("service", routes.SERVICES)
async def test_an_outage_of_a_service_is_bad_at_the_edge_and_ends_with_the_order(
    running: Running, service: str
) -> None:
    target, template = running.stack.services[service], ROUTE_OF[service]
    async with running.fault(target, Kind.OUTAGE):
        during = await running.through_gateway(template, 10)
        with pytest.raises(aiohttp.ClientConnectionError):
            await running.get(f"{target.url}/healthz")
        with pytest.raises(aiohttp.ClientConnectionError):
            await running.get(f"{target.url}/metrics")
    assert during["service", 502] > 0
    assert {side for side, status in during if status == 200} <= {"legacy"}
    assert {status for _, status in await running.through_gateway(template, 10)} == {200}
    assert (await running.get(f"{target.url}/healthz"))[0] == 200


@pytest.mark.parametrize("part", [*routes.SERVICES, "legacy"])
async def test_errors_hit_about_the_share_that_was_ordered(running: Running, part: str) -> None:
    target = running.stack.legacy if part == "legacy" else running.stack.services[part]
    template = ROUTE_OF.get(part, ROUTE_OF["knowledge"])
    async with running.fault(target, Kind.ERRORS, "0.5"):
        answers = await asyncio.gather(*[running.get(target.url + template.format(id=1)) for _ in range(40)])
    statuses = Counter(status for status, _, _ in answers)
    assert statuses[200] + statuses[500] == 40
    assert 8 <= statuses[500] <= 32  # outside by chance less than once in ten thousand runs


async def test_latency_is_beyond_the_promise(running: Running) -> None:
    before = await _served(running, running.stack.gateway, ROUTE_OF["model_gateway"], at_most="0.25")
    async with running.fault(running.stack.services["model_gateway"], Kind.LATENCY):
        assert await running.through_gateway(ROUTE_OF["model_gateway"], 3) == {("service", 200): 3}
    assert await _served(running, running.stack.gateway, ROUTE_OF["model_gateway"], at_most="0.25") == before


@pytest.mark.parametrize("kind", [Kind.OUTAGE, Kind.ERRORS])
async def test_a_fault_of_one_route_leaves_the_others_alone(running: Running, kind: Kind) -> None:
    target = running.stack.services["chat"]
    async with running.fault(target, kind, route=CHAT):
        hit = await running.through_gateway(CHAT, 10)
        spared = await running.through_gateway(ROUTE_OF["chat"], 10)
        assert (await running.get(f"{target.url}/healthz"))[0] == 200
    assert hit["service", 200] == 0
    assert hit["service", 502] + hit["service", 500] > 0
    assert {status for _, status in spared} == {200}


@pytest.mark.parametrize("part", [*routes.SERVICES, "legacy"])
async def test_the_fault_switch_needs_its_token_and_an_order_that_makes_sense(running: Running, part: str) -> None:
    target = running.stack.legacy if part == "legacy" else running.stack.services[part]
    for token, order, expected in (
        ("wrong", {"kind": "errors"}, 401),
        (running.stack.tokens[tokens.FAULT], {"kind": "explode"}, 400),
        (running.stack.tokens[tokens.FAULT], {"kind": "errors", "ratio": 2}, 400),
        (running.stack.tokens[tokens.FAULT], {"kind": "errors", "route": "/nowhere"}, 400),
    ):
        async with running.client.post(target.url + PATH, json=order, headers=tokens.bearer(token)) as answer:
            assert answer.status == expected


async def _served(running: Running, target: Child, template: str, at_most: str = "+Inf") -> Counter[str]:
    """Requests of a route by side, done within ``at_most`` seconds."""
    _, _, page = await running.get(f"{target.url}/metrics")
    found: Counter[str] = Counter()
    for family in text_string_to_metric_families(page):
        for sample in family.samples:
            labels = sample.labels
            if sample.name == f"{contract.REQUEST_DURATION}_bucket" and labels[contract.ROUTE] == template:
                found[labels[contract.SERVED_BY]] += int(sample.value) * (labels["le"] == at_most)
    return found


async def _total(running: Running, target: Child, name: str) -> float:
    _, _, page = await running.get(f"{target.url}/metrics")
    families = text_string_to_metric_families(page)
    return sum(sample.value for family in families for sample in family.samples if sample.name == name)
