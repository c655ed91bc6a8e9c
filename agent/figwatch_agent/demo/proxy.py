"""Hands one request to an upstream and streams the answer back, telling what went wrong in the contract's words."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

import aiohttp
from aiohttp import web
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from figwatch import contract
from figwatch.gateway import BAD_GATEWAY, GATEWAY_TIMEOUT, EdgeObservation
from figwatch_agent.demo import child

CONNECT_SECONDS: Final = 1.0
READ_SECONDS: Final = 3.0
"""Patience between two pieces of an answer; longer than any latency fault, shorter than a client's patience."""
WHOLE_BODY_LIMIT: Final = 64 * 1024
KEEP_ALIVE_SECONDS: Final = 10.0
"""Shorter than every upstream keeps a connection, so that none is closed just as a request is put on it."""

# Meant for one connection only (RFC 9110, section 7.6.1), and what this side of the gateway writes itself.
_HOP_BY_HOP: Final = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
_NOT_FORWARDED: Final = _HOP_BY_HOP | {"host", "content-length", "expect"}
_NOT_RETURNED: Final = _HOP_BY_HOP | {"server", "date"}


class UpstreamFailed(Exception):
    """The upstream gave no whole answer; carries the contract's error type."""

    def __init__(self, error_type: str) -> None:
        super().__init__(error_type)
        self.error_type = error_type

    @property
    def status(self) -> int:
        """What the client is answered, if nothing was sent yet."""
        return GATEWAY_TIMEOUT if self.error_type == contract.UPSTREAM_TIMEOUT else BAD_GATEWAY

    def tell(self, seen: EdgeObservation) -> None:
        """Count it against the side that served."""
        if self.error_type == contract.UPSTREAM_TIMEOUT:
            seen.upstream_timed_out()
        else:
            seen.upstream_failed()


def client_session(read_seconds: float) -> aiohttp.ClientSession:
    """A session whose limits are all written down: aiohttp's default is five minutes for a whole exchange."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEP_ALIVE_SECONDS),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=read_seconds),
        auto_decompress=False,
        cookie_jar=aiohttp.DummyCookieJar(),
    )


def end_to_end(headers: CIMultiDictProxy[str], dropped: Iterable[str]) -> CIMultiDict[str]:
    """A copy of the headers without those of this connection alone."""
    named = {name.strip().lower() for value in headers.getall("Connection", ()) for name in value.split(",")}
    unwanted = named.union(dropped)
    return CIMultiDict((name, value) for name, value in headers.items() if name.lower() not in unwanted)


class Proxy:
    """Forwards requests over one client session."""

    def __init__(self, client: aiohttp.ClientSession) -> None:
        self._client = client

    async def forward(
        self, request: web.Request, upstream: str, token: str, seen: EdgeObservation, extra: Mapping[str, str]
    ) -> web.StreamResponse:
        """Send the request to ``upstream`` (a URL without path) and stream the answer back with ``extra`` headers.

        A failure is told to ``seen``: answered 502 or 504 before the answer has begun, later a broken connection.
        """
        try:
            answer = await self._ask(request, upstream, token, seen)
        except UpstreamFailed as failed:
            return _refuse(failed, seen, extra)
        async with answer:
            returned = end_to_end(answer.headers, _NOT_RETURNED)
            returned.update(extra)
            response = web.StreamResponse(status=answer.status, reason=answer.reason, headers=returned)
            return await _relay(request, answer, response, seen)

    async def _ask(
        self, request: web.Request, upstream: str, token: str, seen: EdgeObservation
    ) -> aiohttp.ClientResponse:
        headers = seen.upstream_headers(end_to_end(request.headers, _NOT_FORWARDED).items(), token)
        body = await _body(request)
        url = URL(upstream + request.raw_path, encoded=True)
        with blaming_upstream():
            return await self._client.request(request.method, url, headers=headers, data=body, allow_redirects=False)


async def _relay(
    request: web.Request, answer: aiohttp.ClientResponse, response: web.StreamResponse, seen: EdgeObservation
) -> web.StreamResponse:
    try:
        seen.answered(response.status)
        await response.prepare(request)
        while chunk := await _chunk(answer):
            await response.write(chunk)
            seen.first_byte()
        await response.write_eof()
    except UpstreamFailed as failed:
        failed.tell(seen)
        return child.abort(request)
    except ConnectionError:
        seen.client_left()
        return child.abort(request)
    return response


def _refuse(failed: UpstreamFailed, seen: EdgeObservation, extra: Mapping[str, str]) -> web.Response:
    failed.tell(seen)
    seen.answered(failed.status)
    return web.json_response({"error": failed.error_type}, status=failed.status, headers=extra)


@contextmanager
def blaming_upstream() -> Iterator[None]:
    """Translate what a client session raises into UpstreamFailed."""
    try:
        yield
    except TimeoutError as late:
        raise UpstreamFailed(contract.UPSTREAM_TIMEOUT) from late
    except (aiohttp.ClientError, OSError) as broken:
        raise UpstreamFailed(contract.UPSTREAM_FAILURE) from broken


async def _chunk(answer: aiohttp.ClientResponse) -> bytes:
    with blaming_upstream():
        return await answer.content.readany()


async def _body(request: web.Request) -> bytes | aiohttp.StreamReader | None:
    """Small bodies whole, which saves a chunked transfer; others as they come."""
    if not request.body_exists:
        return None
    length = request.content_length
    return await request.read() if length is not None and length <= WHOLE_BODY_LIMIT else request.content
