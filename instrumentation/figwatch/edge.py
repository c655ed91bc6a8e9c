"""One line for a gateway: decide each request's side, say so to the upstream, count it at the edge.

    table = RouteTable({"/api/v1/chat": 10, "/api/v1/models/{id}": 100})
    app = figwatch.edge.install(proxy, table, trust_token=secret)

The application that forwards finds the side in its scope (`figwatch.served_by`; aiohttp: `request[SERVED_BY]`) and
sends the request's headers on as they are: what a client forged is gone, ours and this hop's trace context are there.
"""

import os
from collections.abc import Callable
from random import randrange
from typing import Any, TypeVar, cast

from figwatch.errors import UnknownApplicationError
from figwatch.exposition import Page
from figwatch.gateway import WHOLE, RouteTable
from figwatch.launch import TRUST_TOKEN_VARIABLE, is_asgi, service_name, start_export
from figwatch.migration import SideRule
from figwatch.observation import Observer, Reader
from figwatch.routes import Routes
from figwatch.telemetry import process

App = TypeVar("App")


def install(
    app: App,
    table: RouteTable,
    *,
    service: str | None = None,
    trust_token: str | None = None,
    metrics_path: str | None = "/metrics",
    draw: Callable[[], int] = lambda: randrange(WHOLE),  # noqa: S311 - shares of traffic keep no secret
) -> App:
    """Make an ASGI application or an aiohttp Application that forwards requests a gateway.

    `service` names it in traces (default: OTEL_SERVICE_NAME). `trust_token` goes to the upstreams, which believe the
    migration headers beside it (default: FIGWATCH_TRUST_TOKEN). `draw` gives 0 to 99, evenly: it picks the side of a
    route that is shared. Returns what to serve. Raises UnknownApplicationError or TooLateError.
    """
    telemetry = process()
    name = service or service_name(os.environ)
    token = trust_token if trust_token is not None else os.environ.get(TRUST_TOKEN_VARIABLE)
    page = Page(telemetry)

    def observer(side: str, reader: Reader) -> Observer[Any]:
        rule = SideRule(side, None, telemetry.health)
        routes = Routes((), telemetry.health.folded)
        return Observer(telemetry, service=name, vantage="edge", rule=rule, routes=routes, reader=reader)

    made = _make(app, table, observer, token, metrics_path, page, draw)
    start_export(telemetry, name, os.environ)
    return cast(App, made)


def _make(
    app: Any,
    table: RouteTable,
    observer: Callable[[str, Reader], Observer[Any]],
    token: str | None,
    metrics_path: str | None,
    page: Page,
    draw: Callable[[], int],
) -> Any:
    if any(f"{kind.__module__}.{kind.__qualname__}" == "aiohttp.web_app.Application" for kind in type(app).__mro__):
        from figwatch.server.aiohttp_gateway import install as install_aiohttp

        return install_aiohttp(app, table, observer, token, metrics_path, page, draw)
    if is_asgi(app):
        from figwatch.server.asgi_gateway import AsgiGateway

        return AsgiGateway(app, table, observer, token, metrics_path, page, draw)
    raise UnknownApplicationError(
        f"no gateway can be made of {app!r}: hand over an ASGI callable or an aiohttp Application"
    )
