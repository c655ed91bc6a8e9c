"""One small application for each family, all with the same endpoints, behind the servers they run on.

/items/{id}, /v2/items/{id} (a prefix), /tenants/{tenant}/deep/items/{id} (mounted), /status/{code}, /raises, /stream,
/breaks, /endless, /afterwards, /writes, /side, /waits (asynchronous ones) or /exits (WSGI)
"""

import asyncio
import http.client
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any, NamedTuple

import flask
import uvicorn
from aiohttp import web
from fastapi import APIRouter, BackgroundTasks, FastAPI, Request
from fastapi.responses import PlainTextResponse as Text
from fastapi.responses import StreamingResponse
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.websockets import WebSocket
from waitress.server import create_server

import figwatch
from support import stage

TEMPLATES = (
    "/items/{id}",
    "/v2/items/{id}",
    "/tenants/{tenant}/deep/items/{id}",
    "/status/{code}",
    "/raises",
    "/stream",
    "/breaks",
    "/endless",
    "/afterwards",
    "/writes",
    "/side",
    "/socket/{room}",
    "/waits",
)


class Answer(NamedTuple):
    """What a client got."""

    status: int
    headers: dict[str, str]  # names in lower case
    body: str


@dataclass(slots=True, frozen=True, kw_only=True)
class Family:
    """One family: how its application is made, and what serves it."""

    name: str
    make: Callable[[], Any]
    serve: Callable[[Any], Any]  # a context manager that gives the port
    kind: str  # asgi, wsgi or aiohttp


async def slowly(chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Chunks of a handler, with a chance for the server between them."""
    for chunk in chunks:
        yield chunk
        await asyncio.sleep(0)


# ---- raw ASGI ------------------------------------------------------------------------------------------------------

STREAMS = {"/stream": stage.stream, "/breaks": stage.breaking_stream, "/endless": stage.endless_stream}


async def raw(scope: Any, receive: Any, send: Any) -> None:
    """A plain ASGI application."""
    if scope["type"] == "websocket":
        await raw_socket(receive, send)
        return
    path = scope["path"]
    if path in STREAMS:
        await raw_stream(STREAMS[path](), receive, send)
        return
    if path == "/waits":
        await stage.wait()
    status, body = answer_of(scope, path)
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": body.encode()})
    if path == "/afterwards":
        stage.work_afterwards()


def answer_of(scope: Any, path: str) -> tuple[int, str]:
    if path == "/raises":
        raise stage.Broken("boom")
    if path == "/writes":
        stage.write_on_the_span()
        return 200, "x"
    if path == "/side":
        return 200, str(scope["figwatch.served_by"])
    if path.startswith("/status/"):
        return int(path.removeprefix("/status/")), "x"
    if "/items/" in path:
        return (200, stage.told()) if scope["method"] in ("GET", "HEAD") else (405, "x")
    return (200, "x") if path == "/afterwards" else (404, "x")


async def raw_stream(chunks: Iterator[bytes], receive: Any, send: Any) -> None:
    gone = asyncio.ensure_future(left(receive))
    try:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        async for chunk in slowly(chunks):
            if gone.done():
                return
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
    finally:
        gone.cancel()


async def left(receive: Any) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def raw_socket(receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": "echo " + message["text"]})


def make_raw() -> Any:
    return raw


# ---- Starlette and FastAPI -----------------------------------------------------------------------------------------


async def told(_request: Request) -> Text:
    return Text(stage.told())


async def status(request: Request) -> Text:
    return Text("x", status_code=int(request.path_params["code"]))


async def raises(_request: Request) -> Text:
    raise stage.Broken("boom")


async def writes(_request: Request) -> Text:
    stage.write_on_the_span()
    return Text("x")


async def side(request: Request) -> Text:
    return Text(request.scope["figwatch.served_by"])


async def waits(_request: Request) -> Text:
    await stage.wait()
    return Text("never")


async def afterwards(_request: Request) -> Text:
    return Text("x", background=BackgroundTask(stage.work_afterwards))


def streamed(chunks: Callable[[], Iterator[bytes]]) -> Callable[[Request], Any]:
    async def handler(_request: Request) -> StreamingResponse:
        return StreamingResponse(slowly(chunks()))

    return handler


async def echo(websocket: WebSocket) -> None:
    await websocket.accept()
    async for text in websocket.iter_text():
        await websocket.send_text("echo " + text)


PLAIN: list[tuple[str, Any]] = [
    ("/status/{code}", status),
    ("/raises", raises),
    ("/writes", writes),
    ("/side", side),
    ("/waits", waits),
    *((path, streamed(chunks)) for path, chunks in STREAMS.items()),
]


def make_starlette() -> Any:
    return Starlette(
        routes=[
            Route("/items/{id}", told, methods=["GET"]),
            Mount("/v2", routes=[Route("/items/{id}", told)]),
            Mount("/tenants/{tenant}", app=Starlette(routes=[Mount("/deep", routes=[Route("/items/{id}", told)])])),
            Route("/afterwards", afterwards),
            WebSocketRoute("/socket/{room}", echo),
            *(Route(path, handler) for path, handler in PLAIN),
        ]
    )


def make_fastapi() -> Any:
    app, items, below = FastAPI(), APIRouter(prefix="/items"), FastAPI()

    @items.get("/{id}", response_class=Text)
    async def item(id: str) -> str:
        return stage.told()

    @app.get("/afterwards", response_class=Text)
    async def later(tasks: BackgroundTasks) -> str:
        tasks.add_task(stage.work_afterwards)
        return "x"

    app.include_router(items)
    app.include_router(items, prefix="/v2")
    below.include_router(items, prefix="/deep")
    app.mount("/tenants/{tenant}", below)
    for path, handler in PLAIN:
        app.get(path, response_model=None)(handler)
    app.websocket("/socket/{room}")(echo)
    return app


# ---- Flask and Django ----------------------------------------------------------------------------------------------


def make_flask() -> Any:
    app = flask.Flask("cases")
    deep, items = flask.Blueprint("deep", "deep", url_prefix="/deep"), flask.Blueprint("items", "items")

    def item(id: str, tenant: str = "") -> str:
        return stage.told()

    deep.get("/items/<id>")(item)
    tenants = flask.Blueprint("tenants", "tenants", url_prefix="/tenants/<tenant>")
    tenants.register_blueprint(deep)
    items.get("/items/<id>")(item)
    app.register_blueprint(items, name="plain")
    app.register_blueprint(items, url_prefix="/v2", name="prefixed")
    app.register_blueprint(tenants)
    app.add_url_rule("/status/<int:code>", "status", lambda code: ("x", code))
    app.add_url_rule("/side", "side", lambda: flask.request.environ["figwatch.served_by"])
    for path, chunks in STREAMS.items():
        app.add_url_rule(path, path[1:], lambda chunks=chunks: flask.Response(chunks()))
    app.add_url_rule("/raises", "raises", flask_raises)
    app.add_url_rule("/exits", "exits", flask_exits)
    app.add_url_rule("/writes", "writes", flask_writes)
    app.add_url_rule("/afterwards", "afterwards", flask_afterwards)
    return app


def flask_raises() -> str:
    raise stage.Broken("boom")


def flask_exits() -> str:
    raise SystemExit


def flask_writes() -> str:
    stage.write_on_the_span()
    return "x"


def flask_afterwards() -> flask.Response:
    response = flask.Response("x")
    response.call_on_close(stage.work_afterwards)
    return response


def configure_django() -> None:
    """Django knows one configuration in a process."""
    conf = import_module("django.conf")
    if not conf.settings.configured:
        conf.settings.configure(
            ROOT_URLCONF="support.library_urls", ALLOWED_HOSTS=["*"], SECRET_KEY="test", LOGGING_CONFIG=None
        )
        import_module("django").setup()


def make_django_wsgi() -> Any:
    configure_django()
    return import_module("django.core.handlers.wsgi").WSGIHandler()


def make_django_asgi() -> Any:
    configure_django()
    return import_module("django.core.handlers.asgi").ASGIHandler()


# ---- aiohttp -------------------------------------------------------------------------------------------------------


def make_aiohttp() -> Any:
    async def item(_request: web.Request) -> web.Response:
        return web.Response(text=stage.told())

    async def status_of(request: web.Request) -> web.Response:
        return web.Response(text="x", status=int(request.match_info["code"]))

    async def raise_(_request: web.Request) -> web.Response:
        raise stage.Broken("boom")

    async def write(_request: web.Request) -> web.Response:
        stage.write_on_the_span()
        return web.Response(text="x")

    async def side_of(request: web.Request) -> web.Response:
        from figwatch.server.aiohttp import SERVED_BY

        return web.Response(text=request[SERVED_BY])

    async def cancelled(_request: web.Request) -> web.Response:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await stage.wait()
        return web.Response(text="never")

    async def later(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"x")
        await response.write_eof()
        stage.work_afterwards()
        return response

    async def socket_echo(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            await socket.send_str("echo " + message.data)
        return socket

    def stream_of(chunks: Callable[[], Iterator[bytes]]) -> Callable[[web.Request], Any]:
        async def handler(request: web.Request) -> web.StreamResponse:
            response = web.StreamResponse()
            await response.prepare(request)
            async for chunk in slowly(chunks()):
                await response.write(chunk)
            return response

        return handler

    app, below, deep, prefixed = web.Application(), web.Application(), web.Application(), web.Application()
    deep.router.add_get("/items/{id}", item)
    below.add_subapp("/deep", deep)
    prefixed.router.add_get("/items/{id}", item)
    app.add_subapp("/v2", prefixed)
    app.router.add_get("/items/{id}", item)
    app.add_subapp("/tenants/acme", below)
    for path, handler in [("/status/{code}", status_of), ("/raises", raise_), ("/writes", write), ("/side", side_of)]:
        app.router.add_get(path, handler)
    for path, chunks in STREAMS.items():
        app.router.add_get(path, stream_of(chunks))
    app.router.add_get("/afterwards", later)
    app.router.add_get("/waits", cancelled)
    app.router.add_get("/socket/{room}", socket_echo)
    return app


# ---- servers -------------------------------------------------------------------------------------------------------


@contextmanager
def on_uvicorn(app: Any) -> Iterator[int]:
    """An ASGI application behind uvicorn, in a thread."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(
            uvicorn.Config(app, log_config=None, lifespan="off", ws="none", timeout_graceful_shutdown=1)
        )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:  # or a test that fails would leave a thread that Python waits for at its end
            until(lambda: server.started)
            yield int(listening.getsockname()[1])
        finally:
            server.should_exit = True
            thread.join()


@contextmanager
def on_waitress(app: Any) -> Iterator[int]:
    """A WSGI application behind waitress, in a thread."""
    server: Any = create_server(app, host="127.0.0.1", port=0, threads=4)
    stopping = threading.Event()

    def run() -> None:
        while not stopping.is_set():
            server.asyncore.loop(timeout=0.02, map=server._map, count=1)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield int(server.effective_port)
    finally:
        stopping.set()
        thread.join()
        server.task_dispatcher.shutdown()
        server.asyncore.close_all(server._map)


@contextmanager
def on_aiohttp(app: Any) -> Iterator[int]:
    """An aiohttp application behind its own server, in a thread."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)

    async def start() -> int:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return int(runner.addresses[0][1])

    try:
        yield asyncio.run_coroutine_threadsafe(start(), loop).result(10)
    finally:
        try:
            asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
        finally:
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()


FAMILIES = (
    Family(name="asgi", make=make_raw, serve=on_uvicorn, kind="asgi"),
    Family(name="starlette", make=make_starlette, serve=on_uvicorn, kind="asgi"),
    Family(name="fastapi", make=make_fastapi, serve=on_uvicorn, kind="asgi"),
    Family(name="flask", make=make_flask, serve=on_waitress, kind="wsgi"),
    Family(name="django_wsgi", make=make_django_wsgi, serve=on_waitress, kind="wsgi"),
    Family(name="django_asgi", make=make_django_asgi, serve=on_uvicorn, kind="asgi"),
    Family(name="aiohttp", make=make_aiohttp, serve=on_aiohttp, kind="aiohttp"),
)


def instrumented(family: Family, **settings: Any) -> Any:
    """The family's application, instrumented; raw ASGI declares its templates, as it has no router."""
    declared: dict[str, Any] = {"routes": TEMPLATES} if family.name == "asgi" else {}
    return figwatch.instrument(family.make(), service="cases", **declared, **settings)


def until(condition: Callable[[], bool]) -> None:
    """Wait for what a server does after its client has its answer; a deadline keeps it honest."""
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "waited ten seconds in vain"
        threading.Event().wait(0.002)


def ask(port: int, path: str, *, method: str = "GET", headers: dict[str, str] | None = None) -> Answer:
    """One request on a connection of its own; a response cut short has the body as far as it came."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path, headers=headers or {})
        response = connection.getresponse()
        try:
            body = response.read()
        except http.client.IncompleteRead as cut:
            body = cut.partial
        headers_sent = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, headers_sent, body.decode("utf-8", "replace"))
    finally:
        connection.close()


def leave_early(port: int, path: str) -> None:
    """Read the beginning of a response and go away."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert client.recv(65_536).startswith(b"HTTP/1.1 200")
