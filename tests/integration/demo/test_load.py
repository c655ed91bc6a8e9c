"""The load generator keeps to its schedule whatever the server does, and counts what became of each request."""

import asyncio
import json
import time
from fractions import Fraction
from itertools import islice, pairwise
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from figwatch_agent.demo.box import Box
from figwatch_agent.demo.load import Load, Schedule
from figwatch_agent.demo.routes import rates, shares
from support.served import everywhere, served

CHAT = "/api/v1/chat"


async def _never_called(_: web.Request) -> web.Response:
    raise AssertionError("nothing may arrive here")


def schedule(rate: str, seconds: str, limit: int = 10_000) -> Schedule:
    return Schedule(rates={CHAT: Fraction(rate)}, seconds=Fraction(seconds), limit=limit)


def chat(stats: dict[str, object], side: str) -> dict[str, object]:
    routes = stats["routes"]
    assert isinstance(routes, dict)
    tally: dict[str, object] = routes[CHAT][side]
    return tally


async def test_arrivals_do_not_wait_for_answers() -> None:
    arrived, everybody = 0, asyncio.Event()

    async def answer_when_all_are_here(_: web.Request) -> web.Response:
        nonlocal arrived
        arrived += 1
        if arrived == 200:
            everybody.set()
        await everybody.wait()
        return web.Response(headers={"X-Served-By": "service"})

    async with served(everywhere(answer_when_all_are_here)) as url:
        load = Load(url, schedule("400", "0.5"), timeout_seconds=5)
        await load.run()
    assert (load.stats()["scheduled"], load.stats()["shed"]) == (200, 0)
    assert (chat(load.stats(), "service")["sent"], chat(load.stats(), "service")["failed"]) == (200, 0)


async def test_an_answer_that_does_not_come_is_a_timeout() -> None:
    async def hang(_: web.Request) -> web.Response:
        await asyncio.sleep(60)
        return web.Response()

    async with served(everywhere(hang)) as url:
        load = Load(url, schedule("100", "0.1"), timeout_seconds=0.3)
        await load.run()
    assert chat(load.stats(), "unknown")["reasons"] == {"timeout": 10}


async def test_answers_are_counted_by_side_and_failures_by_reason() -> None:
    number = 0

    async def answer(_: web.Request) -> web.Response:
        nonlocal number
        number += 1
        side = "legacy" if number % 5 == 0 else "service"
        return web.Response(status=502 if number % 10 == 1 else 404, headers={"X-Served-By": side})

    async with served(everywhere(answer)) as url:
        load = Load(url, schedule("500", "0.1"))
        await load.run()
    service, legacy = chat(load.stats(), "service"), chat(load.stats(), "legacy")
    assert (service["sent"], service["failed"], service["reasons"]) == (40, 5, {"status_502": 5})
    assert (legacy["sent"], legacy["failed"]) == (10, 0)


async def test_a_server_that_refuses_is_a_transport_failure() -> None:
    async with served(everywhere(_never_called)) as url:
        pass
    load = Load(url, schedule("100", "0.1"))
    await load.run()
    assert chat(load.stats(), "unknown")["reasons"] == {"transport": 10}


def test_arrivals_are_evenly_spaced_and_bounded_in_time_and_number() -> None:
    times = [at for at, _, _ in schedule("50", "2").arrivals()]
    assert len(times) == 100
    assert {later - earlier for earlier, later in pairwise(times)} == {Fraction(1, 50)}
    assert len(list(schedule("50", "2", limit=7).arrivals())) == 7


def test_routes_are_merged_in_order_of_time() -> None:
    both = Schedule(rates={CHAT: Fraction(10), "/api/v1/models": Fraction(3)}, seconds=Fraction(10), limit=1000)
    times = [at for at, _, _ in islice(both.arrivals(), 130)]
    assert times == sorted(times)
    assert len(times) == 130


def test_the_service_side_of_the_faulted_route_receives_the_rate() -> None:
    assert rates(CHAT, Fraction(50))[CHAT] * shares(CHAT)[CHAT] / 100 == 50


def test_an_unknown_route_is_named_with_those_that_exist() -> None:
    with pytest.raises(ValueError, match="choose one of /api/v1/chat,"):
        shares("/api/v2/chat")


async def test_the_process_stops_sending_by_itself_and_goes_on_answering_stats(tmp_path: Path) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(headers={"X-Served-By": "service"})

    async with served(everywhere(answer)) as url, Box(tmp_path) as box, aiohttp.ClientSession() as client:
        plan = json.dumps({CHAT: "100"})
        load = await box.start("load", "--gateway", url, "--rates", plan, "--seconds", "0.3")
        stats = await _final_stats(client, load.url)
    assert (stats["scheduled"], stats["in_flight"]) == (30, 0)
    assert chat(stats, "service")["sent"] == 30


async def _final_stats(client: aiohttp.ClientSession, url: str, within: float = 10.0) -> dict[str, object]:
    deadline = time.monotonic() + within
    while True:
        async with client.get(f"{url}/stats") as answer:
            stats: dict[str, object] = await answer.json()
        if not stats["running"] or time.monotonic() > deadline:
            return stats
        await asyncio.sleep(0.05)
