"""Pages for people: as HTML in a browser, as plain text where links of messages are read with curl."""

from collections.abc import Awaitable, Callable, Mapping
from hashlib import blake2b
from importlib.resources import files
from typing import Any, Final

from aiohttp import web

from figwatch import contract
from figwatch_agent.durations import format_instant
from figwatch_agent.report.incident_page import incident_page
from figwatch_agent.report.records import delivery_document
from figwatch_agent.web.acting import flash
from figwatch_agent.web.answers import errors, not_yet
from figwatch_agent.web.api_figures import Figures
from figwatch_agent.web.deps import Deps
from figwatch_agent.web.guard import wants_page
from figwatch_agent.web.live import Live, Render
from figwatch_agent.web.pages_markdown import render_markdown
from figwatch_agent.web.pages_rendering import Content, templates
from figwatch_agent.web.pages_site import Asked, Site, asked_at
from figwatch_agent.web.who import visitor

STATIC: Final[Mapping[str, str]] = {"figwatch.css": "text/css", "figwatch.js": "text/javascript"}

KEPT: Final = "public, max-age=31536000, immutable"
"""Of assets, whose path changes with their content."""


class Assets:
    """The style sheet, the script and the icons, read once."""

    def __init__(self) -> None:
        folder = files("figwatch_agent.web") / "static"
        self._texts = {name: _tight((folder / name).read_text("utf-8")) for name in STATIC}
        whole = "\n".join((contract.__version__, *self._texts.values()))
        self.digest = blake2b(whole.encode(), digest_size=6).hexdigest()
        self._icon = (folder / "icon.svg").read_text("utf-8")

    def path(self, name: str) -> str:
        """Where an asset is, for as long as it stays as it is."""
        return f"/static/{self.digest}/{name}"

    async def serve(self, request: web.Request) -> web.Response:
        """An asset; under the digest of an older version it is today's, and kept by nobody."""
        name = request.match_info["name"]
        if name not in self._texts:
            return errors(404, [f"there is no asset {name!r}"])
        current = request.match_info["digest"] == self.digest
        headers = {"Cache-Control": KEPT} if current else {}
        return web.Response(text=self._texts[name], content_type=STATIC[name], charset="utf-8", headers=headers)

    async def icon(self, request: web.Request) -> web.Response:
        """The icon in the browser's tab, by state."""
        state = request.match_info.get("state", "ok")
        text = self._icon.replace('class="ok"', f'class="{state if state in _STATES else "unknown"}"')
        return web.Response(text=text, content_type="image/svg+xml", headers={"Cache-Control": "max-age=86400"})


class Pages:
    """GET of every page."""

    def __init__(self, deps: Deps) -> None:
        self.assets = Assets()
        self.live = Live(deps.publisher, self._find, self.assets.digest)
        self._deps = deps
        self._templates = templates()
        self._site = Site(deps, Figures(deps), self._templates)

    def handlers(self) -> dict[str, Callable[[web.Request], Awaitable[web.StreamResponse]]]:
        """By path."""
        return {
            "/": self.page,
            "/agent": self.page,
            "/incidents": self.page,
            "/incidents/{id:.+}": self.incident,
            "/routes/{route:.*}": self.page,
            "/runbooks": self.runbooks,
            "/runbooks/": self.runbooks,
            "/runbooks/{name}": self.runbook,
            "/live": self.live.stream,
            "/static/{digest}/{name}": self.assets.serve,
            "/icon/{state}.svg": self.assets.icon,
            "/favicon.ico": self.assets.icon,
        }

    async def page(self, request: web.Request) -> web.Response:
        """A page that is made of the newest view."""
        asked = asked_at(request.rel_url.raw_path, request.query_string)
        if self._deps.publisher.latest is None and asked is not None and asked.page != "agent":
            return self._starting(request)
        content = None if asked is None else await self._site.content(asked, visitor().role)
        if content is None or asked is None:
            return self._missing(request, "There is no such page", "It is not among the routes declared in slo/.")
        return self._answer(request, content, asked)

    async def incident(self, request: web.Request) -> web.Response:
        """One incident with everything that is known of it, and who was told."""
        if wants_page(request):
            return await self.page(request)
        view, wanted = self._deps.publisher.latest, request.match_info["id"]
        if view is None:
            return not_yet()
        found = _named(self._deps.document(view, self._deps.healthy()), wanted)
        if found is None:
            return self._missing(request, f"there is no incident {wanted!r} among the newest", "See /incidents.")
        told = await self._deps.outbox.deliveries(wanted, 100)
        return _text(incident_page(found, [delivery_document(row) for row in told]))

    async def runbooks(self, request: web.Request) -> web.Response:
        """One runbook a line, as the path that it is read at; as a list in a browser."""
        names = sorted(self._deps.runbooks)
        if not wants_page(request):
            return _text("".join(f"/runbooks/{name}\n" for name in names))
        listed = [(name, _meaning(self._deps.runbooks[name])) for name in names]
        return self._still(request, "runbooks.html", "Runbooks", {"names": listed})

    async def runbook(self, request: web.Request) -> web.Response:
        """A runbook, as it was written or as a page."""
        name = request.match_info["name"]
        text = self._deps.runbooks.get(name)
        if text is None:
            return self._missing(request, f"there is no runbook {name!r}", "See /runbooks/.")
        if not wants_page(request):
            return _text(text)
        return self._still(request, "runbook.html", name, {"text": render_markdown(text)})

    def _find(self, request: web.Request, path: str) -> tuple[tuple[Asked, str], Render] | None:
        """The page of a path for whoever asks now, for a stream."""
        plain, _, query = path.partition("?")
        asked, role = asked_at(plain, query), visitor().role
        if asked is None:
            return None
        return (asked, role), lambda: self._site.content(asked, role)

    def _answer(self, request: web.Request, content: Content, asked: Asked) -> web.Response:
        live = f"{request.rel_url.raw_path}{asked.query}"
        return self._page(request, content, live, f"/api/v1{_API.get(asked.page, '')}")

    def _still(
        self, request: web.Request, template: str, title: str, values: Mapping[str, Any], status: int = 200
    ) -> web.Response:
        """A page that nothing keeps current, for nothing on it changes."""
        content = Content(
            template=template,
            title=f"{title} · figwatch",
            state=values.get("state", "ok"),
            say="",
            at=format_instant(self._deps.clock.now()),
            fragments=self._templates.fragments(template, values),
        )
        return self._page(request, content, "", "/api/v1/status", status)

    def _missing(self, request: web.Request, sentence: str, more: str) -> web.Response:
        if not wants_page(request):
            return errors(404, [f"{sentence}: {more[:1].lower()}{more[1:].rstrip('.')}"])
        said = sentence[:1].upper() + sentence[1:]
        values = {"sentence": said, "more": more, "state": "unknown"}
        return self._still(request, "missing.html", "Not found", values, 404)

    def _starting(self, request: web.Request) -> web.Response:
        """Nothing was seen yet; a browser asks again by itself."""
        if not wants_page(request):
            return not_yet()
        values = {
            "sentence": "figwatch has just started",
            "more": "The first tick is not finished.",
            "state": "unknown",
        }
        answer = self._still(request, "missing.html", "Starting", values, 503)
        answer.headers["Retry-After"] = answer.headers["Refresh"] = "1"
        return answer

    def _page(
        self, request: web.Request, content: Content, live: str, json_path: str, status: int = 200
    ) -> web.Response:
        view, wall = self._deps.publisher.latest, "wall" in request.query
        text = self._templates.page(
            content,
            {
                "wall": wall,
                "live": live,
                "assets": self.assets.digest,
                "version": contract.__version__,
                "migration": "" if view is None else view.migration,
                "mode": "unknown" if view is None else view.mode,
                "here": request.rel_url.raw_path,
                "section": "/" + request.path.lstrip("/").partition("/")[0],
                "json_path": json_path,
                "wall_path": request.rel_url.raw_path if wall else f"{request.rel_url.raw_path}?wall",
                "who": visitor().session,
                "flash": flash(),
                "signing": bool(self._deps.tokens),
            },
        )
        return web.Response(text=text, status=status, content_type="text/html", charset="utf-8")


_STATES: Final = ("ok", "bad", "warn", "unknown")
_API: Final[Mapping[str, str]] = {
    "overview": "/overview",
    "incidents": "/incidents",
    "incident": "/incidents",
    "route": "/routes",
    "agent": "/agent",
}


def _tight(text: str) -> str:
    """An asset without indents and lines of comment: what nobody needs is not sent."""
    lines = (line.strip() for line in text.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))


def _named(document: Mapping[str, object], wanted: str) -> Mapping[str, object] | None:
    incidents = document["incidents"]
    if not isinstance(incidents, list):
        return None
    return next((one for one in incidents if one["id"] == wanted), None)


def _meaning(markdown: str) -> str:
    """The first sentence of a runbook that is no heading."""
    lines = [line.strip() for line in markdown.splitlines() if line.strip() and not line.startswith("#")]
    return " ".join(lines[:3]).partition(". ")[0].replace("`", "").rstrip(".") + "."


def _text(text: str) -> web.Response:
    return web.Response(text=text, content_type="text/plain", charset="utf-8")
