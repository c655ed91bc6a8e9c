"""The gateway splits exactly, believes no client, blames upstreams for what they do, and obeys only its token."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import aiohttp
import pytest
from aiohttp import web
from prometheus_client.parser import text_string_to_metric_families
from yarl import URL

from figwatch import contract
from figwatch.gateway import RouteTable
from figwatch_agent.demo import child, fault, load, proxy, routes
from figwatch_agent.demo.gateway import Gateway, Upstreams
from figwatch_agent.demo.tokens import bearer
from support.served import served

CHAT = "/api/v1/chat"
MODELS = "/api/v1/models"
TOKEN = "open-sesame"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Labels = tuple[str, str, str]  # side, status, error type


@dataclass(slots=True)
class Upstream:
    """An application that records what reaches it and does what the test says."""

    seen: list[web.Request] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    handler: Handler | None = None

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._handle)
        return app

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        self.seen.append(request)
        self.bodies.append(await request.read())
        if self.handler is not None:
            return await self.handler(request)
        return web.json_response({"answered": True})


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """A gateway with both of its sides."""

    url: str
    legacy: Upstream
    service: Upstream
    client: aiohttp.ClientSession

    async def counts(self, route: str) -> Counter[Labels]:
        """Edge requests of a route so far."""
        async with self.client.get(f"{self.url}/metrics") as answer:
            page = await answer.text()
        found: Counter[Labels] = Counter()
        for family in text_string_to_metric_families(page):
            for sample in family.samples:
                labels = sample.labels
                if sample.name == f"{contract.REQUEST_DURATION}_count" and labels[contract.ROUTE] == route:
                    assert labels[contract.VANTAGE] == "edge"
                    key = labels[contract.SERVED_BY], labels[contract.STATUS], labels[contract.ERROR_TYPE]
                    found[key] += int(sample.value)
        return found


@pytest.fixture(name="edge")
async def _edge() -> AsyncIterator[Edge]:
    async with AsyncExitStack() as stack:
        legacy, service = Upstream(), Upstream()
        legacy_url = await stack.enter_async_context(served(legacy.app()))
        service_url = await stack.enter_async_context(served(service.app()))
        upstreams = Upstreams(legacy=legacy_url, services=dict.fromkeys(routes.templates(), service_url))
        table = RouteTable(routes.shares(CHAT))
        gateway = Gateway(table, upstreams, trust_token="from-the-gateway", control_token=TOKEN, read_seconds=0.5)
        url = await stack.enter_async_context(served(gateway.app()))
        client = await stack.enter_async_context(aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)))
        yield Edge(url=url, legacy=legacy, service=service, client=client)


async def statuses(edge: Edge, path: str, number: int = 1) -> list[int]:
    found = []
    for _ in range(number):
        async with edge.client.get(edge.url + path) as answer:
            await answer.read()
            found.append(answer.status)
    return found


async def first_counts(edge: Edge, route: str, before: Counter[Labels], within: float = 10.0) -> Counter[Labels]:
    """What is counted beyond ``before``, as soon as there is anything."""
    deadline = time.monotonic() + within
    while True:
        counted = await edge.counts(route) - before
        if counted or time.monotonic() > deadline:
            return counted
        await asyncio.sleep(0.02)


async def change(edge: Edge, document: object, **headers: str) -> tuple[int, object]:
    async with edge.client.post(f"{edge.url}/routes", json=document, headers=bearer(TOKEN) | headers) as answer:
        return answer.status, await answer.json()


async def read_one(edge: Edge, route: str) -> dict[str, object]:
    async with edge.client.get(f"{edge.url}/routes/one", params={"route": route}, headers=bearer(TOKEN)) as answer:
        assert answer.status == 200
        document: dict[str, object] = await answer.json()
        return document


async def test_a_share_of_80_is_exactly_80_of_each_100(edge: Edge) -> None:
    for hundreds in (1, 2):
        await statuses(edge, CHAT, 100)
        assert (len(edge.service.seen), len(edge.legacy.seen)) == (80 * hundreds, 20 * hundreds)


async def test_routes_are_drawn_apart_so_that_traffic_on_one_does_not_skew_another(edge: Edge) -> None:
    for number in range(100):
        await statuses(edge, CHAT)
        await statuses(edge, f"{CHAT}/{number}", number % 2)
    assert sum(request.path == CHAT for request in edge.service.seen) == 80


async def test_edge_counts_are_the_clients_counts(edge: Edge) -> None:
    before = await edge.counts(CHAT)
    await statuses(edge, CHAT, 50)
    assert await edge.counts(CHAT) - before == {("service", "200", ""): 40, ("legacy", "200", ""): 10}


async def test_forged_migration_headers_are_replaced_by_the_gateways_own(edge: Edge) -> None:
    forged = {
        "X-Migration-Status": "shadow",
        "x_migration_status": "legacy",
        "X-Original-Path": "/admin",
        "X-Migration-Token": "guessed",
    }
    async with edge.client.get(f"{edge.url}{MODELS}?limit=3", headers=forged) as answer:
        assert answer.status == 200
    (request,) = edge.service.seen
    assert request.headers.getall(contract.MIGRATION_STATUS_HEADER) == ["service"]
    assert request.headers.getall(contract.ORIGINAL_PATH_HEADER) == [MODELS]
    assert request.headers.getall(contract.MIGRATION_TOKEN_HEADER) == ["from-the-gateway"]
    assert "x_migration_status" not in request.headers


async def test_method_query_body_and_headers_arrive_and_the_answer_comes_back(edge: Edge) -> None:
    async def teapot(_: web.Request) -> web.Response:
        return web.Response(status=418, body=b"short and stout", headers={"X-Own": "1", "Connection": "close"})

    edge.service.handler = edge.legacy.handler = teapot
    url = URL(f"{edge.url}{CHAT}?q=a%2Fb&q=c", encoded=True)
    async with edge.client.post(url, data=b"x" * 200_000, headers={"X-Mine": "2"}) as answer:
        assert (answer.status, await answer.read(), answer.headers["X-Own"]) == (418, b"short and stout", "1")
    (request,), (body,) = edge.service.seen, edge.service.bodies
    assert (request.method, request.raw_path, request.headers["X-Mine"]) == ("POST", f"{CHAT}?q=a%2Fb&q=c", "2")
    assert len(body) == 200_000


async def test_an_answer_is_passed_on_piece_by_piece(edge: Edge) -> None:
    go_on = asyncio.Event()

    async def two_pieces(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"first")
        await go_on.wait()
        await response.write(b"second")
        return response

    edge.service.handler = two_pieces
    async with edge.client.get(edge.url + MODELS) as answer:
        assert await answer.content.readany() == b"first"
        go_on.set()
        assert await answer.content.read() == b"second"


async def test_the_answer_says_who_served_it(edge: Edge) -> None:
    async with edge.client.get(edge.url + MODELS) as answer:
        assert answer.headers.getall("X-Served-By") == ["service"]
        assert len(answer.headers[contract.TRACE_ID_HEADER]) == 32


async def test_the_trace_goes_on_through_the_gateway(edge: Edge) -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"
    headers = {"traceparent": f"00-{trace}-b7ad6b7169203331-01"}
    async with edge.client.get(edge.url + MODELS, headers=headers) as answer:
        assert answer.headers[contract.TRACE_ID_HEADER] == trace
    (request,) = edge.service.seen
    (forwarded,) = request.headers.getall(contract.TRACEPARENT_HEADER)
    assert forwarded.split("-")[1] == trace
    assert forwarded.split("-")[2] != "b7ad6b7169203331"


async def test_an_upstream_that_breaks_off_is_an_edge_failure_of_its_side(edge: Edge) -> None:
    async def breaks_off(request: web.Request) -> web.Response:
        return child.abort(request)

    edge.service.handler = breaks_off
    before = await edge.counts(MODELS)
    assert await statuses(edge, MODELS, 3) == [502] * 3
    assert await edge.counts(MODELS) - before == {("service", "502", contract.UPSTREAM_FAILURE): 3}


async def test_an_upstream_that_is_not_there_is_an_edge_failure_of_its_side(edge: Edge) -> None:
    async with served(web.Application()) as dead:
        pass
    upstreams = Upstreams(legacy=dead, services=dict.fromkeys(routes.templates(), dead))
    gateway = Gateway(RouteTable({CHAT: 0}), upstreams, trust_token="t", control_token="c")
    before = await edge.counts(CHAT)
    async with served(gateway.app()) as url, edge.client.get(url + CHAT) as answer:
        assert (answer.status, answer.headers["X-Served-By"]) == (502, "legacy")
    assert await edge.counts(CHAT) - before == {("legacy", "502", contract.UPSTREAM_FAILURE): 1}


async def test_an_answer_without_a_body_is_passed_on_as_it_is(edge: Edge) -> None:
    async def empty(request: web.Request) -> web.Response:
        return web.Response(status=204) if request.method == "DELETE" else web.Response(body=b"12345")

    edge.service.handler = empty
    async with edge.client.delete(edge.url + MODELS) as answer:
        assert (answer.status, await answer.read()) == (204, b"")
    async with edge.client.head(edge.url + MODELS) as answer:
        assert (answer.status, answer.headers["Content-Length"]) == (200, "5")


async def test_an_upstream_that_breaks_off_in_mid_answer_is_counted_and_not_passed_off_as_whole(edge: Edge) -> None:
    async def half(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "100"})
        await response.prepare(request)
        await response.write(b"half")
        child.abort(request)
        return response

    edge.service.handler = half
    before = await edge.counts(MODELS)
    with pytest.raises(aiohttp.ClientError):
        await statuses(edge, MODELS)
    assert await edge.counts(MODELS) - before == {("service", "200", contract.UPSTREAM_FAILURE): 1}


async def test_an_upstream_that_does_not_answer_is_a_timeout_of_its_side(edge: Edge) -> None:
    gave_up = asyncio.Event()

    async def hangs(_: web.Request) -> web.Response:
        await gave_up.wait()
        return web.Response()

    edge.service.handler = hangs
    before = await edge.counts(MODELS)
    assert await statuses(edge, MODELS) == [504]
    gave_up.set()
    assert await edge.counts(MODELS) - before == {("service", "504", contract.UPSTREAM_TIMEOUT): 1}


async def test_a_client_that_leaves_is_nobodys_failure(edge: Edge) -> None:
    arrived, go_on = asyncio.Event(), asyncio.Event()

    async def waits(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        arrived.set()
        await go_on.wait()
        for _ in range(100):
            await response.write(b"x" * 100_000)
        return response

    edge.service.handler = waits
    before = await edge.counts(MODELS)
    impatient = asyncio.create_task(statuses(edge, MODELS))
    await arrived.wait()
    impatient.cancel()
    await asyncio.wait([impatient])
    go_on.set()
    assert await first_counts(edge, MODELS, before) == {("service", "200", contract.CLIENT_DISCONNECT): 1}


async def test_a_path_of_no_route_goes_to_legacy(edge: Edge) -> None:
    assert await statuses(edge, "/old/page") == [200]
    assert [request.path for request in edge.legacy.seen] == ["/old/page"]


@pytest.mark.parametrize("token", ["", "wrong", "open-sesam\u00e9"])
async def test_the_control_call_needs_its_token(edge: Edge, token: str) -> None:
    for method, path in (("POST", "/routes"), ("GET", "/routes"), ("GET", f"/routes/one?route={CHAT}")):
        async with edge.client.request(method, edge.url + path, headers=bearer(token)) as answer:
            assert answer.status == 401
    assert (await read_one(edge, CHAT))["revision"] == 1


async def test_sending_a_route_back_moves_all_of_it_and_bumps_the_revision(edge: Edge) -> None:
    status, state = await change(edge, {"route": CHAT, "to": "legacy"}, **{"X-Changed-By": "figwatch"})
    assert (status, state) == (200, {"route": CHAT, "service_share": 0, "revision": 2, "changed_by": "figwatch"})
    await statuses(edge, CHAT, 20)
    assert (len(edge.service.seen), len(edge.legacy.seen)) == (0, 20)


async def test_a_share_is_changed_by_the_operator_and_read_back(edge: Edge) -> None:
    await change(edge, {"route": CHAT, "service_share": 5})
    assert await read_one(edge, CHAT) == {"route": CHAT, "service_share": 5, "revision": 2, "changed_by": "operator"}
    assert (await read_one(edge, MODELS))["revision"] == 1


@pytest.mark.parametrize(
    ("document", "status"),
    [
        ({"route": CHAT, "to": "moon"}, 400),
        ({"route": CHAT, "to": ["legacy"]}, 400),
        ({"route": CHAT, "service_share": 101}, 400),
        ({"route": CHAT, "service_share": 0.5}, 400),
        ({"route": CHAT, "service_share": None}, 400),
        ({"route": CHAT}, 400),
        ({"route": CHAT, "to": "legacy", "service_share": 0}, 400),
        ({"route": CHAT, "to": "legacy", "expected_revision": "1"}, 400),
        ([], 400),
        ({"route": "/nowhere", "to": "legacy"}, 404),
        ({"route": CHAT, "to": "legacy", "expected_revision": 7}, 409),
    ],
)
async def test_a_control_call_that_makes_no_sense_changes_nothing(edge: Edge, document: object, status: int) -> None:
    assert (await change(edge, document))[0] == status
    assert await read_one(edge, CHAT) == {
        "route": CHAT,
        "service_share": 80,
        "revision": 1,
        "changed_by": "configuration",
    }


def test_the_gateway_is_more_patient_than_the_slowest_fault_and_less_than_a_client() -> None:
    assert fault.SLOW_SECONDS[1] < proxy.READ_SECONDS < load.TIMEOUT_SECONDS
