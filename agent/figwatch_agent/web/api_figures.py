"""Documents of what is seen, for pages and API alike; what several of one tick share is made once."""

from figwatch_agent.model.history import SPANS
from figwatch_agent.model.incident import Incident
from figwatch_agent.model.view import View
from figwatch_agent.report.agent import agent_document
from figwatch_agent.report.criteria import criterion_document
from figwatch_agent.report.incident_record import incident_record
from figwatch_agent.report.overview import Overview
from figwatch_agent.report.route import route_document
from figwatch_agent.report.whole import Material, drawn_routes, report_document
from figwatch_agent.web.deps import Deps

OVERVIEW_SPAN = "30d"
"""How far back the shares of the overview go, where nothing else is asked for."""

MOST_TRANSITIONS = 1000
MOST_DELIVERIES = 200
MOST_ROLLBACKS = 1000
MOST_EVENTS = 10_000


class Figures:
    """Makes documents of the newest view; each is None before the first tick, or where there is no such thing."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps
        self._overviews: dict[str, Overview] = {}
        deps.publisher.before_each(self._overviews.clear)

    @property
    def view(self) -> View | None:
        """The newest."""
        return self._deps.publisher.latest

    def overview(self, span: str = OVERVIEW_SPAN) -> Overview | None:
        """Pages of the overview with the shares of ``span``, a key of model.history.SPANS."""
        view = self.view
        if view is None:
            return None
        found = self._overviews.get(span)
        if found is None or found.view is not view:
            found = self._overviews[span] = Overview(view, self._deps.past.shares(SPANS[span][0]))
        return found

    async def route(self, name: str, span: str) -> dict[str, object] | None:
        """One route by its template; its leading slash may be left out."""
        view = self.view
        history = None
        for template in (name, f"/{name}"):
            history = history or self._deps.past.history(template, SPANS[span][0])
        if view is None or history is None:
            return None
        return route_document(view, history, span, await self._deps.history(MOST_TRANSITIONS))

    async def report(self) -> dict[str, object] | None:
        """Everything that the migration is judged by; None before the first tick."""
        view, span, told = self.view, SPANS[OVERVIEW_SPAN][0], self._deps.told
        if view is None:
            return None
        histories = (self._deps.past.history(route, span) for route in drawn_routes(view))
        return report_document(
            Material(
                view=view,
                shares=self._deps.past.shares(span),
                histories=tuple(history for history in histories if history is not None),
                events=() if told is None else await told.events(limit=MOST_EVENTS),
                baselines=() if told is None else await told.baselines(),
            )
        )

    def incident(self, name: str) -> Incident | None:
        """One of the incidents of the view: open ones, and the newest closed."""
        view = self.view
        return None if view is None else next((each for each in view.incidents if each.id == name), None)

    async def incident_record(self, name: str) -> dict[str, object] | None:
        """Everything that is known of one incident."""
        incident, view = self.incident(name), self.view
        if incident is None or view is None:
            return None
        rollbacks = await self._deps.journal.rollbacks(MOST_ROLLBACKS)
        return incident_record(
            incident,
            view.at,
            deliveries=await self._deps.outbox.deliveries(name, MOST_DELIVERIES),
            rollback=next((each for each in rollbacks if each.intent.incident == name), None),
            transitions=await self._deps.history(MOST_TRANSITIONS),
            runbooks=self._deps.runbooks,
        )

    async def agent(self, *, public: bool = False) -> dict[str, object]:
        """The agent about itself, before the first tick as well."""
        return agent_document(self.view, await self._deps.facts(), public=public)

    def criteria(self) -> list[dict[str, object]] | None:
        """All of them, in the order of the files."""
        view = self.view
        return None if view is None else [criterion_document(each) for each in view.criteria]
