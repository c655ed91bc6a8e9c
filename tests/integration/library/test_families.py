"""The three families of applications over one table of cases: the same request counts the same everywhere."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import wraps
from typing import Any
from wsgiref.validate import validator

import aiohttp
import httpx
import pytest
from aiohttp import web
from starlette.applications import Starlette
from starlette.routing import Mount, Route

import figwatch
from figwatch import contract, errors
from figwatch.testing import Recorder, recording
from support.library import aiohttp_client, call_asgi, call_wsgi

TOKEN = "s3cret"
TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"
ROUTES = ["/case/{name}"]

CASES = [
    # name, status as counted, error_type
    ("ok", "200", ""),
    ("not_found", "404", ""),
    ("server_error", "500", "500"),
    ("exception", "500", "ValueError"),
    ("stream", "200", ""),
    ("stream_error", "200", "ValueError"),
    ("client_leaves", "200", "client_disconnect"),
    ("cancelled", "", "cancelled"),
]


class Asgi:
    """A plain ASGI application, called as a server would."""

    def __init__(self, **settings: Any) -> None:
        self.app = figwatch.instrument(self.plain, service="cases", routes=ROUTES, **settings)

    async def plain(self, scope: Any, receive: Any, send: Any) -> None:
        name = scope["path"].rpartition("/")[2]
        if name in ("exception", "cancelled"):
            raise ValueError("boom") if name == "exception" else asyncio.CancelledError
        status = {"not_found": 404, "server_error": 500}.get(name, 200)
        body = (figwatch.trace_id() or "").encode()
        await send({"type": "http.response.start", "status": status, "headers": [(b"x-own", b"kept")]})
        if name in ("stream", "stream_error", "client_leaves"):
            await send({"type": "http.response.body", "body": b"first", "more_body": True})
            if name == "stream_error":
                raise ValueError("boom")
            if name == "client_leaves":
                while (await receive())["type"] != "http.disconnect":
                    pass
                return
        await send({"type": "http.response.body", "body": body})

    async def call(self, name: str, headers: dict[str, str]) -> tuple[int, dict[str, str], str]:
        sent: list[Any] = []

        async def note(message: Any) -> None:
            sent.append(message)

        with suppress(ValueError, asyncio.CancelledError):
            await call_asgi(self.app, f"/case/{name}", headers=headers.items(), on_send=note)
        start: Any = next((m for m in sent if m["type"] == "http.response.start"), {"status": 0, "headers": []})
        body = b"".join(m["body"] for m in sent if m["type"] == "http.response.body")
        return start["status"], {k.decode(): v.decode() for k, v in start["headers"]}, body.decode()


class Wsgi:
    """A plain WSGI application, called as a server would."""

    def __init__(self, **settings: Any) -> None:
        self.app = figwatch.instrument(self.plain, service="cases", routes=ROUTES, **settings)

    def plain(self, environ: Any, start_response: Any) -> Any:
        name = environ["PATH_INFO"].rpartition("/")[2]
        if name in ("exception", "cancelled"):
            raise ValueError("boom") if name == "exception" else SystemExit
        status = {"not_found": "404 Not Found", "server_error": "500 Oops"}.get(name, "200 OK")
        start_response(status, [("X-Own", "kept")])
        if name in ("stream", "stream_error", "client_leaves"):
            return self.stream(name)
        return [(figwatch.trace_id() or "").encode()]

    def stream(self, name: str) -> Iterator[bytes]:
        yield b"first"
        if name == "stream_error":
            raise ValueError("boom")
        yield (figwatch.trace_id() or "").encode()

    async def call(self, name: str, headers: dict[str, str]) -> tuple[int, dict[str, str], str]:
        chunks = 1 if name == "client_leaves" else None
        try:
            status, sent, body = call_wsgi(self.app, f"/case/{name}", headers=headers.items(), chunks=chunks)
        except (ValueError, SystemExit):
            return 0, {}, ""
        return int(status[:3]), sent, body.decode()


class Aiohttp:
    """An aiohttp application behind a real server."""

    def __init__(self, **settings: Any) -> None:
        app = web.Application()
        app.router.add_get("/case/{name}", self.handle)
        self.app = figwatch.instrument(app, service="cases", **settings)
        self.left = asyncio.Event()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        if name in ("exception", "cancelled"):
            raise ValueError("boom") if name == "exception" else asyncio.CancelledError
        if name in ("stream", "stream_error", "client_leaves"):
            return await self.stream(request, name)
        if name == "not_found":
            raise web.HTTPNotFound(headers={"X-Own": "kept"})
        status = 500 if name == "server_error" else 200
        return web.Response(status=status, text=figwatch.trace_id() or "", headers={"X-Own": "kept"})

    async def stream(self, request: web.Request, name: str) -> web.StreamResponse:
        response = web.StreamResponse(headers={"X-Own": "kept"})
        await response.prepare(request)
        await response.write(b"first")
        if name == "stream_error":
            raise ValueError("boom")
        if name == "client_leaves":
            await self.left.wait()
            await until(lambda: request.transport is None)  # the server learns of it a moment later
        await response.write((figwatch.trace_id() or "").encode())
        return response

    async def call(self, name: str, headers: dict[str, str]) -> tuple[int, dict[str, str], str]:
        async with aiohttp_client(self.app) as client:
            try:
                async with client.get(f"/case/{name}", headers=headers) as response:
                    if name == "client_leaves":
                        await response.content.readexactly(5)
                        response.close()
                        self.left.set()
                    return response.status, {k.lower(): v for k, v in response.headers.items()}, await response.text()
            except aiohttp.ClientError:
                return 0, {}, ""


FAMILIES: list[type[Asgi | Wsgi | Aiohttp]] = [Asgi, Wsgi, Aiohttp]
family = pytest.mark.parametrize("family", FAMILIES)


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what a server does after its client has its answer; a deadline keeps it honest."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - what is waited for sets no event
            await asyncio.sleep(0.001)


async def counted(recorded: Recorder, number: int, **labels: str) -> None:
    await until(lambda: recorded.requests() >= number)
    recorded.assert_requests(number)
    recorded.assert_requests(number, **labels)


@family
@pytest.mark.parametrize(("name", "status", "error_type"), CASES)
async def test_every_way_a_request_can_end_is_counted_once_and_alike(
    family: type[Asgi | Wsgi | Aiohttp], name: str, status: str, error_type: str
) -> None:
    with recording() as recorded:
        await family().call(name, {})
        await counted(
            recorded,
            1,
            http_request_method="GET",
            http_route="/case/{name}",
            http_response_status_code=status,
            error_type=error_type,
            served_by="service",
            vantage="application",
        )
    assert recorded.value(contract.TIME_TO_FIRST_BYTE) == (0 if name == "cancelled" else 1)
    assert recorded.faults() == 0


@family
async def test_a_path_without_a_route_is_unmatched(family: type[Asgi | Wsgi | Aiohttp]) -> None:
    with recording() as recorded:
        await family().call("a/b/c", {})
        await counted(recorded, 1, http_route="__unmatched__")


@family
@pytest.mark.parametrize(
    ("own", "headers", "side"),
    [
        ("service", {}, "service"),
        ("legacy", {}, "legacy"),
        ("service", {"X-Migration-Status": "legacy"}, "service"),  # forged
        ("service", {"X-Migration-Status": "legacy", "X-Migration-Token": "guess"}, "service"),  # forged
        ("service", {"X-Migration-Status": "legacy", "X-Migration-Token": TOKEN}, "legacy"),
        ("legacy", {"x-migration-status": "shadow", "x-migration-token": TOKEN}, "shadow"),
        ("service", {"X-Migration-Status": "canary", "X-Migration-Token": TOKEN}, "unknown"),
    ],
)
async def test_the_side_is_the_trusted_headers_or_its_own(
    family: type[Asgi | Wsgi | Aiohttp], own: str, headers: dict[str, str], side: str
) -> None:
    with recording() as recorded:
        await family(side=own, trust_token=TOKEN).call("ok", headers)
        await counted(recorded, 1, served_by=side)


@family
async def test_the_secret_may_come_from_the_environment(
    family: type[Asgi | Wsgi | Aiohttp], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIGWATCH_TRUST_TOKEN", TOKEN)
    with recording() as recorded:
        await family().call("ok", {"X-Migration-Status": "legacy", "X-Migration-Token": TOKEN})
        await counted(recorded, 1, served_by="legacy")


@family
@pytest.mark.parametrize("name", ["ok", "stream"])
async def test_the_callers_trace_reaches_the_handler_and_the_response(
    family: type[Asgi | Wsgi | Aiohttp], name: str
) -> None:
    with recording() as recorded:
        _status, headers, body = await family().call(name, {"traceparent": PARENT})
        await until(lambda: len(recorded.spans) == 1)
    assert body.removeprefix("first") == TRACE
    assert headers["x-trace-id"] == TRACE
    assert recorded.spans[0].parent_id == "b7ad6b7169203331"


@family
@pytest.mark.parametrize("name", ["ok", "not_found", "server_error", "stream"])
async def test_the_response_is_the_applications_own(family: type[Asgi | Wsgi | Aiohttp], name: str) -> None:
    status, headers, _body = await family().call(name, {})
    assert status == {"not_found": 404, "server_error": 500}.get(name, 200)
    assert headers["x-own"] == "kept"


PLANTS = [
    "figwatch.observation.Observer.begin",
    "figwatch.observation.open_span",
    "figwatch.observation.Observer.record",
    "figwatch.observation.Observer.route_of",
    "figwatch.telemetry.RequestCells.get",
    "figwatch.cells.HistogramCell.observe_with",
    "figwatch.observation.make_current",
]


@family
@pytest.mark.parametrize("plant", PLANTS)
async def test_a_fault_planted_in_the_instrumentation_never_changes_the_response(
    family: type[Asgi | Wsgi | Aiohttp], plant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_anything: object, **_more: object) -> None:
        raise RuntimeError("planted")

    with recording() as recorded:
        with monkeypatch.context() as patched:
            patched.setattr(plant, broken)
            served = family()
            status, headers, _body = await served.call("ok", {})
            await until(lambda: recorded.faults() >= 1)
        assert status == 200
        assert headers["x-own"] == "kept"


@family
async def test_the_metrics_page_is_served_inside_and_not_counted(family: type[Asgi | Wsgi | Aiohttp]) -> None:
    with recording() as recorded:
        status, _headers, page = await get(family(), "/metrics")
    assert status == 200
    assert "# TYPE http_server_request_duration_seconds histogram" in page
    recorded.assert_requests(0)


@family
async def test_the_metrics_page_can_be_turned_off(family: type[Asgi | Wsgi | Aiohttp]) -> None:
    with recording() as recorded:
        _status, _headers, page = await get(family(metrics_path=None), "/metrics")
        await until(lambda: recorded.requests() == 1)
    assert "# TYPE" not in page


async def get(served: Asgi | Wsgi | Aiohttp, path: str) -> tuple[int, dict[str, str], str]:
    if isinstance(served, Asgi):
        start, *bodies = await call_asgi(served.app, path)
        return start["status"], {}, b"".join(m["body"] for m in bodies).decode()
    if isinstance(served, Wsgi):
        status, headers, body = call_wsgi(served.app, path)
        return int(status[:3]), headers, body.decode()
    async with aiohttp_client(served.app) as client, client.get(path) as response:
        return response.status, dict(response.headers), await response.text()


@family
async def test_instrumenting_twice_counts_once(family: type[Asgi | Wsgi | Aiohttp]) -> None:
    served = family()
    again: Any = figwatch.instrument(served.app)
    assert again is served.app
    with recording() as recorded:
        await served.call("ok", {})
        await counted(recorded, 1)


async def test_an_asgi_scope_that_is_no_request_passes_untouched() -> None:
    passed: list[object] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        passed.extend([scope, receive, send])

    async def receive() -> Any:
        return {}

    async def send(_message: Any) -> None:
        pass

    scope = {"type": "lifespan"}
    await figwatch.instrument(app)(scope, receive, send)
    assert passed[0] is scope
    assert passed[1] is receive
    assert passed[2] is send


async def test_an_asgi_application_that_never_answers_is_the_servers_500() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        pass

    with recording() as recorded:
        await call_asgi(figwatch.instrument(app), "/")
    recorded.assert_requests(1, http_response_status_code="500", error_type="no_response")


async def test_an_asgi_server_that_refuses_to_send_tells_that_the_client_left() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"x"})

    async def refuse(message: Any) -> None:
        if message["type"] == "http.response.body":
            raise OSError("client disconnected")

    with recording() as recorded, pytest.raises(OSError, match="client disconnected"):
        await call_asgi(figwatch.instrument(app), "/", on_send=refuse)
    recorded.assert_requests(1, http_response_status_code="200", error_type="client_disconnect")


async def test_work_after_the_last_byte_is_not_the_requests() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"x"})
        raise ValueError("a background task failed")

    with recording() as recorded, pytest.raises(ValueError, match="background"):
        await call_asgi(figwatch.instrument(app), "/")
    recorded.assert_requests(1)
    recorded.assert_requests(1, http_response_status_code="200", error_type="")


def test_a_wsgi_body_whose_length_the_server_reads_is_handed_on_as_it_is() -> None:
    body = [b"x"]

    def app(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return body

    environ: dict[str, Any] = {"REQUEST_METHOD": "GET", "PATH_INFO": "/"}
    assert figwatch.instrument(app)(environ, lambda *_: None) is body


def test_a_wsgi_response_to_head_that_nobody_reads_is_complete() -> None:
    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [])
        yield b"x"

    with recording() as recorded:
        call_wsgi(figwatch.instrument(app), "/", method="HEAD", chunks=0)
    recorded.assert_requests(1, error_type="")


def test_a_wsgi_response_read_to_its_declared_length_is_complete() -> None:
    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [("Content-Length", "1")])
        yield b"x"
        yield b""

    with recording() as recorded:
        call_wsgi(figwatch.instrument(app), "/", chunks=1)
    recorded.assert_requests(1, error_type="")


async def test_an_aiohttp_handler_that_times_out_is_the_504_the_client_gets() -> None:
    async def handle(_request: web.Request) -> web.Response:
        raise TimeoutError

    app = web.Application()
    app.router.add_get("/slow", handle)
    with recording() as recorded:
        async with aiohttp_client(figwatch.instrument(app)) as client, client.get("/slow") as response:
            assert response.status == 504
        await counted(recorded, 1, http_response_status_code="504", error_type="TimeoutError")


async def test_an_aiohttp_body_that_breaks_while_the_server_sends_it_is_an_error() -> None:
    async def body() -> Any:
        yield b"first"
        raise ValueError("boom")

    async def handle(_request: web.Request) -> web.Response:
        return web.Response(body=body())

    app = web.Application()
    app.router.add_get("/broken", handle)
    with recording() as recorded:
        async with aiohttp_client(figwatch.instrument(app)) as client:
            with pytest.raises(aiohttp.ClientError):
                async with client.get("/broken") as response:
                    await response.read()
        await counted(recorded, 1, http_response_status_code="200", error_type="ValueError")


async def test_an_aiohttp_application_that_runs_cannot_be_instrumented_any_more() -> None:
    app = web.Application()
    async with aiohttp_client(app):
        with pytest.raises(errors.TooLateError, match="before its server starts"):
            figwatch.instrument(app)


@pytest.mark.parametrize("thing", [None, 42, "app", object(), lambda one: one, dict])
def test_what_is_no_application_is_refused_with_what_to_hand_over(thing: Any) -> None:
    with pytest.raises(errors.UnknownApplicationError, match="ASGI callable"):
        figwatch.instrument(thing)


@pytest.mark.parametrize("settings", [{"side": "shadow"}, {"vantage": "moon"}, {"metrics_path": "metrics"}])
def test_a_setting_that_cannot_be_is_refused(settings: dict[str, Any]) -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        return []

    with pytest.raises(errors.DefinitionError):
        figwatch.instrument(app, **settings)


def test_a_wsgi_application_of_any_arguments_is_taken_for_one_and_its_wrapper_obeys_the_protocol() -> None:
    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        return iter([b"ab", b"c"])

    checked = validator(figwatch.instrument(validator(app)))
    with recording() as recorded:
        assert call_wsgi(checked, "/")[2] == b"abc"
    recorded.assert_requests(1, http_response_status_code="200", error_type="")


async def test_a_decorated_asgi_application_is_known_by_what_it_wraps() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    @wraps(app)
    def decorated(*everything: Any) -> Any:
        return app(*everything)

    with recording() as recorded:
        await call_asgi(figwatch.instrument(decorated), "/")
    recorded.assert_requests(1, http_response_status_code="204")


async def test_the_metrics_app_answers_with_the_page() -> None:
    start, body = await call_asgi(figwatch.metrics_app(), "/", headers=[("Accept", "application/openmetrics-text")])
    assert start["status"] == 200
    assert body["body"].endswith(b"# EOF\n")


def test_the_metrics_app_of_a_wsgi_server_answers_with_the_page() -> None:
    status, _headers, page = call_wsgi(figwatch.metrics_app("wsgi"), "/anything")
    assert status == "200 OK"
    assert b"# TYPE http_server_request_duration_seconds histogram" in page


def test_there_is_no_metrics_app_of_another_kind() -> None:
    anything: Any = "cgi"
    with pytest.raises(errors.DefinitionError, match="'asgi' or 'wsgi'"):
        figwatch.metrics_app(anything)


@pytest.mark.parametrize("place", [Mount, Route])
@pytest.mark.parametrize("path", ["/metrics", "/metrics/"])
async def test_in_starlette_the_page_answers_with_and_without_a_slash(place: Any, path: str) -> None:
    app = Starlette(routes=[place("/metrics", figwatch.metrics_app())])
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://x", follow_redirects=True) as client:
        answer = await client.get(path)
    assert answer.status_code == 200
    assert "# TYPE http_server_request_duration_seconds histogram" in answer.text


@family
async def test_the_page_of_an_instrumented_application_answers_with_and_without_a_slash(
    family: type[Asgi | Wsgi | Aiohttp],
) -> None:
    with recording() as recorded:
        for path in ("/metrics", "/metrics/"):
            status, _headers, page = await get(family(), path)
            assert status == 200
            assert "# TYPE" in page
    recorded.assert_requests(0)
