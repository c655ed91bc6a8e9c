"""Scrape targets that answer in every way a scrape target can."""

import asyncio
import gzip
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from support.served import Handler as Handler
from support.served import everywhere
from support.served import served as serving

TEXT = "text/plain; version=0.0.4"


@asynccontextmanager
async def served(handler: Handler) -> AsyncIterator[str]:
    """The URL of a server on loopback that answers every request with this handler."""
    async with serving(everywhere(handler)) as url:
        yield f"{url}/metrics"


def answering(body: bytes, status: int = 200, content_type: str = TEXT, **headers: str) -> Handler:
    """The same answer to everything; header names are written with underscores."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    async def handle(_request: web.Request) -> web.StreamResponse:
        return web.Response(body=body, status=status, headers={"Content-Type": content_type, **named})

    return handle


def zipped(body: bytes) -> Handler:
    """The body, compressed."""
    return answering(gzip.compress(body), Content_Encoding="gzip")


async def silent(_request: web.Request) -> web.StreamResponse:
    """Never answers."""
    await asyncio.Event().wait()
    raise AssertionError("unreachable")


async def endless(request: web.Request) -> web.StreamResponse:
    """Sends comment lines as fast as they are taken, for ever."""
    response = web.StreamResponse(headers={"Content-Type": TEXT})
    await response.prepare(request)
    while True:
        await response.write(b"# nothing to see here\n" * 1_000)


async def dripping(request: web.Request) -> web.StreamResponse:
    """Sends a byte now and then, so that something is always coming."""
    response = web.StreamResponse(headers={"Content-Type": TEXT})
    await response.prepare(request)
    while True:
        await response.write(b"#")
        await asyncio.sleep(0.01)


async def breaking_off(request: web.Request) -> web.StreamResponse:
    """Promises more than it sends, and hangs up."""
    response = web.StreamResponse(headers={"Content-Type": TEXT, "Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b"a 1\n")
    assert request.transport is not None
    request.transport.abort()
    return response


async def hanging_up(request: web.Request) -> web.StreamResponse:
    """Closes the connection without a word."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


def nobody_there() -> str:
    """A URL of a port that was free a moment ago."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{listener.getsockname()[1]}/metrics"
