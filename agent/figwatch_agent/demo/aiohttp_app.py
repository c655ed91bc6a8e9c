"""The aiohttp application that the knowledge service and the monolith share, outage included."""

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web

from figwatch_agent.demo import child, fault, routes
from figwatch_agent.demo.work import OK, Answer, Work

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def application(work: Work, *, routes_of: str | None, answered: Callable[[], None] = lambda: None) -> web.Application:
    """Serve the routes of one service, or of all where ``routes_of`` is None; ``answered`` hears of every success."""

    async def work_on(request: web.Request) -> web.Response:
        seconds, answer = work.begin(request.path)
        await asyncio.sleep(seconds)
        if answer.status == 200:
            answered()
        return _response(answer)

    async def healthy(_: web.Request) -> web.Response:
        return web.Response(body=OK, content_type="application/json")

    async def order(request: web.Request) -> web.Response:
        return _response(work.order(request.headers.get("Authorization"), await request.read()))

    app = web.Application()
    app.router.add_get(fault.HEALTH_PATH, healthy)
    app.router.add_post(fault.PATH, order)
    for template in routes.templates(routes_of):
        app.router.add_route("*", template, work_on)
    return app


def add_outage(app: web.Application, switch: fault.FaultSwitch) -> None:
    """Make the outage the outermost layer: call it after everything else was added."""

    @web.middleware
    async def outage(request: web.Request, handler: Handler) -> web.StreamResponse:
        if switch.breaks(request.path):
            return child.abort(request)
        return await handler(request)

    app.middlewares.insert(0, outage)


def _response(answer: Answer) -> web.Response:
    return web.Response(status=answer.status, body=answer.body, content_type="application/json")
