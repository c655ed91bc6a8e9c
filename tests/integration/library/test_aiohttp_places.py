"""aiohttp: a running application is watched from cheaper places, and the same from the public ones where those lack."""

from collections.abc import Iterator
from typing import Any

import pytest
from aiohttp import HttpVersion10, web
from aiohttp.test_utils import TestClient, TestServer
from yarl import URL

import figwatch
from figwatch.server import aiohttp, aiohttp_root
from figwatch.server.aiohttp import SERVED_BY, Handler
from figwatch.testing import recording
from support.library import aiohttp_client


@pytest.fixture(params=["cheap places", "public places"])
def cheap(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    if request.param == "public places":
        monkeypatch.setattr(aiohttp_root, "_hook", None)
    return bool(request.param == "cheap places")


async def plain(request: web.Request) -> web.Response:
    return web.Response(text=request[SERVED_BY])


async def stream(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    await response.write(b"a")
    await response.write_eof()
    return response


async def refused(_request: web.Request) -> web.Response:
    raise web.HTTPConflict


async def breaks(_request: web.Request) -> web.Response:
    raise ValueError


@web.middleware
async def cloning(request: web.Request, handler: Handler) -> web.StreamResponse:
    return await handler(request.clone())


class Own(web.Response):
    """Somebody's own kind of response."""


def application() -> web.Application:
    app = web.Application()
    for handler in (plain, stream, refused, breaks):
        app.router.add_get("/" + handler.__name__, handler)
    return app


async def test_the_middleware_moves_when_a_server_starts_the_application(cheap: bool) -> None:
    app = figwatch.instrument(application())
    assert len(app.middlewares) == 1
    async with aiohttp_client(app):
        assert (len(app.middlewares), len(app.on_response_prepare)) == ((0, 0) if cheap else (1, 1))
        assert figwatch.instrument(app) is app


@web.middleware
async def closed(request: web.Request, handler: Handler) -> web.StreamResponse:
    if request.path:
        raise web.HTTPServiceUnavailable
    return await handler(request)


@pytest.mark.usefixtures("cheap")
async def test_a_middleware_that_was_put_around_us_sees_the_metrics_page_too() -> None:
    app = figwatch.instrument(application())
    app.middlewares.insert(0, closed)
    async with aiohttp_client(app) as client:
        for path in ("/plain", "/metrics"):
            assert (await client.get(path)).status == 503


@pytest.mark.usefixtures("cheap")
@pytest.mark.parametrize(
    ("path", "status", "error"),
    [
        ("/plain", 200, ""),
        ("/stream", 200, ""),
        ("/refused", 409, ""),
        ("/breaks", 500, "ValueError"),
        ("/nowhere", 404, ""),
    ],
)
async def test_each_answer_is_counted_once_and_carries_its_trace_id(path: str, status: int, error: str) -> None:
    with recording() as recorded:
        async with aiohttp_client(figwatch.instrument(application())) as client, client.get(path) as answer:
            assert answer.status == status
            assert error or len(answer.headers["X-Trace-Id"]) == 32
    recorded.assert_requests(1)
    recorded.assert_requests(1, http_response_status_code=str(status), error_type=error)


@pytest.mark.usefixtures("cheap")
async def test_a_stream_on_a_clone_of_the_request_is_the_requests_own() -> None:
    app = application()
    app.middlewares.append(cloning)
    with recording() as recorded:
        async with aiohttp_client(figwatch.instrument(app)) as client, client.get("/stream") as answer:
            assert len(answer.headers["X-Trace-Id"]) == 32
    recorded.assert_requests(1, http_response_status_code="200", http_route="/stream")


@pytest.mark.usefixtures("cheap")
async def test_a_signal_that_breaks_a_response_before_its_first_byte_is_an_error() -> None:
    async def broken(_request: web.Request, _response: web.StreamResponse) -> None:
        raise LookupError

    async def late(app: web.Application) -> None:
        app.on_response_prepare.append(broken)

    app = figwatch.instrument(application())
    app.on_startup.append(late)
    with recording() as recorded:
        async with aiohttp_client(app) as client:
            with pytest.raises(Exception, match="disconnected"):
                await client.get("/plain")
    recorded.assert_requests(1, error_type="LookupError")


class Mounted(web.AbstractResource):
    """Somebody's own way to mount an application."""

    def __init__(self, below: web.Application) -> None:
        super().__init__()
        self._below = below

    @property
    def canonical(self) -> str:
        return "/plain"

    def url_for(self, **_kwargs: str) -> URL:
        return URL("/plain")

    def add_prefix(self, prefix: str) -> None:
        raise NotImplementedError

    def get_info(self) -> Any:
        return {}

    def raw_match(self, path: str) -> bool:
        return path == "/plain"

    async def resolve(self, request: web.Request) -> tuple[web.UrlMappingMatchInfo | None, set[str]]:
        match = await self._below.router.resolve(request)
        match.add_app(self._below)
        return match, set()

    def __len__(self) -> int:
        return 0

    def __iter__(self) -> Iterator[web.AbstractRoute]:
        return iter(())


@pytest.mark.usefixtures("cheap")
async def test_signals_of_an_application_that_is_mounted_in_somebodys_own_way_are_sent() -> None:
    async def mark(_request: web.Request, response: web.StreamResponse) -> None:
        response.headers["X-Mark"] = "1"

    below, app = application(), web.Application()
    below.on_response_prepare.append(mark)
    below.freeze()
    app.router.register_resource(Mounted(below))
    async with aiohttp_client(figwatch.instrument(app)) as client, client.get("/plain") as answer:
        assert answer.headers["X-Mark"] == "1"


@pytest.mark.usefixtures("cheap")
@pytest.mark.parametrize("path", ["/plain", "/stream", "/refused", "/breaks"])
async def test_a_fault_where_the_trace_id_is_added_leaves_the_answer_as_it_is(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with aiohttp_client(figwatch.instrument(application())) as client:
        async with client.get(path) as answer:
            status, body = answer.status, await answer.read()
        for place in (aiohttp, aiohttp_root):
            monkeypatch.setattr(place, "TRACE_ID", None)
        with recording() as recorded:
            async with client.get(path) as answer:
                assert (answer.status, await answer.read()) == (status, body)
    assert recorded.faults() == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("_OF_RESPONSES", ("_status", "_renamed")),
        ("_OF_REQUESTS", frozenset({"_renamed"})),
        ("_PLACES", ("_handle", "_renamed")),
        ("URL", object),
    ],
)
async def test_a_version_that_keeps_something_in_another_place_is_watched_from_the_public_ones(
    name: str, value: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aiohttp_root, name, value)
    app = figwatch.instrument(application())
    with recording() as recorded:
        async with aiohttp_client(app) as client, client.get("/plain") as answer:
            assert answer.status == 200
            assert (len(app.middlewares), len(app.on_response_prepare)) == (1, 1)
    recorded.assert_requests(1)


@pytest.mark.usefixtures("cheap")
@pytest.mark.parametrize("kind", [web.Response, Own, web.StreamResponse])
async def test_a_header_that_must_not_go_out_is_an_error(kind: type[web.StreamResponse]) -> None:
    async def injected(_request: web.Request) -> web.StreamResponse:
        return kind(headers={"X-Name": "a\r\nb: c"})

    app = application()
    app.router.add_get("/injected", injected)
    with recording() as recorded:
        async with aiohttp_client(figwatch.instrument(app)) as client:
            with pytest.raises(Exception, match="disconnected"):
                await client.get("/injected")
    recorded.assert_requests(1, http_route="/injected", error_type="ValueError")


@pytest.mark.usefixtures("cheap")
async def test_a_body_that_must_not_be_chunked_is_an_error() -> None:
    async def chunked(_request: web.Request) -> web.Response:
        response = web.Response(text="x")
        response.enable_chunked_encoding()
        return response

    app = application()
    app.router.add_get("/chunked", chunked)
    with recording() as recorded:
        old: TestClient[web.Request, web.Application] = TestClient(
            TestServer(figwatch.instrument(app)), version=HttpVersion10
        )
        async with old as client:
            with pytest.raises(Exception, match="disconnected"):
                await client.get("/chunked")
    recorded.assert_requests(1, error_type="RuntimeError")


@pytest.mark.usefixtures("cheap")
async def test_an_instrumented_application_below_another_counts_its_own() -> None:
    app = web.Application()
    app.add_subapp("/v1", figwatch.instrument(application()))
    with recording() as recorded:
        async with aiohttp_client(app) as client, client.get("/v1/plain") as answer:
            assert answer.status == 200
    recorded.assert_requests(1, http_route="/v1/plain")
