"""A request through a plain ASGI application: everything on, beside OpenTelemetry's middleware at its leanest."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterator
from types import FrameType
from typing import Any, Final

from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware

import figwatch
from bench import apart, traffic
from bench.asgi_messages import Receive, Send, receive, send
from bench.peers import sdk
from bench.row import Row
from bench.turns import Serve, above, spent
from figwatch.span_queue import QUEUE_LENGTH, SpanQueue
from figwatch.telemetry import process

PEER_LIMIT: Final = 1 / 20
UNSAMPLED_LIMIT: Final = 1.0
"""Microseconds that a request nobody samples may cost above one where nothing is traced."""
CALLS_LIMIT: Final = 40
"""Python functions that a request may call on top of the application's own."""

App = Callable[[dict[str, Any], Receive, Send], Awaitable[None]]

START: Final = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-type", b"application/json"), (b"content-length", b"15")],
}
END: Final = {"type": "http.response.body", "body": traffic.BODY}


def application() -> App:
    """A new one: two messages."""

    async def app(_scope: dict[str, Any], _receive: Receive, send: Send) -> None:
        await send(START)
        await send(END)

    return app


def rows() -> Iterator[Row]:
    """Measured in a process of its own."""
    yield from apart.rows_of("asgi_request")


def measured() -> Iterator[Row]:
    """Three rows."""
    loop = asyncio.new_event_loop()
    peer = sdk()
    telemetry = process()
    queue = SpanQueue(telemetry.health.span_dropped)
    ours: App = figwatch.instrument(application(), "chat", routes=[traffic.TEMPLATE])
    theirs = OpenTelemetryMiddleware(
        application(),
        tracer_provider=peer.tracers,
        meter_provider=peer.meters,
        exclude_spans=["send", "receive"],
    )

    def rest() -> None:
        queue.take(QUEUE_LENGTH)
        peer.empty()

    def serving(app: App, *, traced: bool = False, sampled: bool = True) -> Serve:
        async def many(number: int) -> None:
            for _ in range(number):
                await app(traffic.scope(sampled=sampled), receive, send)

        def serve(number: int) -> None:
            telemetry.span_sink = queue.put if traced else None
            loop.run_until_complete(many(number))

        return serve

    bare = application()
    found = spent(
        {
            "bare": serving(bare),
            "ours": serving(ours, traced=True),
            "metrics only": serving(ours),
            "unsampled": serving(ours, traced=True, sampled=False),
            "peer": serving(theirs),
        },
        rest,
    )
    yield comparison("ASGI, everything on / OpenTelemetry's, leanest", found, PEER_LIMIT)
    more = above(found, "unsampled", "metrics only")
    yield Row(
        name="ASGI, unsampled: microseconds above metrics only", ratio=max(more, 0.0), limit=UNSAMPLED_LIMIT, note="us"
    )
    telemetry.span_sink = queue.put
    number = calls(ours) - calls(bare)
    yield Row(
        name=f"ASGI, Python calls added / {CALLS_LIMIT}", ratio=number / CALLS_LIMIT, limit=1.0, note=f"{number} calls"
    )
    peer.tracers.shutdown()
    loop.close()


def comparison(name: str, found: dict[str, list[float]], limit: float, ours: str = "ours", peer: str = "peer") -> Row:
    """What ours costs above the bare application, as a share of what the peer costs above it."""
    own, other = above(found, ours), above(found, peer)
    note = f"{own:.1f} us / {other:.1f} us: 1/{other / own:.1f}" if own > 0 else f"{own:.1f} us / {other:.1f} us"
    return Row(name=name, ratio=max(own, 0.0) / other, limit=limit, note=note)


def calls(app: App) -> int:
    """Python functions called while one request is served."""
    counted = 0

    def watch(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal counted
        counted += event == "call"

    async def once() -> None:
        await app(traffic.scope(), receive, send)  # the first builds its cell
        scope = traffic.scope()
        sys.setprofile(watch)
        try:
            await app(scope, receive, send)
        finally:
            sys.setprofile(None)

    asyncio.run(once())
    return counted
