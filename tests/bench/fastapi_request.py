"""A request through FastAPI, metrics only: beside prometheus-fastapi-instrumentator, which traces nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from prometheus_client import CollectorRegistry
from prometheus_fastapi_instrumentator import Instrumentator

import figwatch
from bench import apart, traffic
from bench.asgi_messages import receive, send
from bench.asgi_request import App, comparison
from bench.plain_fastapi import application
from bench.row import Row
from bench.turns import Serve, spent

LIMIT = 1 / 6


def rows() -> Iterator[Row]:
    """Measured in a process of its own."""
    yield from apart.rows_of("fastapi_request")


def measured() -> Iterator[Row]:
    """One row."""
    loop = asyncio.new_event_loop()
    theirs = application()
    Instrumentator(registry=CollectorRegistry()).instrument(theirs)

    def serving(app: App) -> Serve:
        async def many(number: int) -> None:
            for _ in range(number):
                await app(traffic.scope(), receive, send)

        return lambda number: loop.run_until_complete(many(number))

    found = spent(
        {
            "bare": serving(application()),
            "ours": serving(figwatch.instrument(application(), "chat")),
            "peer": serving(theirs),
        }
    )
    yield comparison("FastAPI, metrics / prometheus-fastapi-instrumentator", found, LIMIT)
    loop.close()
