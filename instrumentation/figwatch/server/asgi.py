"""ASGI: Starlette, FastAPI, Django and plain callables. Only `http` scopes are observed, the rest passes untouched."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any, Final, Protocol

from figwatch import contract
from figwatch.observation import Observation, Observer
from figwatch.routes import slash_or_none
from figwatch.server.templates import asgi_template, header_of_scope

if TYPE_CHECKING:
    from figwatch.connections import Connections

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

MARK: Final = "figwatch.vantage"
"""Key in the scope: an application inside an instrumented one is not counted twice at the same vantage."""

SERVED_BY: Final = "figwatch.served_by"
"""Key in the scope for the side of the request, one of contract.SIDES."""

_STARLETTES_OWN: Final = "starlette.opentelemetry"
_FASTAPIS_OWN: Final = "fastapi.telemetry"
"""Keys by which the telemetry that these frameworks bring along knows that somebody is at work already."""

_TRACE_ID: Final = contract.TRACE_ID_HEADER.lower().encode()
_TRACEPARENT: Final = contract.TRACEPARENT_HEADER.encode()
_TRACESTATE: Final = contract.TRACESTATE_HEADER.encode()
_STATUS: Final = contract.MIGRATION_STATUS_HEADER.lower().encode()
_TOKEN: Final = contract.MIGRATION_TOKEN_HEADER.lower().encode()
_SILENT: Final = frozenset({"2.0", "2.1", "2.2", "2.3"})
"""Specifications by which a server takes messages for a client that has left, and says nothing."""
_WANTED: Final = frozenset({_TRACEPARENT, _TRACESTATE, _STATUS, _TOKEN})


class Renderer(Protocol):
    """Answers a scrape: status, content type, page."""

    def __call__(self, accept: str) -> tuple[int, str, bytes]:
        """`accept` is the request's Accept header."""


template_of: Final = asgi_template
"""The framework's route template for a scope that has been through its router."""


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
    return header_of_scope(scope, name)


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
        self._pages = slash_or_none(metrics_path)
        self._render = render
        self._connections: Connections | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http" or scope.get(MARK) == self.observer.vantage:
            if scope["type"] == "websocket" and scope.get(MARK) != self.observer.vantage:
                await self._connect(scope, receive, send)
            else:
                await self.app(scope, receive, send)
            return
        if scope["path"] in self._pages and scope["method"] in ("GET", "HEAD"):
            await answer_scrape(scope, send, self._render)
            return
        seen = self._begin(scope)
        if seen is None:
            await self.app(scope, receive, send)
            return
        seen.pass_from, seen.pass_to = receive, send
        entered = seen.enter()
        try:
            await self.app(scope, seen.receive, seen.send)
        except BaseException as error:
            seen.broke(error)
            raise
        else:
            if not seen.finished:
                seen.returned()
        finally:
            seen.leave(entered)

    async def _connect(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            from figwatch.connections import Connections  # both only for those who have websockets
            from figwatch.server.sockets import watch

            scope[MARK] = self.observer.vantage
            scope.setdefault(_FASTAPIS_OWN, None)
            if self._connections is None:
                self._connections = Connections(self.observer.telemetry)
        except Exception as error:  # noqa: BLE001 - the connection's edge: a fault of ours must not become its own
            self.observer.telemetry.health.fault("websocket", error)
            await self.app(scope, receive, send)
            return
        await watch(self._connections, self.observer, self.app, scope, receive, send, SERVED_BY)

    def _begin(self, scope: Scope) -> "_Exchange | None":
        try:
            scope[MARK] = self.observer.vantage
            scope[_STARLETTES_OWN] = True
            scope.setdefault(_FASTAPIS_OWN, None)
            traceparent = tracestate = status = token = None
            for name, value in scope["headers"]:
                if name in _WANTED:
                    if name == _TRACEPARENT:
                        # Sent twice, no part of it is believed.
                        traceparent = value if traceparent is None else b""
                    elif name == _TRACESTATE:
                        tracestate = _joined(tracestate, value)
                    elif name == _STATUS:
                        status = _joined(status, value)
                    else:
                        token = _joined(token, value)
            seen = self.observer.begin(scope, scope["method"], traceparent, tracestate, status, token, _Exchange)
            if seen is not None:
                scope[SERVED_BY] = seen.side
            return seen
        except Exception as error:  # noqa: BLE001 - the request's edge: a fault of ours must not become the request's
            self.observer.telemetry.health.fault("asgi", error)
            return None


def _joined(before: str | None, value: bytes) -> str:
    """A header's value. A repeated one is joined with a comma, as WSGI does: no part of it is believed."""
    text = value.decode("latin-1")
    return text if before is None else f"{before},{text}"


class _Exchange(Observation[Scope]):
    """One request that watches its own messages, and passes every one on unchanged but for the trace id."""

    __slots__ = ("pass_from", "pass_to", "silent")

    pass_from: Receive
    """Where messages come from."""
    pass_to: Send
    """Where messages go."""
    silent: bool
    """Whether the server says nothing of a client that has left; known once the answer begins."""

    async def receive(self) -> Message:
        """What the client sends; a disconnect is remembered."""
        message = await self.pass_from()
        if message["type"] == "http.disconnect":
            self.gone = True
        return message

    def send(self, message: Message) -> Awaitable[None]:
        """What the application answers. The clock stops when the server has taken the last byte."""
        last = False
        watched = True
        try:
            kind = message["type"]
            if kind == "http.response.start":
                message = self._answered(message)
                watched = not self.silent
            elif kind == "http.response.body":
                last = not message.get("more_body", False)
                watched = last or not self.silent
                if not self.first and message.get("body"):
                    self.first = self.observer.timer()
            elif kind in ("http.response.pathsend", "http.response.zerocopysend"):
                last = not message.get("more_body", False)
                self.first_byte()
        except Exception as error:  # noqa: BLE001 - the request's edge: the message goes out as it came
            self.fault("asgi", error)
        # A coroutine of ours around the server's costs as much as all the rest of this.
        return self._pass(message, last) if watched else self.pass_to(message)

    async def _pass(self, message: Message, last: bool) -> None:
        """Pass on a message whose fate matters."""
        try:
            await self.pass_to(message)
        except OSError:
            # By specification 2.4 a server says in this way that the client has left.
            self.gone = True
            raise
        if last:
            self.finish()

    def broke(self, error: BaseException) -> None:
        """The application raised."""
        if self.gone:
            self.abort(contract.CLIENT_DISCONNECT)
        else:
            self.failed(error)

    def returned(self) -> None:
        """The application returned before its response was complete: say why."""
        if self.gone:
            self.abort(contract.CLIENT_DISCONNECT)
        elif self.status:
            self.abort(contract.INCOMPLETE_RESPONSE)
        else:
            self.status = 500  # what every server answers in its place
            self.abort(contract.NO_RESPONSE)

    def _answered(self, message: Message) -> Message:
        self.status = message["status"]
        try:
            self.silent = self.carrier["asgi"]["spec_version"] in _SILENT
        except KeyError:
            self.silent = False
        headers = message.get("headers", ())
        for name, _value in headers:
            if name == _TRACE_ID:
                return message
        # A message of our own: an application may send the same one to every client.
        return {**message, "headers": [*headers, (_TRACE_ID, self.span.caller[3:35])]}


async def answer_scrape(scope: Scope, send: Send, render: Renderer) -> None:
    """Answer one scrape of the metrics page."""
    accept = b",".join(value for name, value in scope["headers"] if name == b"accept").decode("latin-1")
    status, content_type, page = render(accept)
    headers = [(b"content-type", content_type.encode()), (b"content-length", str(len(page)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else page})
