"""What the handlers of every family do, and the clock they do it by."""

import asyncio
import threading
from collections.abc import Iterator

from opentelemetry import trace

import figwatch
from support.library import Timer

TIMER = Timer()
"""Seconds that pass only in a handler; the telemetry of the table of cases reads the same ones."""

DONE = threading.Event()
"""Set when work after the response is done."""


WAITING = threading.Event()
"""Set while a handler waits for what never comes."""


class Broken(Exception):
    """A handler failed."""


def told() -> str:
    """What a handler knows of its request: trace id and side."""
    request = figwatch.current_request()
    return f"{figwatch.trace_id()} {request.served_by if request is not None else None}"


def stream() -> Iterator[bytes]:
    """The first byte after one second, the last after three."""
    TIMER.now += 1
    yield b"first"
    TIMER.now += 2
    yield b"last"


def breaking_stream() -> Iterator[bytes]:
    """Breaks in the middle."""
    yield b"first"
    raise Broken("in mid-stream")


def endless_stream() -> Iterator[bytes]:
    """Ends when the client has gone."""
    while True:
        yield b"x" * 65_536


def work_afterwards() -> None:
    """A background task of a hundred seconds."""
    TIMER.now += 100
    DONE.set()


async def wait() -> None:
    """Wait for what never comes: only a cancellation ends it."""
    WAITING.set()
    await asyncio.Event().wait()


def write_on_the_span() -> None:
    """What OpenTelemetry's users do with the current span, and a child of it."""
    span = trace.get_current_span()
    span.set_attribute("shop.basket", 3)
    span.set_attributes({"shop.tags": ["a", "b"]})
    span.add_event("paid", {"shop.cents": 100})
    span.record_exception(Broken("kept"))
    span.update_name("checkout")
    span.set_status(trace.StatusCode.ERROR, "out of stock")
    with trace.get_tracer("shop").start_as_current_span("child"):
        pass
