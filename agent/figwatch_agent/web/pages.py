"""What pages link to, as plain text for whoever was woken: the runbook of an alert, and the incident itself."""

from collections.abc import Mapping

from aiohttp import web

from figwatch_agent.report.incident_page import incident_page
from figwatch_agent.web.answers import errors, not_yet
from figwatch_agent.web.deps import Deps
from figwatch_agent.web.records import delivery_document


class Pages:
    """GET /runbooks/, /runbooks/{name} and /incidents/{id}."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps

    async def runbooks(self, request: web.Request) -> web.Response:
        """One runbook a line, as the path that it is read at."""
        return _text("".join(f"/runbooks/{name}\n" for name in sorted(self._deps.runbooks)))

    async def runbook(self, request: web.Request) -> web.Response:
        """The Markdown of a runbook."""
        name = request.match_info["name"]
        page = self._deps.runbooks.get(name)
        return errors(404, [f"there is no runbook {name!r}: see /runbooks/"]) if page is None else _text(page)

    async def incident(self, request: web.Request) -> web.Response:
        """One incident with everything that is known of it, and who was told."""
        view, wanted = self._deps.publisher.latest, request.match_info["id"]
        if view is None:
            return not_yet()
        found = _named(self._deps.document(view, self._deps.healthy()), wanted)
        if found is None:
            return errors(404, [f"there is no incident {wanted!r} among the newest: see /api/v1/incidents"])
        told = await self._deps.outbox.deliveries(wanted, 100)
        return _text(incident_page(found, [delivery_document(row) for row in told]))


def _named(document: Mapping[str, object], wanted: str) -> Mapping[str, object] | None:
    incidents = document["incidents"]
    if not isinstance(incidents, list):
        return None
    return next((one for one in incidents if one["id"] == wanted), None)


def _text(text: str) -> web.Response:
    return web.Response(text=text, content_type="text/plain", charset="utf-8")
