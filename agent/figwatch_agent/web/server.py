"""The application: which path is answered by what."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from figwatch_agent.web.answers import BODY_LIMIT, add_headers, json_answer, not_yet, only_json
from figwatch_agent.web.commands import Commands
from figwatch_agent.web.deps import Deps
from figwatch_agent.web.pages import Pages
from figwatch_agent.web.records import Records

__all__ = ["Deps", "make_app"]

_Handler = Callable[[web.Request], Awaitable[web.Response]]


def make_app(deps: Deps) -> web.Application:
    """The application on these parts. Run it with ``access_log=None``: what matters is counted and recorded."""
    app = web.Application(client_max_size=BODY_LIMIT, middlewares=[only_json])
    app.on_response_prepare.append(add_headers)
    seen, records, commands, pages = _Seen(deps), Records(deps), Commands(deps), Pages(deps)
    reads: dict[str, _Handler] = {
        "/healthz": seen.healthz,
        "/readyz": seen.readyz,
        "/metrics": seen.metrics,
        "/api/v1/status": seen.status,
        "/api/v1/incidents": seen.incidents,
        "/api/v1/rollbacks": records.rollbacks,
        "/api/v1/rollbacks/{id:.+}": records.rollback,
        "/api/v1/deliveries": records.deliveries,
        "/api/v1/transitions": records.transitions,
        "/runbooks": pages.runbooks,
        "/runbooks/": pages.runbooks,
        "/runbooks/{name}": pages.runbook,
        "/incidents/{id:.+}": pages.incident,
    }
    for path, handler in reads.items():
        app.router.add_get(path, handler)
    app.router.add_post("/api/v1/commands", commands.take)
    return app


class _Seen:
    """What is known without asking the store."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps

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
        """The agent's own counters."""
        telemetry = self._deps.telemetry
        return web.Response(body=telemetry.render(), headers={"Content-Type": telemetry.content_type})

    async def status(self, request: web.Request) -> web.Response:
        """Everything there is to see."""
        document = self._document()
        return not_yet() if document is None else json_answer(document)

    async def incidents(self, request: web.Request) -> web.Response:
        """The incidents of the status alone."""
        document = self._document()
        if document is None:
            return not_yet()
        return json_answer({key: document[key] for key in ("version", "at", "incidents")})

    def _document(self) -> dict[str, object] | None:
        view = self._deps.publisher.latest
        return None if view is None else self._deps.document(view, self._deps.healthy())
