"""The application: which path is answered by what."""

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web

from figwatch_agent.model.history import SPANS
from figwatch_agent.model.view import View
from figwatch_agent.report.series import series_page
from figwatch_agent.web.acting import Acting
from figwatch_agent.web.alertmanager import Alertmanager
from figwatch_agent.web.answers import BODY_LIMIT, headers_of, json_answer, only_json
from figwatch_agent.web.api_figures import OVERVIEW_SPAN
from figwatch_agent.web.api_routes import api_routes
from figwatch_agent.web.commands import Commands
from figwatch_agent.web.deps import Deps
from figwatch_agent.web.doors import Doors
from figwatch_agent.web.events import Events
from figwatch_agent.web.guard import Guard
from figwatch_agent.web.pages import Pages
from figwatch_agent.web.signing import Signing
from figwatch_agent.web.webhooks import Webhooks
from figwatch_agent.web.who import visitor

__all__ = ["Deps", "make_app"]

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def make_app(deps: Deps) -> web.Application:
    """The application on these parts. Run it with ``access_log=None``: what matters is counted and recorded."""
    pages = Pages(deps)
    doors = Doors(
        lambda: pages.assets.path("figwatch.css"), tokens=bool(deps.tokens), public=deps.gate.access == "public"
    )
    guard = Guard(deps, doors)
    app = web.Application(client_max_size=BODY_LIMIT, middlewares=[only_json, guard.before])
    app.on_response_prepare.append(headers_of(secure=deps.gate.secure))
    app.cleanup_ctx.append(guard.refusals.counting)
    app.on_shutdown.append(pages.live.close)
    seen, commands = _Seen(deps), Commands(deps)
    reads: dict[str, _Handler] = {
        "/healthz": seen.healthz,
        "/readyz": seen.readyz,
        "/metrics": seen.metrics,
        **api_routes(deps),
        **pages.handlers(),
    }
    for path, handler in reads.items():
        app.router.add_get(path, handler)
    app.router.add_post("/api/v1/commands", commands.take)
    app.router.add_post("/api/v1/events", Events(deps).take)
    app.router.add_post("/api/v1/alertmanager", Alertmanager(deps).take)
    app.router.add_post("/api/v1/webhooks/{name}", Webhooks(deps, guard).take)
    add_doors(app, deps, guard, doors)
    return app


def add_doors(app: web.Application, deps: Deps, guard: Guard, doors: Doors) -> None:
    """Where people sign in, and act."""
    signing, acting = Signing(deps, guard, doors), Acting(deps, guard, doors)
    app.router.add_get("/sign-in", signing.ask)
    app.router.add_post("/sign-in", signing.begin)
    app.router.add_post("/sign-out", signing.end)
    app.router.add_get("/act/{kind}", acting.ask)
    app.router.add_post("/act/{kind}", acting.take)


class _Seen:
    """What is known without asking the store."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps
        self._page: tuple[View, bytes] | None = None
        self._shown: tuple[bytes, bytes] | None = None  # a page, and as strangers see it

    async def healthz(self, request: web.Request) -> web.Response:
        """The process answers; whether it is well is another question."""
        return json_answer({"alive": True})

    async def readyz(self, request: web.Request) -> web.Response:
        """Whether every part is well, and which is not."""
        parts = dict(self._deps.healthy())
        if self._deps.publisher.latest is None:
            parts["first tick"] = False
        lacking = sorted(name for name, well in parts.items() if not well)
        return json_answer({"ready": not lacking, "not_ready": lacking}, 503 if lacking else 200)

    async def metrics(self, request: web.Request) -> web.Response:
        """The agent's own counters, and for whoever may look what the newest tick knows of the migration."""
        telemetry = self._deps.telemetry
        may_look = self._deps.gate.access == "public" or visitor().known
        figures = self._figures if visitor().known else self._figures_for_strangers
        body = telemetry.render() + (await figures() if may_look else b"")
        return web.Response(body=body, headers={"Content-Type": telemetry.content_type})

    async def _figures(self) -> bytes:
        """Made once a tick, in a thread: thousands of SLOs are some tenths of a second of text."""
        view = self._deps.publisher.latest
        if view is None:
            return b""
        if self._page is None or self._page[0] is not view:
            shares = self._deps.past.shares(SPANS[OVERVIEW_SPAN][0])
            self._page = view, await asyncio.to_thread(series_page, view, shares)
        return self._page[1]

    async def _figures_for_strangers(self) -> bytes:
        """The same without words of the inside, made once a tick as well."""
        page = await self._figures()
        if self._shown is None or self._shown[0] is not page:
            shown = await asyncio.to_thread(self._deps.redaction.text, page.decode())
            self._shown = page, shown.encode()
        return self._shown[1]
