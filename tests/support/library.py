"""Callers for the three families of applications, and a telemetry that shares nothing with the process."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, MutableMapping
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from figwatch.cells import Cells, Memory
from figwatch.telemetry import Telemetry

Message = MutableMapping[str, Any]
Headers = Iterable[tuple[str, str]]
BIRTH = 1_700_000_000.0


class Timer:
    """Seconds that pass only when told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def fresh_telemetry(timer: Callable[[], float] | None = None) -> Telemetry:
    """A telemetry of its own, whose series are all born at BIRTH."""
    cells = Cells(Memory(clock=lambda: BIRTH))
    wall = 1_700_000_000_000_000_000
    return Telemetry(cells, timer=timer or Timer(), wall_clock=lambda: wall)


async def call_asgi(
    app: Any,
    path: str,
    *,
    method: str = "GET",
    headers: Headers = (),
    incoming: Iterable[Message] = ({"type": "http.request", "body": b"", "more_body": False},),
    on_send: Callable[[Message], Awaitable[None]] | None = None,
) -> list[Message]:
    """Serve one request as a server would and return what was sent; after `incoming` the client is gone."""
    sent: list[Message] = []
    waiting = list(incoming)
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "scheme": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }

    async def receive() -> Message:
        return waiting.pop(0) if waiting else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        if on_send is not None:
            await on_send(message)
        sent.append(message)

    await app(scope, receive, send)
    return sent


def staying(app: Any) -> Any:
    """The application, called by a client that stays until the last byte: some frameworks stop when it leaves."""

    async def stays(scope: Any, receive: Any, send: Any) -> None:
        done = asyncio.Event()
        first: list[Message] = [await receive()]

        async def patient() -> Message:
            if first:
                return first.pop()
            await done.wait()
            return {"type": "http.disconnect"}

        async def noting(message: Message) -> None:
            await send(message)
            if message["type"] == "http.response.body" and not message.get("more_body"):
                done.set()

        await app(scope, patient, noting)

    return stays


async def talk_asgi(app: Any, path: str, said: list[str], code: int = 1000) -> list[str]:
    """Open a websocket as a server would, say something, and close it; what was answered comes back."""
    incoming: list[Message] = [{"type": "websocket.connect"}]
    incoming += [{"type": "websocket.receive", "text": text} for text in said]
    incoming.append({"type": "websocket.disconnect", "code": code})
    scope = {
        "type": "websocket",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "scheme": "ws",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
        "subprotocols": [],
    }
    answers: list[str] = []

    async def receive() -> Message:
        return incoming.pop(0)

    async def send(message: Message) -> None:
        if message["type"] == "websocket.send":
            answers.append(message["text"])

    await app(scope, receive, send)
    return answers


def wsgi_environ(path: str, method: str = "GET", headers: Headers = ()) -> dict[str, Any]:
    """An environ as a server would make it."""
    from io import BytesIO
    from sys import stderr

    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(b""),
        "wsgi.errors": stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    environ.update({"HTTP_" + name.upper().replace("-", "_"): value for name, value in headers})
    return environ


def call_wsgi(
    app: Any, path: str, *, method: str = "GET", headers: Headers = (), chunks: int | None = None
) -> tuple[str, dict[str, str], bytes]:
    """Serve one request as a server would; with `chunks`, the client leaves after that many."""
    started: list[tuple[str, dict[str, str]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> Callable[[bytes], None]:
        started.append((status, {name.lower(): value for name, value in headers}))
        return lambda _data: None

    body = app(wsgi_environ(path, method, headers), start_response)
    taken: list[bytes] = []
    try:
        for chunk in body:
            taken.append(chunk)
            if chunks is not None and len(taken) >= chunks:
                break
    finally:
        close = getattr(body, "close", None)
        if close is not None:
            close()
    status, sent = started[-1] if started else ("", {})
    return status, sent, b"".join(taken)


@asynccontextmanager
async def aiohttp_client(app: web.Application) -> AsyncIterator[TestClient[Any, Any]]:
    """The application behind a real server on a free port of the loopback, and a client for it."""
    client: TestClient[Any, Any] = TestClient(TestServer(app))
    async with client:
        yield client
