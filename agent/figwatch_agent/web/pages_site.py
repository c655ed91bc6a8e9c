"""What stands at which path: from a path and a role to the content of a page, made once a tick for all who see it."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlencode

from figwatch_agent.durations import SECOND, format_instant
from figwatch_agent.errors import StoreError
from figwatch_agent.model.history import SPANS
from figwatch_agent.model.names import Stage
from figwatch_agent.model.view import View
from figwatch_agent.report.overview import LONGEST_QUERY, Ask
from figwatch_agent.report.records import audit_document
from figwatch_agent.report.words import visible
from figwatch_agent.web.api_figures import Figures
from figwatch_agent.web.deps import Deps
from figwatch_agent.web.pages_agent import agent_values
from figwatch_agent.web.pages_incident import incident_values, incidents_values
from figwatch_agent.web.pages_overview import overview_values, span_for
from figwatch_agent.web.pages_rendering import Content, Fragment, Templates, digest_of
from figwatch_agent.web.pages_route import route_values
from figwatch_agent.web.pages_story import Headline, Json, headline
from figwatch_agent.web.records import newest_audit
from figwatch_agent.web.who import OPERATE

MOST_KEPT: Final = 64
"""Contents that are kept for the next who asks; with a thousand SLOs one is some 60 kB."""

LINES_SHOWN: Final = 20
"""Of the audit, on the page of the agent."""

_OPTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "overview": ("query", "stage", "page"),
    "incidents": ("show", "page"),
    "incident": (),
    "route": ("span",),
    "agent": (),
}
"""Parameters of each page; of others it takes no notice."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A page, as it is asked for."""

    page: str  # a key of the table of parameters
    subject: str = ""
    options: tuple[tuple[str, str], ...] = ()

    def option(self, name: str, usual: str = "") -> str:
        """A parameter, or what is usual."""
        return dict(self.options).get(name, usual)

    @property
    def path(self) -> str:
        """Where it stands."""
        base = {"overview": "/", "incident": f"/incidents/{self.subject}", "route": f"/routes{self.subject}"}
        return base.get(self.page, f"/{self.page}")

    @property
    def query(self) -> str:
        """The parameters as they stand in a URL, with their question mark."""
        return "?" + urlencode(self.options) if self.options else ""


def asked_at(path: str, query: str) -> Asked | None:
    """The page at a path that may be percent-encoded; None where there is none that could be followed."""
    plain = unquote(path)
    page, subject = plain.removeprefix("/") or "overview", ""
    if plain.startswith("/incidents/"):
        page, subject = "incident", plain.removeprefix("/incidents/")
    elif plain.startswith("/routes/"):
        page, subject = "route", plain.removeprefix("/routes")
    known = _OPTIONS.get(page)
    if known is None or not path.startswith("/") or (page in ("incident", "route") and not subject):
        return None
    try:
        given = dict(parse_qsl(query, max_num_fields=20))
    except ValueError:
        given = {}
    return Asked(page, subject, tuple((name, given[name][:LONGEST_QUERY]) for name in known if given.get(name)))


class Site:
    """Makes contents of the newest view."""

    def __init__(self, deps: Deps, figures: Figures, templates: Templates) -> None:
        self._deps = deps
        self._figures = figures
        self._templates = templates
        self._shown: View | None = None  # what is kept was made of it
        self._kept: OrderedDict[tuple[Asked, str], tuple[object, Content]] = OrderedDict()
        deps.publisher.before_each(self._forget)
        self._makers: Mapping[str, Callable[[Asked, str], Awaitable[Content | None]]] = {
            "overview": self._overview,
            "incidents": self._incidents,
            "incident": self._incident,
            "route": self._route,
            "agent": self._agent,
        }

    def _forget(self) -> None:
        self._shown = None
        self._kept.clear()

    async def content(self, asked: Asked, role: str) -> Content | None:
        """The page as somebody of this role sees it; "" is a stranger. None before the first tick and for nothing."""
        if self._figures.view is not self._shown:
            self._forget()
            self._shown = self._figures.view
        key, stamp = (asked, role), self._stamp(asked)
        kept = self._kept.get(key)
        if kept is not None and kept[0] == stamp:
            self._kept.move_to_end(key)
            return kept[1]
        content = await self._makers[asked.page](asked, role)
        if content is None:
            self._kept.pop(key, None)
            return None
        if not role:
            content = self._for_strangers(content)
        if self._figures.view is self._shown:  # else a tick went by meanwhile, and this is yesterday's already
            self._kept[key] = (stamp, content)
        if len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)
        return content

    def _stamp(self, asked: Asked) -> object:
        """What a content stands and falls with; the agent's own page changes without a tick."""
        second = self._deps.clock.now() // SECOND if asked.page == "agent" else 0
        return tuple(self._deps.healthy().items()), second

    def _for_strangers(self, content: Content) -> Content:
        hide = self._deps.redaction.text
        parts = ((part.name, hide(part.html)) for part in content.fragments)
        return Content(
            template=content.template,
            title=hide(content.title),
            state=content.state,
            say=hide(content.say),
            at=content.at,
            fragments=tuple(Fragment(name=name, html=html, digest=digest_of(html)) for name, html in parts),
        )

    async def _overview(self, asked: Asked, role: str) -> Content | None:
        view = self._figures.view
        overview = None if view is None else self._figures.overview(span_for(view.at - view.started_at))
        if view is None or overview is None:
            return None
        page = asked.option("page")
        stage = asked.option("stage")
        document: Any = overview.document(
            Ask(
                page=int(page) if _whole(page) else 1,
                query=asked.option("query"),
                stage=Stage(stage) if stage in list(Stage) else None,
            )
        )
        spent = {stream.route for stream in view.streams if stream.budget_left is not None and stream.budget_left <= 0}
        blind = {stream.route for stream in view.streams if stream.state == "unknown"}
        head = headline(document, self._deps.healthy(), len(spent), len(blind))
        values = {"doc": document, "headline": head, "last": _last_resolved(view.incidents)}
        return self._made(
            "overview.html", head, values | overview_values(document, overview.shares, view.started_at), view.at, role
        )

    async def _incidents(self, asked: Asked, role: str) -> Content | None:
        view = self._figures.view
        if view is None:
            return None
        show, page = asked.option("show", "all"), asked.option("page")
        document: Any = self._deps.document(view, self._deps.healthy())["incidents"]
        briefs = [{**one, "alerts": [alert["name"] for alert in one["alerts"]]} for one in document]
        show = show if show in ("all", "open", "closed") else "all"
        values = incidents_values(briefs, int(page) if _whole(page) else 1, show)
        state = "bad" if values["open"] else "ok"
        title = f"{values['open']} open · Incidents · figwatch" if values["open"] else "Incidents · figwatch"
        head = Headline(state=state, sentence=f"{values['open']} incidents are open", more="", title=title)
        return self._made("incidents.html", head, values, view.at, role)

    async def _incident(self, asked: Asked, role: str) -> Content | None:
        view, incident = self._figures.view, self._figures.incident(asked.subject)
        document: Any = await self._figures.incident_record(asked.subject)
        if view is None or incident is None or document is None:
            return None
        values = incident_values(document, incident, self._deps.runbooks, document["at"])
        return self._made("incident.html", values["headline"], {"doc": document, **values}, view.at, role)

    async def _route(self, asked: Asked, role: str) -> Content | None:
        view = self._figures.view
        if view is None:
            return None
        usual = span_for(view.at - view.started_at)
        span = asked.option("span", usual) if asked.option("span", usual) in SPANS else usual
        for template in (asked.subject, asked.subject.removeprefix("/")):
            document: Any = await self._figures.route(template, span)
            history = self._deps.past.history(template, SPANS[span][0])
            if document is not None and history is not None:
                values = {
                    "doc": document,
                    "here": f"{asked.path}{asked.query}",
                    **route_values(document, history, view.started_at),
                }
                return self._made("route.html", values["headline"], values, view.at, role)
        return None

    async def _agent(self, asked: Asked, role: str) -> Content | None:
        document: Any = await self._figures.agent(public=not role)
        audit = await self._audit() if role == OPERATE else None
        values = {"doc": document, "audit": audit, **agent_values(document)}
        return self._made("agent.html", values["headline"], values, self._deps.clock.now(), role)

    async def _audit(self) -> Json | None:
        """The newest lines of the audit; None where they cannot be read, of which the store's own part tells."""
        try:
            return audit_document(*await newest_audit(self._deps, LINES_SHOWN))
        except StoreError:
            return None

    def _made(self, template: str, head: Headline, values: Mapping[str, Any], at: int, role: str) -> Content:
        iso = format_instant(at)
        shown = {"at": iso, "known": bool(role), "may_act": role == OPERATE, "headline": head, **values}
        return Content(
            template=template,
            title=visible(head.title),
            state=head.state,
            say=head.sentence,
            at=iso,
            fragments=self._templates.fragments(template, shown),
        )


def _whole(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 7


def _last_resolved(incidents: Any) -> str | None:
    ended = max((one.resolved_at for one in incidents if one.resolved_at is not None), default=None)
    return None if ended is None else format_instant(ended)
