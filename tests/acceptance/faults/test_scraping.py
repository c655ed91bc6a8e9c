"""A scrape target that cannot be read is unknown: it pages nobody, resolves nothing and sends nothing back."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web

from figwatch_agent.demo import child
from support.scene import Scene

pytestmark = pytest.mark.asyncio(loop_scope="session")

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def gone(request: web.Request) -> web.StreamResponse:
    return child.abort(request)


async def slow(request: web.Request) -> web.StreamResponse:
    await asyncio.sleep(0.5)
    return web.Response(text="too late")


async def endless(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/plain"})
    await response.prepare(request)
    while True:
        await response.write(b"# HELP endless " + b"x" * 4096 + b"\n")
        await asyncio.sleep(0.005)


async def garbage(request: web.Request) -> web.StreamResponse:
    return web.Response(body=b'http_server_request_duration_seconds_count{" \xff\x00 NaN NaN\n' * 100)


async def empty(request: web.Request) -> web.StreamResponse:
    return web.Response(text="")


async def an_error(request: web.Request) -> web.StreamResponse:
    return web.Response(status=500, text="down")


BROKEN: dict[str, Answer] = {
    "gone": gone,
    "slow": slow,
    "endless": endless,
    "garbage": garbage,
    "empty": empty,
    "an error": an_error,
}

ALL = [pytest.param(how, marks=[] if how in ("gone", "slow") else [pytest.mark.slow]) for how in BROKEN]


@pytest.mark.parametrize("how", ALL)
async def test_a_target_that_breaks_and_comes_back_pages_nobody_until_users_are_hit(scene: Scene, how: str) -> None:
    await scene.begin()
    scene.gateway.metrics = BROKEN[how]
    await scene.scrapes(12)
    scene.gateway.metrics = None
    await scene.scrapes(8)
    assert scene.home.incidents() == ()
    assert scene.attempts() == []
    scene.gateway.service_bad = 0.5
    await scene.paged()
    assert scene.events()[0]["payload"]["severity"] == "critical"


@pytest.mark.slow
@pytest.mark.parametrize("how", ALL)
async def test_silence_in_an_incident_resolves_nothing_and_rolls_nothing_back(scene: Scene, how: str) -> None:
    scene.gateway.legacy_status = 503  # so that nothing is sent back before the target breaks
    await scene.begin()
    scene.gateway.service_bad = 0.5
    await scene.paged()
    scene.gateway.metrics = BROKEN[how]
    await scene.scrapes(2)
    scene.gateway.legacy_status = 200  # now a rollback would be allowed, if only anything were known
    await scene.scrapes(30)
    incident = scene.incident()
    assert incident.open
    assert incident.mitigated_at is None
    assert scene.untouched()
    scene.gateway.service_bad, scene.gateway.metrics = 0.0, None
    await scene.over()
    assert [event["event_action"] for event in scene.events()][-1] == "resolve"
