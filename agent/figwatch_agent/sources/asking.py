"""One call over HTTP, asked once: how probes, readings and the gateway are read."""

from typing import Final

import aiohttp

from figwatch_agent.durations import SECOND, Duration
from figwatch_agent.model.plan import HttpCall
from figwatch_agent.model.secret import ReadSecret, resolved
from figwatch_agent.sources.body import read_body

MAX_BODY: Final = 1024 * 1024
"""Bytes of an answer that are read."""


def open_session() -> aiohttp.ClientSession:
    """A connection of its own for every question, since whether one can be made is part of what is asked."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, force_close=True),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
    )


async def ask(
    session: aiohttp.ClientSession, call: HttpCall, read_secret: ReadSecret, within: Duration, *, whole: bool
) -> tuple[int, bytes]:
    """Status, and the body where the ``whole`` answer is wanted. No redirect is followed.

    Raises Fault, SecretUnreadable, and what aiohttp and sockets raise.
    """
    headers = {"Accept-Encoding": "gzip"} | ({} if call.json is None else {"Content-Type": "application/json"})
    headers |= {name: resolved(value, read_secret) for name, value in call.headers}
    async with session.request(
        call.method,
        call.url,
        data=None if call.json is None else call.json.encode(),
        headers=headers,
        allow_redirects=False,
        timeout=aiohttp.ClientTimeout(total=within / SECOND),
    ) as response:
        return response.status, await read_body(response, MAX_BODY) if whole else b""


def is_success(status: int) -> bool:
    """Whether an HTTP status is 2xx."""
    return 200 <= status < 300
