"""The edge gateway: sends each request to legacy or to a new service, and counts what users see.

Its control call, behind a bearer token: ``GET /routes``, ``GET /routes/one?route=/api/v1/chat``, ``POST /routes`` with
``{"route": "/api/v1/chat", "to": "legacy" | "service"}`` or ``{"route": ..., "service_share": 0..100}``, and optionally
``expected_revision``. The header X-Changed-By says who asks.
"""

import argparse
import json
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from figwatch import contract
from figwatch.errors import RevisionConflictError, RouteError, UnknownRouteError
from figwatch.exposition import page
from figwatch.gateway import WHOLE, Decision, Edge, RouteTable
from figwatch.launch import TRUST_TOKEN_VARIABLE
from figwatch.server.aiohttp import answer_scrape
from figwatch_agent.demo import child, routes, tokens
from figwatch_agent.demo.load import SERVED_BY_HEADER
from figwatch_agent.demo.proxy import READ_SECONDS, Proxy, client_session

STRIDE: Final = 37
"""Coprime to 100: any hundred requests in a row draw every number once, well mixed."""
CHANGED_BY_HEADER: Final = "X-Changed-By"
CHANGED_BY_LIMIT: Final = 100
SHARES: Final[Mapping[str, int]] = {"legacy": 0, "service": WHOLE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstreams:
    """Where each side of each route listens, as URLs without a path."""

    legacy: str
    services: Mapping[str, str]  # by route template

    def url(self, decision: Decision) -> str:
        """The upstream of one decision."""
        return self.services[decision.route_template] if decision.side == "service" else self.legacy


class Draws:
    """Numbers from 0 to 99 for each route, such that a share of 80 is exactly 80 of any 100 requests in a row."""

    def __init__(self, table: RouteTable) -> None:
        self._table = table
        self._counts: Counter[str] = Counter()

    def decide(self, path: str) -> Decision:
        """Where the next request for this path goes."""
        template = self._table.decide(path, 0).route_template
        self._counts[template] += 1
        return self._table.decide(path, self._counts[template] * STRIDE % WHOLE)


class Gateway:
    """One gateway: its route table, its upstreams, and what it counts."""

    def __init__(
        self,
        table: RouteTable,
        upstreams: Upstreams,
        *,
        trust_token: str,
        control_token: str,
        read_seconds: float = READ_SECONDS,
    ) -> None:
        self._table = table
        self._draws = Draws(table)
        self._upstreams = upstreams
        self._trust_token = trust_token
        self._control_token = control_token
        self._read_seconds = read_seconds
        self._edge = Edge()
        self._page = page()
        self._proxy: Proxy | None = None

    def app(self) -> web.Application:
        """The web application; large bodies are passed on, so it sets no limit."""
        app = web.Application(client_max_size=0)
        app.router.add_get("/healthz", _healthz)
        app.router.add_get("/metrics", self._metrics)
        app.router.add_get("/routes", self._read_all)
        app.router.add_post("/routes", self._change)
        app.router.add_get("/routes/one", self._read_one)
        app.router.add_route("*", "/{path:.*}", self._forward)
        app.cleanup_ctx.append(self._session)
        return app

    async def _session(self, _: web.Application) -> AsyncIterator[None]:
        async with client_session(self._read_seconds) as client:
            self._proxy = Proxy(client)
            yield

    async def _forward(self, request: web.Request) -> web.StreamResponse:
        if self._proxy is None or not request.raw_path.startswith("/"):
            raise web.HTTPBadRequest(text="a request to this gateway names a path, not a whole address")
        decision = self._draws.decide(request.path)
        with self._edge.observe(
            request.method,
            request.path,
            decision,
            traceparent=request.headers.get(contract.TRACEPARENT_HEADER),
            tracestate=request.headers.get(contract.TRACESTATE_HEADER),
            client_gone=lambda: request.transport is None or request.transport.is_closing(),
        ) as seen:
            extra = {SERVED_BY_HEADER: decision.side, contract.TRACE_ID_HEADER: seen.trace_id or ""}
            return await self._proxy.forward(request, self._upstreams.url(decision), self._trust_token, seen, extra)

    async def _metrics(self, request: web.Request) -> web.Response:
        return answer_scrape(request, self._page)

    async def _read_all(self, request: web.Request) -> web.Response:
        self._authorise(request)
        return web.json_response({"routes": self._table.read_all()})

    async def _read_one(self, request: web.Request) -> web.Response:
        self._authorise(request)
        try:
            return web.json_response(self._table.read(request.query.get("route", "")))
        except UnknownRouteError as unknown:
            return _refused(404, str(unknown))

    async def _change(self, request: web.Request) -> web.Response:
        self._authorise(request)
        changed_by = request.headers.get(CHANGED_BY_HEADER, "operator")[:CHANGED_BY_LIMIT]
        try:
            template, share, revision = _wish(await request.read())
            state = self._table.set_share(template, share, changed_by=changed_by, expected_revision=revision)
        except UnknownRouteError as unknown:
            return _refused(404, str(unknown))
        except RevisionConflictError as conflict:
            return _refused(409, str(conflict))
        except (RouteError, ValueError) as wrong:
            return _refused(400, str(wrong))
        return web.json_response(state)

    def _authorise(self, request: web.Request) -> None:
        if not tokens.is_bearer(request.headers.get("Authorization"), self._control_token):
            raise web.HTTPUnauthorized(text="the control call needs its token: Authorization: Bearer ...")


def _wish(body: bytes) -> tuple[str, int, int | None]:
    """(route, service share, expected revision) of a control call. Raises ValueError."""
    match json.loads(body):
        case {"route": str(route), "to": "legacy" | "service" as side, **rest} if "service_share" not in rest:
            return route, SHARES[side], _revision(rest)
        case {"route": str(route), "service_share": int(share), **rest} if "to" not in rest:
            return route, share, _revision(rest)
    wanted = '"to": "legacy" or "service", or "service_share": 0 to 100'
    raise ValueError(f'expected a JSON object with "route" and either {wanted}')


def _revision(document: Mapping[object, object]) -> int | None:
    revision = document.get("expected_revision")
    if revision is not None and not isinstance(revision, int):
        raise ValueError(f"expected_revision must be a whole number, not {revision!r}")
    return revision


def _refused(status: int, message: str) -> web.Response:
    return web.json_response({"error": message}, status=status)


async def _healthz(_: web.Request) -> web.Response:
    return web.json_response({"ok": True})


def _main() -> None:
    parser = argparse.ArgumentParser(prog="python -m figwatch_agent.demo.gateway", description=__doc__)
    parser.add_argument("--legacy", required=True, help="the monolith, such as http://127.0.0.1:8100")
    parser.add_argument("--services", required=True, help='the services: {"chat": "http://127.0.0.1:8101"}')
    parser.add_argument("--shares", required=True, help='service share by route: {"/api/v1/chat": 80}')
    given = parser.parse_args()
    services = json.loads(given.services)
    upstreams = Upstreams(
        legacy=given.legacy, services={route.template: services[route.service] for route in routes.ROUTES}
    )
    gateway = Gateway(
        RouteTable(json.loads(given.shares)),
        upstreams,
        trust_token=tokens.secret(TRUST_TOKEN_VARIABLE),
        control_token=tokens.secret(tokens.GATEWAY),
    )
    child.serve(gateway.app())


if __name__ == "__main__":
    _main()
