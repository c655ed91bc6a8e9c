"""Secrets are struck out of every text that comes back, in every form in which a receiver may repeat them."""

from collections.abc import Callable, Iterable
from typing import Final
from urllib.parse import quote, urlsplit

from figwatch_agent.model.secret import struck_out
from figwatch_agent.notify.words import one_line

Mask = Callable[[str], str]
"""Strikes secrets out of a text and makes it one short line."""

_DETAIL_LIMIT: Final = 200
_SHORTEST_PART: Final = 4


def masking(secrets: Iterable[str]) -> Mask:
    """A Mask for these values. Of a URL its path, query and every part of them count, for that is where tokens are."""
    hidden = {form for secret in secrets for form in _forms(secret)}
    return lambda text: one_line(struck_out(text, hidden), _DETAIL_LIMIT)


def _forms(secret: str) -> Iterable[str]:
    parts = [secret, quote(secret, safe="")]
    if "://" in secret:
        try:
            url = urlsplit(secret)
        except ValueError:
            return parts
        parts += [url.path, url.query, url.password or "", *url.path.split("/"), *_values(url.query)]
    return [part for part in parts if len(part) >= _SHORTEST_PART or part == secret]


def _values(query: str) -> list[str]:
    return [pair.partition("=")[2] for pair in query.split("&")]
