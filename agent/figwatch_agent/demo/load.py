"""An open-loop load generator: requests leave when the schedule says so, whether or not earlier ones were answered.

A closed loop slows down with the server and so hides the very outage it should show. Results are counted per route and
per side as the gateway names it in the answer; what ends without an answer belongs to side ``unknown``.
"""

import argparse
import asyncio
import heapq
import json
from array import array
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final

import aiohttp
from aiohttp import web

from figwatch_agent.demo import child
from figwatch_agent.demo.routes import ROUTES, Route

SERVED_BY_HEADER: Final = "X-Served-By"
TIMEOUT_SECONDS: Final = 10.0
"""Longer than the gateway's own patience, so that its answer is seen."""
IN_FLIGHT_LIMIT: Final = 5000
"""Requests open at once; what would go beyond is counted as shed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Evenly spaced arrivals of each route, bounded in time and in number."""

    rates: Mapping[str, Fraction]  # requests a second by route template
    seconds: Fraction
    limit: int

    def arrivals(self) -> Iterator[tuple[Fraction, Route, int]]:
        """(seconds after the start, route, number within the route), in order of time."""
        merged = heapq.merge(*(self._route(route) for route in ROUTES), key=lambda arrival: arrival[0])
        for _, arrival in zip(range(self.limit), merged, strict=False):
            yield arrival

    def _route(self, route: Route) -> Iterator[tuple[Fraction, Route, int]]:
        rate = self.rates.get(route.template, Fraction(0))
        phase = Fraction(ROUTES.index(route), len(ROUTES))  # so that routes do not march in step
        for number in range(int(self.seconds * rate)):
            yield (number + phase) / rate, route, number


@dataclass(slots=True)
class Tally:
    """What became of the requests of one route and side."""

    sent: int = 0
    failed: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    latencies: "array[int]" = field(
        default_factory=lambda: array("L")
    )  # milliseconds until the answer, or until it was given up

    def as_json(self) -> dict[str, object]:
        """Counts, reasons of failures, latency in milliseconds (nearest rank)."""
        ordered = sorted(self.latencies)
        return {
            "sent": self.sent,
            "failed": self.failed,
            "reasons": dict(self.reasons),
            "p50_ms": ordered[(len(ordered) - 1) // 2] if ordered else None,
            "p95_ms": ordered[(len(ordered) * 95 + 99) // 100 - 1] if ordered else None,
            "max_ms": ordered[-1] if ordered else None,
        }


class Load:
    """Sends a schedule to a gateway and counts the answers."""

    def __init__(self, gateway: str, schedule: Schedule, *, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self._gateway = gateway
        self._schedule = schedule
        self._timeout = aiohttp.ClientTimeout(total=timeout_seconds)
        self._tallies: defaultdict[tuple[str, str], Tally] = defaultdict(Tally)
        self._open: set[asyncio.Task[None]] = set()
        self._scheduled = 0
        self._shed = 0
        self._latest = 0.0
        self._running = True

    def stats(self) -> dict[str, object]:
        """Totals so far, per route and side; ``late_ms`` is the worst delay of a departure against the schedule."""
        by_route: defaultdict[str, dict[str, object]] = defaultdict(dict)
        for (route, side), tally in sorted(self._tallies.items()):
            by_route[route][side] = tally.as_json()
        return {
            "running": self._running,
            "scheduled": self._scheduled,
            "in_flight": len(self._open),
            "shed": self._shed,
            "late_ms": round(self._latest * 1000),
            "routes": by_route,
        }

    async def run(self) -> None:
        """Send everything, then wait for the last answers."""
        loop = asyncio.get_running_loop()
        connector = aiohttp.TCPConnector(limit=0)  # a limit would make arrivals wait for answers
        async with aiohttp.ClientSession(connector=connector, timeout=self._timeout) as client:
            start = loop.time()
            for at, route, number in self._schedule.arrivals():
                due = start + float(at)
                await asyncio.sleep(max(0.0, due - loop.time()))
                self._latest = max(self._latest, loop.time() - due)
                self._depart(client, route, number)
            if self._open:
                await asyncio.wait(self._open)
        self._running = False

    def _depart(self, client: aiohttp.ClientSession, route: Route, number: int) -> None:
        self._scheduled += 1
        if len(self._open) >= IN_FLIGHT_LIMIT:
            self._shed += 1
            return
        task = asyncio.create_task(self._send(client, route, number))
        self._open.add(task)
        task.add_done_callback(self._open.discard)

    async def _send(self, client: aiohttp.ClientSession, route: Route, number: int) -> None:
        loop = asyncio.get_running_loop()
        start = loop.time()
        side, failure = "unknown", ""
        try:
            async with client.request(route.method, self._gateway + route.path(number)) as answer:
                side = answer.headers.get(SERVED_BY_HEADER, "unknown")
                failure = f"status_{answer.status}" if answer.status >= 500 else ""
                await answer.read()
        except TimeoutError:
            failure = "timeout"
        except aiohttp.ClientError:
            failure = "transport"
        self._count(route.template, side, failure, loop.time() - start)

    def _count(self, route: str, side: str, failure: str, seconds: float) -> None:
        tally = self._tallies[route, side]
        tally.sent += 1
        tally.latencies.append(round(seconds * 1000))
        if failure:
            tally.failed += 1
            tally.reasons[failure] += 1


def _app(load: Load) -> web.Application:
    async def stats(_: web.Request) -> web.Response:
        return web.json_response(load.stats())

    async def sending(_: web.Application) -> AsyncIterator[None]:
        task = asyncio.create_task(load.run())
        yield
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    app = web.Application()
    app.router.add_get("/stats", stats)
    app.cleanup_ctx.append(sending)
    return app


def _main() -> None:
    parser = argparse.ArgumentParser(prog="python -m figwatch_agent.demo.load", description=__doc__)
    parser.add_argument("--gateway", required=True, help="where to send, such as http://127.0.0.1:8080")
    parser.add_argument("--rates", required=True, help='requests a second by route: {"/api/v1/chat": "62.5"}')
    parser.add_argument("--seconds", required=True, type=Fraction, help="how long to send")
    parser.add_argument("--limit", type=int, default=200_000, help="how many requests at most")
    given = parser.parse_args()
    rates = {route: Fraction(rate) for route, rate in json.loads(given.rates).items()}
    schedule = Schedule(rates=rates, seconds=given.seconds, limit=given.limit)
    child.serve(_app(Load(given.gateway, schedule)))


if __name__ == "__main__":
    _main()
