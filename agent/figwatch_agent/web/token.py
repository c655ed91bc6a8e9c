"""Who holds which token: names and roles by secret value."""

import hmac
from collections.abc import Sequence
from hashlib import sha256

from aiohttp import web


class Tokens:
    """Compares what a request brings with every token, in a time that says nothing about where they differ."""

    def __init__(self, tokens: Sequence[tuple[str, str, str]]) -> None:
        """``tokens``: name, secret value and role. ValueError for an empty value, which every request would carry."""
        empty = [name for name, value, _ in tokens if not value]
        if empty:
            raise ValueError(f"the token {empty[0]} is empty: give it a value, or leave it out of web.tokens")
        self._tokens = [(name, _digest(value), role) for name, value, role in tokens]

    def __bool__(self) -> bool:
        """Whether any is set up."""
        return bool(self._tokens)

    def find(self, given: str) -> tuple[str, str] | None:
        """Name and role of a token. Digests have one length, and all are compared: the time taken tells nothing."""
        digest = _digest(given)
        matching = [(name, role) for name, value, role in self._tokens if hmac.compare_digest(value, digest)]
        return matching[0] if matching else None


def bearer(request: web.Request) -> str | None:
    """The bearer token that a request shows; None where it shows none."""
    kind, _, given = request.headers.get("Authorization", "").partition(" ")
    return given.strip() or None if kind.lower() == "bearer" else None


def _digest(value: str) -> bytes:
    return sha256(value.encode("utf-8", "surrogateescape")).digest()
