"""A gateway in front of an ASGI application that forwards."""

from collections.abc import Callable
from typing import Any, Final

from figwatch import contract
from figwatch.gateway import Decision, RouteTable, migration_headers, unforged
from figwatch.observation import Observer, Reader
from figwatch.server import asgi
from figwatch.tracing import outgoing

_DECISION: Final = "figwatch.decision"
_TRACE: Final = frozenset({contract.TRACEPARENT_HEADER, contract.TRACESTATE_HEADER})


class AsgiGateway:
    """Decides, and lets the side's own middleware count: both sides are one application behind it."""

    def __init__(
        self,
        app: Any,
        table: RouteTable,
        observer: Callable[[str, Reader], Observer[Any]],
        token: str | None,
        metrics_path: str | None,
        render: asgi.Renderer,
        draw: Callable[[], int],
    ) -> None:
        """`draw` gives 0 to 99; `token` goes to the upstreams."""
        self.app = app
        self._table = table
        self._token = token
        self._draw = draw
        self._sides = {
            side: asgi.AsgiMiddleware(self._forward, observer(side, _Reader()), metrics_path, render)
            for side in ("legacy", "service")
        }

    async def __call__(self, scope: asgi.Scope, receive: asgi.Receive, send: asgi.Send) -> None:
        """Serve one connection."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        decision = self._table.decide(scope["path"], self._draw())
        # Without the client's migration headers: nobody behind us may read them, and they are no mistake of ours.
        bare = _encoded(unforged(_decoded(scope)))
        await self._sides[decision.side]({**scope, _DECISION: decision, "headers": bare}, receive, send)

    async def _forward(self, scope: asgi.Scope, receive: asgi.Receive, send: asgi.Send) -> None:
        decision: Decision = scope[_DECISION]
        headers = migration_headers(_decoded(scope), decision, scope["path"], self._token)
        context = outgoing()
        if context:
            headers = [*(pair for pair in headers if pair[0].lower() not in _TRACE), *context]
        await self.app({**scope, "headers": _encoded(headers)}, receive, send)


def _decoded(scope: asgi.Scope) -> list[tuple[str, str]]:
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]


def _encoded(headers: list[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]


class _Reader:
    """Reads scopes whose route was decided here."""

    query_of = staticmethod(asgi.query_of)
    header_of = staticmethod(asgi.header_of)
    peer_of = staticmethod(asgi.peer_of)
    path_of = staticmethod(asgi.path_of)

    def template_of(self, scope: Any) -> str | None:
        """The rule that decided; None where none matched."""
        decision: Decision = scope[_DECISION]
        return decision.rule
