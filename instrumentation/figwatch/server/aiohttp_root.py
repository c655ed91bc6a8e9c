"""aiohttp applications that a server runs: our middleware and signal in places that cost less than half.

A middleware makes aiohttp build a chain of handlers, a signal two coroutines for each response. Around all of the
application, and in its requests' own hook, neither is needed; and what aiohttp tells through properties is read where
they read it. All of that is private to aiohttp: where a version lacks some of it, in applications mounted below others,
and where a middleware of the application stands around ours, the public places stay.
"""

from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Any, Final

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from yarl import URL

from figwatch.server import aiohttp
from figwatch.server.aiohttp import (
    ENDED,
    KEY,
    SERVED_BY,
    STATUS,
    TOKEN,
    TRACE_ID,
    TRACEPARENT,
    TRACESTATE,
    AiohttpWatch,
    Exchange,
    broke,
    hold,
)

_PLACES: Final = ("_handle", "_make_request")
_hook: Final[Any] = getattr(web.Request, "_prepare_hook", None)
_OF_RESPONSES: Final = ("_status", "_headers")
_Response: Final = web.Response
_RESOURCES: Final = web.Resource.__module__
_OF_REQUESTS: Final = frozenset({"_state", "_headers", "_method", "_rel_url"})


class _Done:
    """What is awaited in place of signals that nobody listens to: without a step of the interpreter."""

    __await__: Callable[[], Iterator[Any]] = staticmethod(().__iter__)


_DONE: Final = _Done()


class WatchedRequest(web.Request):
    """A request that tells when the headers of its response are about to go out."""

    def _prepare_hook(self, response: web.StreamResponse) -> Any:
        seen = self._state.get(KEY)
        if seen is None:
            return _hook(self, response)
        if type(response) is _Response:
            try:
                seen.status = response._status
                response._headers.setdefault(TRACE_ID, seen.span.caller[3:35].decode())
            except Exception as error:  # noqa: BLE001 - the request's edge: the response goes out as it is
                seen.fault("aiohttp", error)
        else:
            aiohttp.announce(seen, response)
        return _DONE if type(seen) is QuietExchange else _hook(self, response)


class RootExchange(Exchange):
    """One request of a running application."""

    __slots__ = ("pass_prepare",)

    pass_prepare: Callable[[web.BaseRequest], Awaitable[AbstractStreamWriter | None]]
    """The response's own method."""

    async def send(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """In place of a plain response's own `prepare`: the server calls it, and `write_eof` as soon as it returns.

        One method replaced sees both, whatever fails in either.
        """
        try:
            response = self.response
            writer = await self.pass_prepare(request)
            await response.write_eof()
        except BaseException as error:
            broke(self, error)
            raise
        try:
            self.status = response._status
            self.finish()
            # Or the response, its method and the request would stand in a ring, and wait for the garbage collector.
            del response.prepare
            self.carrier = self.response = ENDED
        except Exception as error:  # noqa: BLE001 - the request's edge: the last byte is out
            self.fault("aiohttp", error)
        return writer


class QuietExchange(RootExchange):
    """One request of an application that listens to no signals: nobody asks before the headers go out."""

    __slots__ = ()


class RootWatch(AiohttpWatch):
    """Stands around all of a running application, and in its requests."""

    def __init__(self, watch: AiohttpWatch, app: web.Application) -> None:
        """In place of `watch`, which knows what to observe."""
        super().__init__(watch.observer, None, watch.render)
        self.pages = watch.pages
        self._app = app
        self._handle: Callable[[web.Request], Awaitable[web.StreamResponse]] = app._handle
        self._kind: type[RootExchange] | None = None

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """In place of the application's own `_handle`."""
        if request._rel_url.path_safe in self.pages and request.method in ("GET", "HEAD"):
            return aiohttp.answer_scrape(request, self.render)
        seen = self.begin(request)
        if seen is None:
            return await self._handle(request)
        entered = seen.enter()
        try:
            response = await self._handle(request)
        except web.HTTPException as answer:
            hold(seen, answer)
            raise
        except BaseException as error:
            broke(seen, error)
            raise
        finally:
            seen.leave(entered)
        if type(response) is not _Response or seen.finished:
            hold(seen, response)
        else:
            seen.response = response
            seen.pass_prepare = response.prepare
            response.prepare = seen.send  # type: ignore[method-assign]  # until it is sent
        return response

    def begin(self, request: web.Request) -> RootExchange | None:
        """Start observing, and tell handlers whose side it is; None if we failed."""
        try:
            headers = request._headers
            sent = headers.getall(TRACEPARENT, None)
            marked = STATUS in headers
            seen = self.observer.begin(
                request,
                request._method,
                None if sent is None else ",".join(sent),
                aiohttp.header_of(request, TRACESTATE) if sent is not None and TRACESTATE in headers else None,
                aiohttp.header_of(request, STATUS) if marked else None,
                aiohttp.header_of(request, TOKEN) if marked else None,
                self._kind or self._choose(),
            )
            if seen is not None:
                state = request._state
                state[SERVED_BY] = seen.side
                state[KEY] = seen
        except Exception as error:  # noqa: BLE001 - the request's edge: a fault of ours must not become the request's
            self.observer.telemetry.health.fault("aiohttp", error)
            return None
        return seen

    def _choose(self) -> type[RootExchange]:
        """At the first request, when nobody can add signals any more."""
        self._kind = RootExchange if has_signals(self._app) else QuietExchange
        return self._kind


async def take_over(watch: AiohttpWatch, app: web.Application) -> None:
    """When the application starts: move to the cheaper places, if it is the outermost and has them."""
    if app.pre_frozen or not _has_places(app):
        return
    if app.middlewares[0] != watch.middleware:
        return  # what somebody put around us afterwards sees every request, the metrics page's as well
    app.middlewares.remove(watch.middleware)
    app.on_response_prepare.remove(watch.prepared)
    # Not by `setattr`, which warns of names it does not know where asyncio is debugged.
    object.__setattr__(app, "_make_request", partial(app._make_request, _cls=WatchedRequest))
    object.__setattr__(app, "_handle", RootWatch(watch, app).serve)


def _has_places(app: web.Application) -> bool:
    """Whether this version of aiohttp has all that is private and used here."""
    answer = web.Response()
    return (
        _hook is not None
        and all(callable(getattr(app, place, None)) for place in _PLACES)
        and all(hasattr(answer, name) for name in _OF_RESPONSES)
        and getattr(web.Request, "ATTRS", frozenset()) >= _OF_REQUESTS
        and hasattr(URL, "path_safe")
    )


def has_signals(app: web.Application) -> bool:
    """Whether somebody else's code may want to run before the headers of a response go out.

    A resource of a class that is not aiohttp's may lead to applications that it tells nobody of.
    """
    resources = list(app.router.resources())
    if app.on_response_prepare or any(type(each).__module__ != _RESOURCES for each in resources):
        return True
    below = (each.get_info().get("app") for each in resources)
    return any(has_signals(each) for each in below if each is not None)
