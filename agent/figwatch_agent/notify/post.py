"""One POST to a receiver: the single place where notify speaks HTTP."""

import json
import ssl
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import aiohttp

from figwatch.contract import __version__
from figwatch_agent.durations import Instant
from figwatch_agent.model.journal import DeliveryResult
from figwatch_agent.notify.classify import Answer, of_error, of_status
from figwatch_agent.notify.retry_after import parse_retry_after
from figwatch_agent.notify.secrecy import Mask

TIMEOUT: Final = aiohttp.ClientTimeout(total=10, connect=5, sock_connect=4)
"""Seconds. Connecting, name and TLS included, ends well before the whole: late means sent."""
_ANSWER_READ: Final = 2048


async def post(
    session: aiohttp.ClientSession,
    url: str,
    body: bytes,
    *,
    now: Callable[[], Instant],
    mask: Mask,
    headers: Mapping[str, str] | None = None,
) -> DeliveryResult:
    """Send ``body`` as JSON once and judge the answer by its status. Never raises for what the other side does."""
    answer = await exchange(session, url, body, now=now, mask=mask, headers=headers, most=0)
    if isinstance(answer, DeliveryResult):
        return answer
    return of_status(answer.status, answer.retry_after, answer.detail)


async def exchange(
    session: aiohttp.ClientSession,
    url: str,
    body: bytes,
    *,
    now: Callable[[], Instant],
    mask: Mask,
    headers: Mapping[str, str] | None = None,
    most: int,
    patience: aiohttp.ClientTimeout | None = None,
    tls: ssl.SSLContext | bool = True,
) -> Answer | DeliveryResult:
    """Send ``body`` as JSON once: the answer with at most ``most`` bytes of it, or what follows from there being none.

    Never raises for what the other side does.
    """
    sent = {"Content-Type": "application/json", "User-Agent": f"figwatch/{__version__}", **(headers or {})}
    try:
        async with session.post(
            url,
            data=body,
            headers=sent,
            timeout=patience or TIMEOUT,
            ssl=tls,
            allow_redirects=False,
            raise_for_status=False,
        ) as answer:
            return Answer(
                status=answer.status,
                retry_after=parse_retry_after(answer.headers.get("Retry-After"), now()),
                detail="" if answer.ok else await _said(answer, mask),
                body=await _beginning(answer, most) if answer.ok else b"",
            )
    except (aiohttp.ClientError, OSError) as error:
        return of_error(error)


def encode(document: Mapping[str, object] | Sequence[Mapping[str, object]]) -> bytes:
    """ASCII JSON: nothing in a text, lone surrogates included, can fail to be encoded."""
    return json.dumps(document, ensure_ascii=True, separators=(",", ":"), allow_nan=False).encode("ascii")


async def _said(answer: aiohttp.ClientResponse, mask: Mask) -> str:
    try:
        raw = await answer.content.read(_ANSWER_READ)
    except (aiohttp.ClientError, OSError):
        raw = b""  # the status alone decides
    return mask(f"HTTP {answer.status}: {raw.decode('utf-8', 'replace')}")


async def _beginning(answer: aiohttp.ClientResponse, most: int) -> bytes:
    read = bytearray()
    while len(read) < most:
        part = await answer.content.read(most - len(read))
        if not part:
            break
        read += part
    return bytes(read)
