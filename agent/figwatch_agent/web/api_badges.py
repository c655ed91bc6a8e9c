"""GET /badges/...: small pictures that other pages embed. They change with a tick, and say by an ETag when not."""

from hashlib import sha256

from aiohttp import web

from figwatch_agent.report.badge import GREY, badge, criterion_badge, route_badge
from figwatch_agent.web.answers import errors
from figwatch_agent.web.deps import Deps

MAX_AGE = 10
"""Seconds that a cache may show a badge without asking."""


class Badges:
    """Pictures of the newest view; before the first tick all are grey."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps

    async def route(self, request: web.Request) -> web.Response:
        """One route by its template; its leading slash may be left out."""
        view, wanted = self._deps.publisher.latest, request.match_info["route"]
        if view is None:
            return _picture(request, badge(wanted, "unknown", GREY))
        found = route_badge(view, wanted) or route_badge(view, f"/{wanted}")
        return errors(404, [f"no file declares the route {wanted!r}"]) if found is None else _picture(request, found)

    async def criterion(self, request: web.Request) -> web.Response:
        """One criterion by its name."""
        view, wanted = self._deps.publisher.latest, request.match_info["name"]
        if view is None:
            return _picture(request, badge(wanted, "unknown", GREY))
        found = criterion_badge(view, wanted)
        return (
            errors(404, [f"no file declares the criterion {wanted!r}"]) if found is None else _picture(request, found)
        )


def _picture(request: web.Request, picture: str) -> web.Response:
    etag = sha256(picture.encode()).hexdigest()[:32]
    headers = {
        "ETag": f'"{etag}"',
        "Cache-Control": f"max-age={MAX_AGE}, must-revalidate",
        "Cross-Origin-Resource-Policy": "cross-origin",
    }
    if any(each.value in (etag, "*") for each in request.if_none_match or ()):
        return web.Response(status=304, headers=headers)
    return web.Response(text=picture, content_type="image/svg+xml", charset="utf-8", headers=headers)
