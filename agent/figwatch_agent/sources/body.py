"""The body of an answer, unpacked here, so that neither its size nor that of what it unpacks to is without bound."""

import zlib
from collections.abc import AsyncIterator

import aiohttp

from figwatch_agent.sources.fault import Fault, FaultReason

_CHUNK = 64 * 1024
_GZIP = 16 + zlib.MAX_WBITS  # zlib: expect a gzip header


async def read_body(response: aiohttp.ClientResponse, max_bytes: int) -> bytes:
    """The whole body, unpacked. Raises Fault (too_large, encoding) and what aiohttp raises.

    The session must not decompress by itself (``auto_decompress=False``).
    """
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    chunks = response.content.iter_chunked(_CHUNK)
    if encoding in ("gzip", "x-gzip"):
        return await _unpacked(chunks, max_bytes)
    if encoding not in ("identity", ""):
        raise Fault(FaultReason.ENCODING, f"Content-Encoding {encoding[:40]!r} was not asked for")
    body = bytearray()
    async for chunk in chunks:
        body += chunk
        _check(len(body), max_bytes)
    return bytes(body)


async def _unpacked(chunks: AsyncIterator[bytes], max_bytes: int) -> bytes:
    body = bytearray()
    unpacker = zlib.decompressobj(_GZIP)
    try:
        async for chunk in chunks:
            rest = chunk
            while rest:
                if unpacker.eof:  # a gzip file may be several, one behind the other
                    unpacker = zlib.decompressobj(_GZIP)
                body += unpacker.decompress(rest, _CHUNK)
                _check(len(body), max_bytes)
                rest = unpacker.unused_data if unpacker.eof else unpacker.unconsumed_tail
    except zlib.error as error:
        raise Fault(FaultReason.ENCODING, f"the gzip data is broken: {error}") from None
    if not unpacker.eof:
        raise Fault(FaultReason.ENCODING, "the gzip data ends before its end")
    return bytes(body)


def _check(length: int, max_bytes: int) -> None:
    if length > max_bytes:
        raise Fault(FaultReason.TOO_LARGE, f"more than {max_bytes} bytes")
