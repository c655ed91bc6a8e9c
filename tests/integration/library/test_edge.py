"""One line for a gateway: decides, says so to the upstream, counts at the edge."""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from aiohttp import web

from figwatch import contract, edge
from figwatch.errors import UnknownApplicationError
from figwatch.gateway import RouteTable
from figwatch.server.aiohttp import SERVED_BY
from figwatch.telemetry import Telemetry
from figwatch.testing import Recorder, recording
from support.families import ask, on_aiohttp, on_uvicorn, until
from support.library import fresh_telemetry, talk_asgi

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"
RULES = {"/api/v1/chat": 100, "/api/v1/chat/{id}": 100, "/api/v1/chat/mine": 0, "/api/v1/models/{rest:path}": 30}


async def asgi_proxy(scope: Any, receive: Any, send: Any) -> None:
    """Answers with what it would forward."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": scope["figwatch.served_by"]})
        await receive()
        return
    headers = [[name.decode(), value.decode()] for name, value in scope["headers"]]
    body = json.dumps({"side": scope["figwatch.served_by"], "headers": headers}).encode()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


async def aiohttp_proxy(request: web.Request) -> web.Response:
    headers = [[name.lower(), value] for name, value in request.headers.items()]
    return web.json_response({"side": request[SERVED_BY], "headers": headers, "tail": request.match_info["tail"]})


def aiohttp_app() -> web.Application:
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", aiohttp_proxy)
    return app


class Gateway(NamedTuple):
    """A gateway behind its server, and the telemetry it counts in."""

    port: int
    telemetry: Telemetry


@pytest.fixture(params=["asgi", "aiohttp"])
def gateway(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gateway]:
    telemetry = fresh_telemetry()
    monkeypatch.setattr("figwatch.telemetry._process", telemetry)
    app: Any = asgi_proxy if request.param == "asgi" else aiohttp_app()
    made: Any = edge.install(app, RouteTable(RULES), service="gateway", trust_token="s3cret", draw=lambda: 50)
    with (on_uvicorn if request.param == "asgi" else on_aiohttp)(made) as port:
        yield Gateway(port, telemetry)


@pytest.fixture
def recorded(gateway: Gateway) -> Iterator[Recorder]:
    with recording(gateway.telemetry) as recorder:
        yield recorder
        assert recorder.faults() == 0
        assert recorder.value(contract.UNTRUSTED_HEADERS) == 0


@pytest.mark.parametrize(
    ("path", "side", "route"),
    [
        ("/api/v1/chat", "service", "/api/v1/chat"),
        ("/api/v1/chat/", "service", "/api/v1/chat"),  # a trailing slash is neither here nor there
        ("/api/v1/chat/7", "service", "/api/v1/chat/{id}"),  # a parameter
        ("/api/v1/chat/mine", "legacy", "/api/v1/chat/mine"),  # the longest spelled-out match
        ("/api/v1/models/a/b", "legacy", "/api/v1/models/{rest:path}"),  # 30 % go to the service, the draw is 50
        ("/api/v1", "legacy", "__unmatched__"),
    ],
)
def test_the_upstream_is_told_the_side_and_the_edge_counts_it(
    gateway: Gateway, recorded: Recorder, path: str, side: str, route: str
) -> None:
    told = json.loads(ask(gateway.port, path + "?q=1", headers={"traceparent": PARENT}).body)
    headers = dict(told["headers"])
    assert told["side"] == side
    assert headers["x-migration-status"] == side
    assert headers["x-original-path"] == path
    assert headers["x-migration-token"] == "s3cret"
    until(lambda: recorded.requests() == 1)
    recorded.assert_requests(1, http_route=route, served_by=side, vantage="edge", http_response_status_code="200")
    until(lambda: len(recorded.spans) == 1)
    assert headers["traceparent"] == f"00-{TRACE}-{recorded.spans[0].span_id}-01"


def test_what_a_client_forges_reaches_nobody(gateway: Gateway, recorded: Recorder) -> None:
    forged = {"X-Migration-Status": "service", "X-Migration-Token": "guess", "X_Original_Path": "/admin"}
    told = json.loads(ask(gateway.port, "/api/v1/chat/mine", headers=forged).body)
    sent = sorted((name, value) for name, value in told["headers"] if "migration" in name or "original" in name)
    assert sent == [
        ("x-migration-status", "legacy"),
        ("x-migration-token", "s3cret"),
        ("x-original-path", "/api/v1/chat/mine"),
    ]


def test_the_gateways_page_is_its_own(gateway: Gateway, recorded: Recorder) -> None:
    assert "# TYPE http_server_request_duration_seconds histogram" in ask(gateway.port, "/metrics").body
    recorded.assert_requests(0)


async def test_a_websocket_goes_to_its_side_too(monkeypatch: pytest.MonkeyPatch) -> None:
    telemetry = fresh_telemetry()
    monkeypatch.setattr("figwatch.telemetry._process", telemetry)
    app = edge.install(asgi_proxy, RouteTable(RULES))
    with recording(telemetry) as recorded:
        assert await talk_asgi(app, "/api/v1/chat", []) == ["service"]
    assert recorded.value(contract.WEBSOCKET_DURATION, http_route="/api/v1/chat", served_by="service") == 1


def test_what_cannot_be_a_gateway_is_refused() -> None:
    with pytest.raises(UnknownApplicationError, match="no gateway"):
        edge.install(lambda environ, start_response: [], RouteTable({}))
