"""JSON beside every page: what it shows, under /api/v1, with the members that the pages are made of."""

from aiohttp import web

from figwatch_agent.durations import format_instant
from figwatch_agent.report.exclusions import exclusions_document
from figwatch_agent.report.gate import gate_document
from figwatch_agent.report.overview import Ask
from figwatch_agent.web.answers import errors, json_answer, not_yet
from figwatch_agent.web.api_figures import OVERVIEW_SPAN, Figures
from figwatch_agent.web.api_query import LONGEST_ROUTE, MOST_PAGES, SPAN_WORDS, STAGES, Query, nothing_asked
from figwatch_agent.web.deps import Deps
from figwatch_agent.web.openapi import openapi_document
from figwatch_agent.web.who import visitor


class Api:
    """Answers from the newest view, from the rings and from the store."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps
        self._figures = Figures(deps)

    async def status(self, request: web.Request) -> web.Response:
        """Everything that the newest view holds, without a past."""
        nothing_asked(request)
        view = self._figures.view
        return not_yet() if view is None else json_answer(self._deps.document(view, self._deps.healthy()))

    async def overview(self, request: web.Request) -> web.Response:
        """One page of routes, and everything that is said of the whole."""
        ask, span = _asked(request)
        overview = self._figures.overview(span)
        return not_yet() if overview is None else json_answer(overview.document(ask))

    async def routes(self, request: web.Request) -> web.Response:
        """The routes of the overview alone."""
        ask, span = _asked(request)
        overview = self._figures.overview(span)
        if overview is None:
            return not_yet()
        whole = overview.document(ask)
        return json_answer({key: whole[key] for key in ("version", "at", "axis", "routes", "page")})

    async def route(self, request: web.Request) -> web.Response:
        """One route over a span."""
        query = Query(request)
        span = query.word("span", SPAN_WORDS) or "6h"
        query.finish()
        if self._figures.view is None:
            return not_yet()
        wanted = request.match_info["route"]
        found = await self._figures.route(wanted, span)
        return errors(404, [f"no file declares the route {wanted!r}"]) if found is None else json_answer(found)

    async def incidents(self, request: web.Request) -> web.Response:
        """Open ones first, then the newest closed."""
        nothing_asked(request)
        view = self._figures.view
        if view is None:
            return not_yet()
        document = self._deps.document(view, self._deps.healthy())
        return json_answer({key: document[key] for key in ("version", "at", "incidents")})

    async def incident(self, request: web.Request) -> web.Response:
        """Everything that is known of one incident."""
        nothing_asked(request)
        if self._figures.view is None:
            return not_yet()
        wanted = request.match_info["id"]
        found = await self._figures.incident_record(wanted)
        if found is None:
            return errors(404, [f"there is no incident {wanted!r} among the newest: see /api/v1/incidents"])
        return json_answer(found)

    async def criteria(self, request: web.Request) -> web.Response:
        """The success criteria with their verdicts, in the order of the files."""
        nothing_asked(request)
        view, found = self._figures.view, self._figures.criteria()
        if view is None or found is None:
            return not_yet()
        return json_answer({"version": 1, "at": format_instant(view.at), "criteria": found})

    async def report(self, request: web.Request) -> web.Response:
        """Everything that the migration is judged by, as `figwatch report` writes it."""
        nothing_asked(request)
        found = await self._figures.report()
        return not_yet() if found is None else json_answer(found)

    async def gate(self, request: web.Request) -> web.Response:
        """Whether a route may move on, with every condition."""
        query = Query(request)
        route, to, over = query.needed("route", LONGEST_ROUTE), query.word("to", STAGES), query.lasting("over")
        query.finish()
        if self._figures.view is None:
            return not_yet()
        found = self._deps.past.gate(route, to, self._deps.clock.now(), over)
        return (
            errors(404, [f"no file declares the route {route!r}"])
            if found is None
            else json_answer(gate_document(found))
        )

    async def exclusions(self, request: web.Request) -> web.Response:
        """Maintenance that is set aside, newest first."""
        nothing_asked(request)
        view = self._figures.view
        return not_yet() if view is None else json_answer(exclusions_document(view))

    async def agent(self, request: web.Request) -> web.Response:
        """The agent about itself, before the first tick as well."""
        nothing_asked(request)
        return json_answer(await self._figures.agent(public=not visitor().known))

    async def openapi(self, request: web.Request) -> web.Response:
        """This API, described."""
        nothing_asked(request)
        return json_answer(openapi_document())


def _asked(request: web.Request) -> tuple[Ask, str]:
    query = Query(request)
    page, text = query.whole("page", 1, MOST_PAGES), query.text("q")
    stage, span = query.word("stage", STAGES), query.word("span", SPAN_WORDS)
    query.finish()
    return Ask(page=page, query=text or "", stage=stage), span or OVERVIEW_SPAN
