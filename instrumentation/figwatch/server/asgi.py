"""ASGI: Starlette, FastAPI, Django and plain callables. Only `http` scopes are observed, the rest passes untouched."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final, Protocol

from figwatch import contract
from figwatch.observation import Observation, Observer
from figwatch.server.templates import asgi_template

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

MARK: Final = "figwatch.vantage"
"""Key in the scope: an application inside an instrumented one is not counted twice at the same vantage."""

_TRACE_ID: Final = contract.TRACE_ID_HEADER.lower().encode()
_TRACEPARENT: Final = contract.TRACEPARENT_HEADER.encode()
_TRACESTATE: Final = contract.TRACESTATE_HEADER.encode()
_STATUS: Final = contract.MIGRATION_STATUS_HEADER.lower().encode()
_TOKEN: Final = contract.MIGRATION_TOKEN_HEADER.lower().encode()
_WANTED: Final = frozenset({_TRACEPARENT, _TRACESTATE, _STATUS, _TOKEN})


class Renderer(Protocol):
    """Answers a scrape: status, content type, page."""

    def __call__(self, accept: str) -> tuple[int, str, bytes]:
        """`accept` is the request's Accept header."""


def template_of(scope: Scope) -> str | None:
    """The framework's route template for a scope that has been through its router."""
    return asgi_template(scope)


def path_of(scope: Scope) -> str:
    """The decoded path as the application sees it, mount points included."""
    path: str = scope["path"]
    return path


def query_of(scope: Scope) -> str:
    """The query string as it was sent."""
    query: bytes = scope.get("query_string", b"")
    return query.decode("latin-1")


def header_of(scope: Scope, name: str) -> str | None:
    """A header by its lower-case name; repeated ones joined with a comma."""
    wanted = name.encode()
    values = [value.decode("latin-1") for key, value in scope["headers"] if key.lower() == wanted]
    return ",".join(values) if values else None


def peer_of(scope: Scope) -> str | None:
    """The address at the other end of the connection, as the server tells it."""
    client = scope.get("client")
    return str(client[0]) if client else None


class AsgiMiddleware:
    """An ASGI application around another one."""

    def __init__(self, app: Application, observer: Observer[Scope], metrics_path: str | None, render: Renderer) -> None:
        """`metrics_path` is answered here and not counted; None leaves every path to the application."""
        self.app = app
        self.observer = observer
        self._metrics_path = metrics_path
        self._render = render

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http" or scope.get(MARK) == self.observer.vantage:
            await self.app(scope, receive, send)
        elif scope["path"] == self._metrics_path and scope["method"] in ("GET", "HEAD"):
            await answer_scrape(scope, send, self._render)
        else:
            await self._observe(scope, receive, send)

    async def _observe(self, scope: Scope, receive: Receive, send: Send) -> None:
        seen = self._begin(scope)
        if seen is None:
            await self.app(scope, receive, send)
            return
        exchange = _Exchange(seen, receive, send)
        entered = seen.enter()
        try:
            await self.app(scope, exchange.receive, exchange.send)
        except BaseException as error:
            exchange.broke(error)
            raise
        else:
            exchange.returned()
        finally:
            seen.leave(entered)

    def _begin(self, scope: Scope) -> Observation[Scope] | None:
        try:
            found = _headers(scope)
            scope[MARK] = self.observer.vantage
            return self.observer.begin(
                scope,
                scope["method"],
                found.get(_TRACEPARENT),
                found.get(_TRACESTATE),
                found.get(_STATUS),
                found.get(_TOKEN),
            )
        except Exception as error:  # noqa: BLE001 - the request's edge: a fault of ours must not become the request's
            self.observer.telemetry.health.fault("asgi", error)
            return None


def _headers(scope: Scope) -> dict[bytes, str]:
    """The headers we read. A repeated one is joined with a comma, as WSGI does: no single value of it is believed."""
    found: dict[bytes, str] = {}
    for name, value in scope["headers"]:
        if name in _WANTED:
            text = value.decode("latin-1")
            found[name] = f"{found[name]},{text}" if name in found else text
    return found


class _Exchange:
    """Watches the messages of one request, and passes every one on unchanged but for the trace id."""

    __slots__ = ("_gone", "_receive", "_seen", "_send")

    def __init__(self, seen: Observation[Scope], receive: Receive, send: Send) -> None:
        self._seen = seen
        self._receive = receive
        self._send = send
        self._gone = False  # the client went away before the end of the response

    async def receive(self) -> Message:
        """What the client sends; a disconnect is remembered."""
        message = await self._receive()
        if message["type"] == "http.disconnect":
            self._gone = True
        return message

    async def send(self, message: Message) -> None:
        """What the application answers. The clock stops when the server has taken the last byte."""
        kind = message["type"]
        last = False
        if kind == "http.response.start":
            message = self._answered(message)
        elif kind == "http.response.body":
            if message.get("body"):
                self._seen.first_byte()
            last = not message.get("more_body", False)
        elif kind in ("http.response.pathsend", "http.response.zerocopysend"):
            self._seen.first_byte()
            last = not message.get("more_body", False)
        try:
            await self._send(message)
        except OSError:
            # A server of specification 2.4 says in this way that the client has left.
            self._gone = True
            raise
        if last:
            self._seen.finish()

    def broke(self, error: BaseException) -> None:
        """The application raised."""
        if self._gone:
            self._seen.abort(contract.CLIENT_DISCONNECT)
        else:
            self._seen.failed(error)

    def returned(self) -> None:
        """The application returned; if its response is not complete, say why."""
        if self._seen.finished:
            return
        if self._gone:
            self._seen.abort(contract.CLIENT_DISCONNECT)
        elif self._seen.status:
            self._seen.abort(contract.INCOMPLETE_RESPONSE)
        else:
            self._seen.status = 500  # what every server answers in its place
            self._seen.abort(contract.NO_RESPONSE)

    def _answered(self, message: Message) -> Message:
        try:
            self._seen.status = message["status"]
            return _with_trace_id(message, self._seen.span.trace_id)
        except Exception as error:  # noqa: BLE001 - the request's edge: the message goes out as it came
            self._seen.fault("asgi", error)
            return message


def _with_trace_id(message: Message, trace_id: str) -> Message:
    headers = list(message.get("headers", ()))
    for header in headers:
        if header[0] == _TRACE_ID:
            return message
    headers.append((_TRACE_ID, trace_id.encode()))
    return {**message, "headers": headers}


async def answer_scrape(scope: Scope, send: Send, render: Renderer) -> None:
    """Answer one scrape of the metrics page."""
    accept = b",".join(value for name, value in scope["headers"] if name == b"accept").decode("latin-1")
    status, content_type, page = render(accept)
    headers = [(b"content-type", content_type.encode()), (b"content-length", str(len(page)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else page})
