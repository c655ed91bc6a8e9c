"""WSGI: Flask, Django and plain callables."""

from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Any, Final, Protocol

from opentelemetry.context import Context

from figwatch import contract
from figwatch.current import current_context
from figwatch.observation import Observation, Observer
from figwatch.routes import slash_or_none
from figwatch.server.templates import NOTED_ROUTE, flask_template, is_complete, note_flasks_error, wsgi_template

Environ = dict[str, Any]
Headers = list[tuple[str, str]]
ExcInfo = tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]
Write = Callable[[bytes], object]


class StartResponse(Protocol):
    """What a server hands to an application."""

    def __call__(self, status: str, headers: Headers, exc_info: ExcInfo | None = None, /) -> Write:
        """Begin the response."""


Application = Callable[[Environ, StartResponse], Iterable[bytes]]
Renderer = Callable[[str], tuple[int, str, bytes]]

MARK: Final = "figwatch.vantage"
"""Key in the environ: an application inside an instrumented one is not counted twice at the same vantage."""

SERVED_BY: Final = "figwatch.served_by"
"""Key in the environ for the side of the request, one of contract.SIDES."""

_TRACEPARENT: Final = "HTTP_TRACEPARENT"
_TRACESTATE: Final = "HTTP_TRACESTATE"
_STATUS: Final = "HTTP_X_MIGRATION_STATUS"
_TOKEN: Final = "HTTP_X_MIGRATION_TOKEN"  # noqa: S105 - the name of a header
_TRACE_HEADER: Final = contract.TRACE_ID_HEADER
_TRACE_ID: Final = _TRACE_HEADER.lower()
_lower: Final = str.lower
_CODES: Final = 100  # status lines whose number is remembered
_codes: Final[dict[str, int]] = {}
_LENGTH: Final = "content-length"


template_of: Final = wsgi_template
"""The framework's route template for a request that has been through its router."""


def path_of(environ: Environ) -> str:
    """The decoded path, mount point included."""
    path = str(environ.get("SCRIPT_NAME", "")) + str(environ.get("PATH_INFO", ""))
    # A server decodes the path as latin-1 for want of anything better; what was meant is UTF-8.
    return path.encode("latin-1", "replace").decode("utf-8", "replace") or "/"


def query_of(environ: Environ) -> str:
    """The query string as it was sent."""
    return str(environ.get("QUERY_STRING", ""))


def header_of(environ: Environ, name: str) -> str | None:
    """A header by its lower-case name."""
    value = environ.get("HTTP_" + name.upper().replace("-", "_"))
    return None if value is None else str(value)


def peer_of(environ: Environ) -> str | None:
    """The address at the other end of the connection, as the server tells it."""
    address = environ.get("REMOTE_ADDR")
    return str(address) if address else None


class WsgiMiddleware:
    """A WSGI application around another one."""

    def __init__(
        self, app: Application, observer: Observer[Environ], metrics_path: str | None, render: Renderer
    ) -> None:
        """`metrics_path` is answered here and not counted; None leaves every path to the application."""
        self.app = app
        self.observer = observer
        self._pages = slash_or_none(metrics_path)
        self._render = render

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request."""
        if environ.get(MARK) == self.observer.vantage:
            return self.app(environ, start_response)
        if environ.get("PATH_INFO") in self._pages and environ["REQUEST_METHOD"] in ("GET", "HEAD"):
            return answer_scrape(environ, start_response, self._render)
        observer = self.observer
        try:
            environ[MARK] = observer.vantage
            seen = observer.begin(
                environ,
                environ["REQUEST_METHOD"],
                environ.get(_TRACEPARENT),
                environ.get(_TRACESTATE),
                environ.get(_STATUS),
                environ.get(_TOKEN),
                _Exchange,
            )
            if seen is not None:
                environ[SERVED_BY] = seen.side
                seen.pass_to = start_response
                seen.sent = 0
        except Exception as error:  # noqa: BLE001 - the request's edge: a fault of ours must not become the request's
            observer.telemetry.health.fault("wsgi", error)
            seen = None
        if seen is None:
            return self.app(environ, start_response)
        entered = seen.enter()
        inside = current_context()
        try:
            body = self.app(environ, seen.start_response)
        except BaseException as error:
            seen.broke(error)
            raise
        finally:
            seen.leave(entered)
        try:
            complete = is_complete(body) or _is_file(body, environ)
        except Exception as error:  # noqa: BLE001 - the request's edge: what is odd about a body is the server's to see
            seen.fault("wsgi", error)
            complete = False
        if complete:
            # All bytes are ready now, which is where an application's own time ends. Handed on as they are: servers
            # look at the length and the type of some to set Content-Length or to call sendfile.
            if seen.status:
                seen.finish()
            else:
                seen.ended()
            return body
        seen.body, seen.inside = body, inside
        return seen


def _code(status: str) -> int:
    """The number in a status line."""
    number = int(status[:3])
    if len(_codes) < _CODES:
        _codes[status] = number
    return number


def _is_file(body: object, environ: Environ) -> bool:
    wrapper = environ.get("wsgi.file_wrapper")
    return isinstance(wrapper, type) and isinstance(body, wrapper)


class _Exchange(Observation[Environ]):
    """One request that watches its status line and its writes, and stands for a body that is made while it is sent."""

    __slots__ = ("_write", "body", "headers", "inside", "pass_to", "sent")

    pass_to: StartResponse
    """Where the status line goes."""
    body: Iterable[bytes]
    """What the application returned, if it is not complete yet. The request is current while it makes a chunk."""

    headers: Headers
    """As the application sent them with its status."""
    inside: Context | None
    """What is current while the body is made. Forgotten at the end: it refers to this, and would stand in a ring."""
    sent: int
    """Bytes of the body handed to the server."""

    def start_response(self, status: str, headers: Headers, exc_info: ExcInfo | None = None, /) -> Write:
        """Note the status, add the trace id, and pass it on; an application may call again with an error."""
        try:
            self.status = _codes.get(status) or _code(status)
            self.headers = headers
            environ = self.carrier
            rule = getattr(environ.get("werkzeug.request"), "url_rule", None)
            if rule is not None:
                template = flask_template(environ, rule) if environ.get("SCRIPT_NAME") else rule.rule
                self.route = self.observer.known(template)
                if self.route is None:
                    environ[NOTED_ROUTE] = template
            if _TRACE_ID not in map(_lower, dict(headers)):  # the names, without a step of the interpreter for each
                headers = [*headers, (_TRACE_HEADER, self.span.caller[3:35].decode())]
        except Exception as error:  # noqa: BLE001 - the request's edge: the response goes out as it came
            self.fault("wsgi", error)
        # The argument is only handed on where the application gave one.
        self._write = self.pass_to(status, headers) if exc_info is None else self.pass_to(status, headers, exc_info)
        return self.write

    def write(self, data: bytes) -> object:
        """WSGI's old way: the application writes by itself."""
        self.count(data)
        return self._write(data)

    def count(self, data: bytes) -> None:
        """A chunk goes to the server, which says what it thinks of one that is none."""
        try:
            if data:
                if not self.first:
                    self.first = self.observer.timer()
                self.sent += len(data)
        except Exception as error:  # noqa: BLE001 - the request's edge: the chunk goes out as it came
            self.fault("wsgi", error)

    def broke(self, error: BaseException) -> None:
        """The application raised."""
        try:
            if self.route is None and NOTED_ROUTE not in self.carrier:
                note_flasks_error(self.carrier, error)
        except Exception as fault:  # noqa: BLE001 - the request's edge: the application's error goes on its way
            self.fault("wsgi", fault)
        self.inside = None
        self.failed(error)

    def ended(self) -> None:
        """The body is complete."""
        if self.status:
            self.finish()
        else:
            self.status = 500  # what every server answers in place of an application that never started
            self.abort(contract.NO_RESPONSE)

    def __iter__(self) -> Iterator[bytes]:
        """The chunks, each made while the request is current."""
        chunks = None
        while True:
            entered = self.enter(self.inside)
            try:
                if chunks is None:
                    chunks = iter(self.body)
                chunk = next(chunks, None)
            except BaseException as error:
                self.failed(error)
                raise
            finally:
                self.leave(entered)
            if chunk is None:
                break
            self.count(chunk)
            yield chunk
        if self.status:
            self.finish()
        else:
            self.ended()

    def close(self) -> None:
        """Called by the server in every case; what it finds unfinished was cut short, unless nobody wanted more."""
        close = getattr(self.body, "close", None)
        try:
            if close is not None:
                close()
        finally:
            self.inside = None
            if not self.finished:
                if self._is_whole():
                    self.ended()
                else:
                    self.abort(contract.CLIENT_DISCONNECT)

    def _is_whole(self) -> bool:
        """Whether every byte that was announced went to the server."""
        if self.method == "HEAD" or self.status in (204, 304):
            return True
        if not self.status:
            return False
        try:
            lengths = [int(value) for name, value in self.headers if name.lower() == _LENGTH]
        except Exception as error:  # noqa: BLE001 - the request's edge: the response went out as it was
            self.fault("wsgi", error)
            return False
        return bool(lengths) and self.sent >= lengths[-1]


def answer_scrape(environ: Environ, start_response: StartResponse, render: Renderer) -> Iterable[bytes]:
    """Answer one scrape of the metrics page."""
    status, content_type, page = render(environ.get("HTTP_ACCEPT", ""))
    reason = "OK" if status == 200 else "Internal Server Error"
    start_response(f"{status} {reason}", [("Content-Type", content_type), ("Content-Length", str(len(page)))])
    return [b"" if environ["REQUEST_METHOD"] == "HEAD" else page]
