"""A collector that is dead costs the requests next to nothing: measured as CPU of their own thread, turn by turn."""

import asyncio
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import pytest
from fastapi import FastAPI
from pydantic import BaseModel

import figwatch
from figwatch.otlp import Drain
from figwatch.otlp_settings import GRPC, HTTP, METRICS, SPANS, Destination, Settings
from figwatch.telemetry import Telemetry, process
from support.collector import deaf_port, refusing_port, silent_port

LIMIT: Final = 1.02
BLOCK: Final = 50
"""Requests of one turn: some ten milliseconds, so that some turns are undisturbed."""
TURNS: Final = 120
ROUNDS: Final = 6
"""A busy machine moves a round by more than the limit: rounds are added until the sum of them can tell."""
CALLER: Final = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Answer(BaseModel):
    """What the service of the comparison answers."""

    id: int
    words: list[str]


def application() -> Any:
    app = FastAPI()

    @app.get("/api/v1/chat/{number}")
    async def chat(number: int) -> Answer:
        return Answer(id=number, words=["word"] * 20)

    return figwatch.instrument(app, service="chat")


def scope() -> dict[str, Any]:
    return {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.4"}, "http_version": "1.1", "scheme": "http",
        "method": "GET", "path": "/api/v1/chat/7", "raw_path": b"/api/v1/chat/7", "query_string": b"", "root_path": "",
        "headers": [(b"host", b"localhost"), (b"accept", b"*/*"), (b"traceparent", CALLER)],
        "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80),
    }  # fmt: skip


async def receive() -> dict[str, Any]:
    return {"type": "http.request", "body": b"", "more_body": False}


async def send(_message: dict[str, Any]) -> None:
    pass


@contextmanager
def dead_collector(kind: str) -> Iterator[str]:
    if kind == "refuses":
        yield f"http://127.0.0.1:{refusing_port()}"
    else:
        with (silent_port if kind == "is silent" else deaf_port)() as port:
            yield f"http://127.0.0.1:{port}"


def cpu(serve: Callable[[int], None]) -> int:
    """Nanoseconds that this thread used."""
    began = time.thread_time_ns()
    serve(BLOCK)
    return time.thread_time_ns() - began


def compared(telemetry: Telemetry, serve: Callable[[int], None]) -> float:
    """CPU with the exporter over CPU without, each by its quieter turns: what else the machine does only adds."""
    on = (telemetry.span_sink, telemetry.span_missed)
    assert on != (None, None)
    spent: dict[bool, list[int]] = {True: [], False: []}
    for _ in range(ROUNDS):
        for turn in range(TURNS):
            for exporting in (True, False) if turn % 2 else (False, True):
                telemetry.span_sink, telemetry.span_missed = on if exporting else (None, None)
                spent[exporting].append(cpu(serve))
        telemetry.span_sink, telemetry.span_missed = on
        quiet = {exporting: statistics.mean(sorted(turns)[: len(turns) // 4]) for exporting, turns in spent.items()}
        if (ratio := quiet[True] / quiet[False]) < LIMIT:
            break
    return ratio


@pytest.mark.parametrize(
    ("kind", "protocol"),
    [
        ("is silent", HTTP),
        *(
            pytest.param(kind, protocol, marks=pytest.mark.slow)
            for kind, protocol in [
                ("refuses", HTTP), ("is deaf", HTTP), ("is silent", GRPC), ("refuses", GRPC), ("is deaf", GRPC),
            ]
        ),
    ],
)  # fmt: skip
def test_a_dead_collector_costs_requests_at_most_two_percent_of_their_cpu(kind: str, protocol: str) -> None:
    telemetry = process()
    app = application()
    loop = asyncio.new_event_loop()

    async def many(number: int) -> None:
        for _ in range(number):
            await app(scope(), receive, send)

    def serve(number: int) -> None:
        loop.run_until_complete(many(number))

    with dead_collector(kind) as url:
        paths = {SPANS: "/v1/traces", METRICS: "/v1/metrics"} if protocol == HTTP else {}
        destinations = tuple(Destination(each, protocol, url + paths.get(each, "")) for each in (SPANS, METRICS))
        drain = Drain(telemetry, Settings(destinations, span_interval=0.05, metric_interval=0.2), {})
        drain.start()
        try:
            serve(3_000)  # warm, and the queue is full, as it will be for as long as the collector is dead
            ratio = compared(telemetry, serve)
        finally:
            drain.stop()
            loop.close()
    assert ratio < LIMIT
