"""A request through aiohttp's own protocol, from bytes to bytes, without a socket: beside OpenTelemetry's."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any, Final

from aiohttp import web
from opentelemetry import metrics
from opentelemetry.instrumentation.aiohttp_server import AioHttpServerInstrumentor

import figwatch
from bench import apart, traffic
from bench.asgi_request import comparison
from bench.peers import sdk
from bench.row import Row
from bench.turns import Serve, spent
from figwatch.span_queue import QUEUE_LENGTH, SpanQueue
from figwatch.telemetry import process

LIMIT: Final = 1 / 15


class Wire(asyncio.Transport):
    """A connection that counts the answers written to it."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 50000), "sockname": ("127.0.0.1", 8000)})
        self.answered = asyncio.Event()

    def write(self, data: bytes | bytearray | memoryview[Any]) -> None:
        """The head and the body of a small answer come as one."""
        self.answered.set()

    def writelines(self, list_of_data: Any) -> None:
        """The same in parts."""
        self.answered.set()

    def is_closing(self) -> bool:
        """Never."""
        return False

    def close(self) -> None:
        """Nothing to close."""

    def pause_reading(self) -> None:
        """There is nothing to read."""

    def resume_reading(self) -> None:
        """There is nothing to read."""


def rows() -> Iterator[Row]:
    """Measured in a process of its own."""
    yield from apart.rows_of("aiohttp_request")


def application() -> web.Application:
    """A new one with one route."""

    async def chat(request: web.Request) -> web.Response:
        return web.json_response({"answer": int(request.match_info["id"])})

    app = web.Application()
    app.router.add_get(traffic.TEMPLATE, chat)
    return app


async def connected(app: web.Application) -> tuple[web.AppRunner, Any, Wire]:
    """A running application with one connection."""
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    assert runner.server is not None
    protocol, wire = runner.server(), Wire()
    protocol.connection_made(wire)
    return runner, protocol, wire


def measured() -> Iterator[Row]:
    """One row."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    peer = sdk()
    telemetry = process()
    queue = SpanQueue(telemetry.health.span_dropped)
    bare, ours = application(), figwatch.instrument(application(), "chat")
    # This one writes its metrics through the global provider and replaces aiohttp's class: later ones are theirs.
    metrics.set_meter_provider(peer.meters)
    AioHttpServerInstrumentor().instrument(tracer_provider=peer.tracers)
    theirs = application()
    request = traffic.raw()
    runners: list[web.AppRunner] = []

    def rest() -> None:
        queue.take(QUEUE_LENGTH)
        peer.empty()

    def serving(app: web.Application, *, traced: bool = False) -> Serve:
        runner, protocol, wire = loop.run_until_complete(connected(app))
        runners.append(runner)

        async def many(number: int) -> None:
            for _ in range(number):
                protocol.data_received(request)
                await wire.answered.wait()
                wire.answered.clear()
                await asyncio.sleep(0)  # the protocol goes back to waiting

        def serve(number: int) -> None:
            telemetry.span_sink = queue.put if traced else None
            loop.run_until_complete(many(number))

        return serve

    found = spent({"bare": serving(bare), "ours": serving(ours, traced=True), "peer": serving(theirs)}, rest)
    yield comparison("aiohttp, everything on / OpenTelemetry's", found, LIMIT)
    for runner in runners:
        loop.run_until_complete(runner.cleanup())
    peer.tracers.shutdown()
    loop.close()
