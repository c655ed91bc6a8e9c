"""A gateway in front of an aiohttp application that forwards."""

from collections.abc import Callable
from typing import Any, Final

from aiohttp import web
from multidict import CIMultiDict

from figwatch import contract
from figwatch.errors import TooLateError
from figwatch.gateway import Decision, RouteTable, migration_headers, unforged
from figwatch.observation import Observer, Reader
from figwatch.server import aiohttp
from figwatch.tracing import outgoing

_DECISION: Final[Any] = (
    web.RequestKey("figwatch_decision", Decision) if hasattr(web, "RequestKey") else "figwatch_decision"
)
_TRACE: Final = frozenset({contract.TRACEPARENT_HEADER, contract.TRACESTATE_HEADER})


def install(
    app: web.Application,
    table: RouteTable,
    observer: Callable[[str, Reader], Observer[Any]],
    token: str | None,
    metrics_path: str | None,
    render: aiohttp.Renderer,
    draw: Callable[[], int],
) -> web.Application:
    """Add the middleware and the signal; raises TooLateError once the application runs."""
    if app.pre_frozen:
        raise TooLateError("this aiohttp application is running already: make a gateway of it before its server starts")
    sides = {
        side: aiohttp.AiohttpWatch(observer(side, _Reader()), metrics_path, render) for side in ("legacy", "service")
    }
    app.middlewares.insert(0, _deciding(table, sides, token, draw))
    app.on_response_prepare.insert(0, sides["legacy"].prepared)  # the same for both: it asks the request
    return app


def _deciding(
    table: RouteTable, sides: dict[str, aiohttp.AiohttpWatch], token: str | None, draw: Callable[[], int]
) -> Any:
    @web.middleware
    async def deciding(request: web.Request, handler: aiohttp.Handler) -> web.StreamResponse:
        decision = table.decide(request.path, draw())

        async def forward(seen: web.Request) -> web.StreamResponse:
            headers = migration_headers(seen.headers.items(), decision, seen.path, token)
            context = outgoing()
            if context:
                headers = [*(pair for pair in headers if pair[0].lower() not in _TRACE), *context]
            return await handler(seen.clone(headers=CIMultiDict(headers)))

        # Without the client's migration headers: nobody behind us may read them, and they are no mistake of ours.
        bare = request.clone(headers=CIMultiDict(unforged(request.headers.items())))
        bare[_DECISION] = decision
        return await sides[decision.side].middleware(bare, forward)

    return deciding


class _Reader:
    """Reads requests whose route was decided here."""

    query_of = staticmethod(aiohttp.query_of)
    header_of = staticmethod(aiohttp.header_of)
    peer_of = staticmethod(aiohttp.peer_of)
    path_of = staticmethod(aiohttp.path_of)

    def template_of(self, request: Any) -> str | None:
        """The rule that decided; None where none matched."""
        decision: Decision = request[_DECISION]
        return decision.rule
