"""Answers why: for the newest tick from the engine, for an instant of the past from what was stored."""

from difflib import get_close_matches

from aiohttp import web

from figwatch_agent.durations import Duration, format_instant
from figwatch_agent.model.explanation import Explanation
from figwatch_agent.model.history import SPANS, RouteHistory
from figwatch_agent.report.explained import explanation_document, past_document
from figwatch_agent.web.answers import errors, json_answer, not_yet
from figwatch_agent.web.api_query import LONGEST_SUBJECT, Query
from figwatch_agent.web.deps import Deps

MOST_TRANSITIONS = 10_000


class Explaining:
    """Explains routes, SLOs, incidents and alerts."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps

    async def explain(self, request: web.Request) -> web.Response:
        """Every condition with its evidence."""
        query = Query(request)
        subject, at = query.needed("subject", LONGEST_SUBJECT), query.instant("at")
        query.finish()
        view = self._deps.publisher.latest
        if view is None:
            return not_yet()
        found = self._deps.past.explain(subject)
        if found is None:
            return errors(404, [_unknown(subject, self._deps.past.subjects())])
        if at is None:
            return json_answer(explanation_document(found))
        if at > view.at:
            return errors(400, [f"at lies ahead: the last tick was at {format_instant(view.at)}"])
        transitions = await self._deps.history(MOST_TRANSITIONS)
        return json_answer(past_document(found, at, transitions, self._histories(found, view.at - at)))

    def _histories(self, found: Explanation, back: Duration) -> list[RouteHistory]:
        """Both sides of every route of the subject, over the shortest span that reaches so far back."""
        span = next((span for span, _ in SPANS.values() if span > back), None)
        routes = (self._deps.past.history(each.route, span) for each in found.routes if span is not None)
        return [history for history in routes if history is not None]


def _unknown(subject: str, known: tuple[str, ...]) -> str:
    near = get_close_matches(subject[:LONGEST_SUBJECT], known, n=3, cutoff=0.5)
    there = f"did you mean {' or '.join(near)}?" if near else "name a route, an SLO, an incident or an alert"
    return f"nothing is called {subject!r}: {there}"
