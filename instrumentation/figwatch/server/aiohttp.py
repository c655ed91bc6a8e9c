"""aiohttp: one middleware outside all others and one signal, which together see a response to its last byte.

In an application that a server runs, `figwatch.server.aiohttp_root` puts both into places that cost less.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final, Protocol, cast

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from multidict import istr

from figwatch import contract
from figwatch.errors import TooLateError
from figwatch.observation import Observation, Observer
from figwatch.routes import slash_or_none

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Renderer = Callable[[str], tuple[int, str, bytes]]

# Typed keys came with aiohttp 3.14, which warns of plain ones; before that plain ones are all there is.
KEY: Final[Any] = (
    web.RequestKey("figwatch_observation", object) if hasattr(web, "RequestKey") else "figwatch_observation"
)

SERVED_BY: Final[Any] = web.RequestKey("served_by", str) if hasattr(web, "RequestKey") else "figwatch.served_by"
"""Key in the request for its side, one of contract.SIDES."""

_SOCKET: Final[Any] = web.RequestKey("figwatch_socket", object) if hasattr(web, "RequestKey") else "figwatch_socket"
# Of the kind that need not be lower-cased for each lookup.
TRACEPARENT: Final = istr(contract.TRACEPARENT_HEADER)
TRACESTATE: Final = istr(contract.TRACESTATE_HEADER)
STATUS: Final = istr(contract.MIGRATION_STATUS_HEADER)
TOKEN: Final = istr(contract.MIGRATION_TOKEN_HEADER)
TRACE_ID: Final = istr(contract.TRACE_ID_HEADER)
_METHOD_NOT_ALLOWED: Final = 405
_REPLACED: Final = ("prepare", "write")
"""Methods of some responses that are replaced on the instance while they are sent."""
PLAIN: Final = frozenset({web.Response})
ENDED: Final[Any] = None
"""In place of a request and a response that nobody asks an observation for any more."""
_GATEWAY_TIMEOUT: Final = 504  # what aiohttp answers for a handler that raised TimeoutError


class _Watched(Protocol):
    """The methods of a stream that are replaced on the instance while it is sent."""

    write: Callable[[Any], Awaitable[None]]


def template_of(request: web.Request) -> str | None:
    """The canonical path of the resource that was chosen, sub-application prefixes included."""
    match = request._match_info  # the property refuses to tell that nobody has looked for a route yet
    if match is None:
        return None
    try:
        known: str = match._route._resource.canonical  # type: ignore[union-attr]  # two properties less; see below
    except AttributeError:
        return _of_odd_route(request, match)
    return known


def _of_odd_route(request: web.Request, match: web.UrlMappingMatchInfo) -> str | None:
    """The same where a route has no resource, or an aiohttp keeps it in another place."""
    resource = match.route.resource
    if resource is not None:
        return resource.canonical
    refused = match.http_exception
    if refused is None or refused.status != _METHOD_NOT_ALLOWED:
        return None
    return _of_any_method(match.apps[-1].router, request.rel_url.raw_path)


def _of_any_method(router: web.UrlDispatcher, path: str) -> str | None:
    """The template that would have matched with another method. Only asked for a 405."""
    for resource in router.resources():
        info = resource.get_info()
        pattern = info.get("pattern")
        if info.get("path") == path or (pattern is not None and pattern.fullmatch(path)):
            return resource.canonical
    return None


def path_of(request: web.Request) -> str:
    """The decoded path."""
    return request.path


def query_of(request: web.Request) -> str:
    """The query string as it was sent."""
    return request.rel_url.raw_query_string


def header_of(request: web.Request, name: str) -> str | None:
    """A header's value. A repeated one is joined with a comma, as WSGI does: no single value of it is believed."""
    values = request.headers.getall(name, ())
    return ",".join(values) if values else None


def peer_of(request: web.Request) -> str | None:
    """The address at the other end of the connection."""
    peer = request.transport.get_extra_info("peername") if request.transport is not None else None
    return str(peer[0]) if isinstance(peer, tuple) and peer else None


def is_instrumented(app: web.Application) -> bool:
    """Whether `install` has been here."""
    places = (*app.middlewares, vars(app).get("_handle"))
    return any(isinstance(getattr(each, "__self__", None), AiohttpWatch) for each in places)


def install(
    app: web.Application, observer: Observer[web.Request], metrics_path: str | None, render: Renderer
) -> "AiohttpWatch":
    """Add the middleware and the signal; raises TooLateError once the application runs."""
    if app.pre_frozen:
        raise TooLateError("this aiohttp application is running already: call instrument(app) before its server starts")
    watch = AiohttpWatch(observer, metrics_path, render)
    app.middlewares.insert(0, watch.middleware)
    app.on_response_prepare.insert(0, watch.prepared)
    return watch


class AiohttpWatch:
    """Observes the requests of one application."""

    def __init__(self, observer: Observer[web.Request], metrics_path: str | None, render: Renderer) -> None:
        """`metrics_path` is answered here and not counted; None leaves every path to the application."""
        self.observer = observer
        self.pages = slash_or_none(metrics_path)
        """Paths of the metrics page."""
        self.render = render

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Serve one request."""
        if request.path in self.pages and request.method in ("GET", "HEAD"):
            return answer_scrape(request, self.render)
        seen = self.begin(request)
        if seen is None:
            return await handler(request)
        entered = seen.enter()
        try:
            response = await handler(request)
        except web.HTTPException as answer:
            hold(seen, answer)
            raise
        except BaseException as error:
            broke(seen, error)
            raise
        finally:
            seen.leave(entered)
        hold(seen, response)
        return response

    async def prepared(self, request: web.Request, response: web.StreamResponse) -> None:
        """The headers are about to go out."""
        note(request, response)

    def begin(self, request: web.Request) -> "Exchange | None":
        """Start observing, and tell handlers whose side it is; None if we failed."""
        try:
            headers = request.headers
            seen = self.observer.begin(
                request,
                request.method,
                header_of(request, TRACEPARENT) if TRACEPARENT in headers else None,
                header_of(request, TRACESTATE) if TRACESTATE in headers else None,
                header_of(request, STATUS) if STATUS in headers else None,
                header_of(request, TOKEN) if TOKEN in headers else None,
                Exchange,
            )
            request[KEY] = seen
            if seen is not None:
                request[SERVED_BY] = seen.side
        except Exception as error:  # noqa: BLE001 - the request's edge: a fault of ours must not become the request's
            self.observer.telemetry.health.fault("aiohttp", error)
            return None
        return seen


class Exchange(Observation[web.Request]):
    """One request that waits for the last byte of its response."""

    __slots__ = ("pass_eof", "response")

    response: Any
    """What is being sent."""
    pass_eof: Callable[..., Awaitable[None]]
    """Its own method."""

    async def write_eof(self, data: bytes = b"") -> None:
        """In place of a response's own method: its last byte goes out."""
        try:
            await self.pass_eof(data)
        except BaseException as error:
            broke(self, error)
            raise
        try:
            response = self.response
            self.status = response.status
            self.finish()
            # Or the response, its methods and the request would stand in a ring, and wait for the garbage collector.
            del response.write_eof
            self.carrier = self.response = ENDED
            kept = response.__dict__
            for name in _REPLACED:
                if name in kept:
                    del kept[name]
        except Exception as error:  # noqa: BLE001 - the request's edge: the last byte is out
            self.fault("aiohttp", error)

    def hold_end(self, response: Any) -> None:
        """Wait for the end of this response."""
        self.response = response
        self.pass_eof = response.write_eof
        response.write_eof = self.write_eof


def note(request: web.Request, response: web.StreamResponse) -> None:
    """The headers are about to go out: note the status and add the trace id."""
    try:
        seen: Exchange | None = request[KEY]
    except KeyError:  # no request of ours; asking with `get` would cost three calls
        return
    if seen is not None:
        announce(seen, response)


def announce(seen: Exchange, response: web.StreamResponse) -> None:
    """`note`, for whoever has the observation."""
    try:
        _note(seen, response)
    except Exception as error:  # noqa: BLE001 - the request's edge: the response goes out as it is
        seen.fault("aiohttp", error)


def _note(seen: Exchange, response: web.StreamResponse) -> None:
    plain = type(response) in PLAIN  # asking for the very class: these are abstract, and `isinstance` is dear there
    if not plain and isinstance(response, web.WebSocketResponse):
        from figwatch.server.aiohttp_sockets import watch  # only for those who have websockets

        seen.carrier[_SOCKET] = watch(seen, response)
        return
    seen.status = response.status
    response.headers.setdefault(TRACE_ID, seen.span.trace_id)
    if not plain and not isinstance(response, web.Response):
        # The handler may end it itself, and go on working.
        seen.hold_end(response)
        _watch_writes(seen, response)


def _socket_ended(seen: Observation[web.Request], response: object, error: BaseException | None) -> None:
    connection = seen.carrier.get(_SOCKET)
    if connection is None:
        return
    if error is not None:
        connection.failed(error)
    else:
        connection.end(response.close_code if isinstance(response, web.WebSocketResponse) else None)


def _watch_writes(seen: Observation[web.Request], response: web.StreamResponse) -> None:
    watched = cast(_Watched, response)
    write = watched.write

    async def counted(data: Any) -> None:
        await write(data)
        seen.first_byte()

    watched.write = counted


def hold(seen: Exchange, response: Any) -> None:
    """Follow a response that the server has yet to send, or to end."""
    try:
        if seen.finished:
            if seen.carrier is not ENDED:
                _socket_ended(seen, response, None)
            return
        if type(response) not in PLAIN:
            if not isinstance(response, web.StreamResponse):
                seen.status = 500  # what aiohttp answers for a handler that returned something else
                seen.abort(contract.NO_RESPONSE)
                return
            if response.prepared and not isinstance(response, web.Response):
                watched = getattr(seen, "response", None) is response  # since it was prepared, unless we failed then
                if watched or isinstance(response, web.WebSocketResponse):
                    return
        response.prepare = partial(_prepare, seen, response.prepare)
        seen.hold_end(response)
    except Exception as error:  # noqa: BLE001 - the request's edge: the response is sent as it is
        seen.fault("aiohttp", error)


async def _prepare(
    seen: Observation[web.Request],
    prepare: Callable[[web.BaseRequest], Awaitable[AbstractStreamWriter | None]],
    request: web.BaseRequest,
) -> AbstractStreamWriter | None:
    """In place of a response's own method, while it is sent."""
    try:
        return await prepare(request)
    except BaseException as error:
        broke(seen, error)
        raise


def broke(seen: Observation[web.Request], error: BaseException) -> None:
    """What ended the request goes on its way, whatever becomes of our account of it."""
    if seen.carrier is ENDED:
        return
    try:
        _socket_ended(seen, None, error)
        gone = _is_gone(seen.carrier)
    except Exception as fault:  # noqa: BLE001 - the request's edge
        seen.fault("aiohttp", fault)
        gone = False
    if gone and isinstance(error, (ConnectionError, asyncio.CancelledError)):
        seen.abort(contract.CLIENT_DISCONNECT)
        return
    if isinstance(error, TimeoutError) and not seen.status:
        seen.status = _GATEWAY_TIMEOUT
    seen.failed(error)


def _is_gone(request: web.Request) -> bool:
    transport = request.transport
    return transport is None or transport.is_closing()


def answer_scrape(request: web.Request, render: Renderer) -> web.Response:
    """Answer one scrape of the metrics page."""
    status, content_type, page = render(",".join(request.headers.getall("Accept", ())))
    return web.Response(status=status, body=page, headers={"Content-Type": content_type})
