"""A small gateway, legacy and metrics page in the test's own process: users come all the time, and the test says how
they fare. Everything listens on one loopback port.

``GET /metrics`` is the edge's page of the contract's request histogram, written by hand; ``GET /healthz`` is legacy's
own probe; ``GET /routes/one`` and ``POST /routes`` read and change who serves the route; ``POST /flush`` is an effect
that must not happen twice.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from figwatch import contract
from figwatch_agent.demo import child

ROUTE = "/api/v1/chat"

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(slots=True)
class FakeGateway:
    """Traffic and what is done to it. Rates are requests a second."""

    service_rate: int = 800
    legacy_rate: int = 200
    service_bad: float = 0.0  # share of the service side's requests that fail
    legacy_bad: float = 0.0
    legacy_status: int = 200
    to_legacy: bool = False
    revision: int = 1
    calls: list[tuple[str, str]] = field(default_factory=list)  # path and idempotency key of every change, in order
    scrapes: int = 0
    reads: int = 0  # how often somebody asked who serves the route
    reading: Answer | None = None  # instead of that answer
    metrics: Answer | None = None  # instead of the page, where the test wants something else
    on_change: Callable[[str], Awaitable[web.StreamResponse | None]] | None = None
    url: str = ""
    cells: dict[tuple[str, str], int] = field(default_factory=dict)  # (side, status) -> requests so far
    _carried: dict[str, float] = field(default_factory=dict)
    _last: float = field(default_factory=time.monotonic)

    def person_changes_route(self) -> None:
        """Somebody sets the gateway by hand."""
        self.revision += 1

    def app(self) -> web.Application:
        """The web application."""
        app = web.Application()
        app.router.add_get("/metrics", self._metrics)
        app.router.add_get("/healthz", self._healthz)
        app.router.add_get("/routes/one", self._read)
        app.router.add_post("/routes", self._change)
        app.router.add_post("/flush", self._change)
        return app

    def done(self, path: str) -> int:
        """How often a change was carried out."""
        return sum(1 for called, _ in self.calls if called == path)

    def page(self) -> str:
        """The metrics page now, with all requests that came since it was read last."""
        self._serve()
        name = contract.REQUEST_DURATION
        lines = [f"# TYPE {name} histogram"]
        for (side, status), count in self.cells.items():
            labels = (
                f'{contract.METHOD}="POST",{contract.ROUTE}="{ROUTE}",{contract.STATUS}="{status}",'
                f'{contract.ERROR_TYPE}="{status if status == "500" else ""}",{contract.SERVED_BY}="{side}",'
                f'{contract.VANTAGE}="edge"'
            )
            for bound in (*contract.BUCKETS, "+Inf"):
                inside = count if bound == "+Inf" or float(bound) >= 0.05 else 0
                lines.append(f'{name}_bucket{{{labels},le="{bound}"}} {inside}')
            lines.append(f"{name}_count{{{labels}}} {count}")
            lines.append(f"{name}_sum{{{labels}}} {count * 0.03}")
        return "\n".join(lines) + "\n"

    def _serve(self) -> None:
        now = time.monotonic()
        passed, self._last = now - self._last, now
        service = 0 if self.to_legacy else self.service_rate
        legacy = self.legacy_rate + self.service_rate - service
        self._count("service", service * passed, self.service_bad)
        self._count("legacy", legacy * passed, self.legacy_bad)

    def _count(self, side: str, requests: float, share: float) -> None:
        for status, part in (("200", 1 - share), ("500", share)):
            wanted = self._carried.get(side + status, 0.0) + requests * part
            whole = int(wanted)
            self._carried[side + status] = wanted - whole
            self.cells[(side, status)] = self.cells.get((side, status), 0) + whole

    async def _metrics(self, request: web.Request) -> web.StreamResponse:
        self.scrapes += 1
        if self.metrics is not None:
            return await self.metrics(request)
        return web.Response(text=self.page(), content_type="text/plain")

    async def _healthz(self, _: web.Request) -> web.Response:
        return web.json_response({"ok": self.legacy_status == 200}, status=self.legacy_status)

    async def _read(self, request: web.Request) -> web.StreamResponse:
        self.reads += 1
        if self.reading is not None:
            return await self.reading(request)
        share = 0 if self.to_legacy else 80
        return web.json_response({"service_share": share, "revision": self.revision})

    async def _change(self, request: web.Request) -> web.StreamResponse:
        await request.read()
        if self.on_change is not None:
            answer = await self.on_change(request.path)
            if answer is not None:
                return answer
        self.calls.append((request.path, request.headers.get("Idempotency-Key", "")))
        if request.path == "/routes":
            self._serve()
            self.to_legacy = True
            self.revision += 1
        return web.json_response({"ok": True})


@asynccontextmanager
async def running_gateway() -> AsyncIterator[FakeGateway]:
    """A gateway on a free loopback port for as long as the block lasts."""
    gateway = FakeGateway()
    runner = web.AppRunner(gateway.app(), access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    bound = child.bind()
    try:
        await web.SockSite(runner, bound).start()
        gateway.url = f"http://{child.LOOPBACK}:{bound.getsockname()[1]}"
        yield gateway
    finally:
        await runner.cleanup()
        bound.close()


async def until(what: Callable[[], bool], within: float, why: str) -> None:
    """Wait for a condition; AssertionError after so many seconds."""
    deadline = time.monotonic() + within
    while not what():
        assert time.monotonic() < deadline, f"not within {within} s: {why}"
        await asyncio.sleep(0.02)
