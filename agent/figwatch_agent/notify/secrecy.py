"""Secrets are resolved when a message is sent, and struck out of every text that comes back."""

from collections.abc import Callable, Iterable
from typing import Final
from urllib.parse import quote, urlsplit

from figwatch_agent.errors import FigwatchError
from figwatch_agent.model.secret import Secret
from figwatch_agent.notify.words import one_line

ReadSecret = Callable[[Secret], str]
"""Gives the value of a secret; raises OSError, KeyError or ValueError where there is none."""
Mask = Callable[[str], str]
"""Strikes secrets out of a text and makes it one short line."""

MASKED: Final = "***"
_DETAIL_LIMIT: Final = 200
_SHORTEST_PART: Final = 4


class SecretUnreadable(Exception):
    """A receiver's secret could not be read; check its environment variable or file."""


def resolve(value: str | Secret, read_secret: ReadSecret) -> str:
    """The value itself, or what the secret holds. Raises SecretUnreadable, naming the place and never the value."""
    if isinstance(value, str):
        return value
    try:
        read = read_secret(value).strip()
    except FigwatchError as error:  # it says where to look, and never the value
        raise SecretUnreadable(str(error)) from None
    except (OSError, KeyError, ValueError) as error:
        raise SecretUnreadable(f"{value} could not be read ({type(error).__name__})") from None
    if not read:
        raise SecretUnreadable(f"{value} is empty")
    return read


def masking(secrets: Iterable[str]) -> Mask:
    """A Mask for these values. Of a URL its path, query and every part of them count, for that is where tokens are."""
    hidden = sorted({form for secret in secrets for form in _forms(secret)}, key=len, reverse=True)

    def mask(text: str) -> str:
        for form in hidden:
            text = text.replace(form, MASKED)
        return one_line(text, _DETAIL_LIMIT)

    return mask


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
