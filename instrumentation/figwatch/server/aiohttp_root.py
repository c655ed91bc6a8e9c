"""aiohttp applications that a server runs: our middleware and signal in places that cost a third less.

A middleware makes aiohttp build a chain of handlers, a signal two coroutines for each response. Around all of the
application, and in its requests' own hook, neither is needed. Both places are private to aiohttp: where a version lacks
one of them, in applications mounted below others, and where a middleware of the application stands around ours, the
public places stay.
"""

from collections.abc import Coroutine
from functools import partial
from typing import Any, Final

from aiohttp import web

from figwatch.server.aiohttp import AiohttpWatch, note

_hook: Final[Any] = getattr(web.Request, "_prepare_hook", None)


class WatchedRequest(web.Request):
    """A request that tells when the headers of its response are about to go out."""

    def _prepare_hook(self, response: web.StreamResponse) -> Coroutine[Any, Any, None]:
        note(self, response)
        own: Coroutine[Any, Any, None] = _hook(self, response)
        return own


async def take_over(watch: AiohttpWatch, app: web.Application) -> None:
    """When the application starts: move to the cheaper places, if it is the outermost and has them."""
    places = ("_handle", "_make_request")
    if app.pre_frozen or _hook is None or not all(callable(getattr(app, place, None)) for place in places):
        return
    if app.middlewares[0] != watch.middleware:
        return  # what somebody put around us afterwards sees every request, the metrics page's as well
    handle, make = (getattr(app, place) for place in places)
    app.middlewares.remove(watch.middleware)
    app.on_response_prepare.remove(watch.prepared)
    # Not by `setattr`, which warns of names it does not know where asyncio is debugged.
    object.__setattr__(app, "_handle", partial(watch.middleware, handler=handle))
    object.__setattr__(app, "_make_request", partial(make, _cls=WatchedRequest))
    watch.root = app
