"""Who may change something: bearer tokens with a role."""

import hmac
from collections.abc import Sequence
from hashlib import sha256
from typing import Final, Literal

from aiohttp import web

OPERATE: Final = "operate"
"""The role that may change something; ``view`` may not."""

Refusal = tuple[Literal[401, 403], str]


class Tokens:
    """Compares what a request brings with every token, in a time that says nothing about where they differ."""

    def __init__(self, tokens: Sequence[tuple[str, str, str]]) -> None:
        """``tokens``: name, secret value and role. ValueError for an empty value, which every request would carry."""
        empty = [name for name, value, _ in tokens if not value]
        if empty:
            raise ValueError(f"the token {empty[0]} is empty: give it a value, or leave it out of web.tokens")
        self._tokens = [(name, _digest(value), role) for name, value, role in tokens]

    def operator(self, request: web.Request) -> str | Refusal:
        """The name of the token that allows a change, or why there is none."""
        kind, _, given = request.headers.get("Authorization", "").partition(" ")
        if not self._tokens:
            return 401, "no token is set up: name one under web.tokens in figwatch.yaml"
        if kind.lower() != "bearer" or not given:
            return 401, "changing something needs a token: Authorization: Bearer TOKEN"
        found = self._find(given.strip())
        if found is None:
            return 401, "this token is not known here"
        name, role = found
        return name if role == OPERATE else (403, f"the token {name} has the role {role}; this needs {OPERATE}")

    def _find(self, given: str) -> tuple[str, str] | None:
        """Digests have one length, and all are compared: neither length nor place shows in the time taken."""
        digest = _digest(given)
        matching = [(name, role) for name, value, role in self._tokens if hmac.compare_digest(value, digest)]
        return matching[0] if matching else None


def _digest(value: str) -> bytes:
    return sha256(value.encode("utf-8", "surrogateescape")).digest()
