"""Texts that others wrote, made fit for people: one line, nothing invisible, no longer than asked."""

import unicodedata
from collections.abc import Callable
from typing import Final
from urllib.parse import quote, urlsplit

from figwatch_agent.durations import Instant, format_instant

ELLIPSIS: Final = "…"
_URL_LIMIT: Final = 2048
_INVISIBLE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
_SEPARATORS: Final = frozenset({"Zl", "Zp", "Zs"})


def one_line(text: str, limit: int) -> str:
    """``text`` with runs of white space as one space and at most ``limit`` characters.

    What cannot be seen (control characters, marks that turn the direction of writing, lone surrogates) is written out
    as ``\\u202e``: dropping it would let two different routes look the same.
    """
    # Four times the limit leaves room for white space that collapses, and keeps 10 kB labels cheap.
    shown = "".join(_visible(character) for character in text[: 4 * limit + 4])
    return fit(" ".join(shown.split()), limit)


def fit(text: str, limit: int, size: Callable[[str], int] = len) -> str:
    """``text``, cut at the end with an ellipsis if ``size`` of it is more than ``limit``."""
    if size(text) <= limit:
        return text
    low, high = 0, min(len(text), limit)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if size(text[:middle] + ELLIPSIS) <= limit else (low, middle - 1)
    return text[:low] + ELLIPSIS


def safe_url(url: str | None) -> str | None:
    """``url`` if it is one that a person may be asked to follow, with everything odd percent-encoded; else None."""
    if not url or len(url) > _URL_LIMIT:
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not parts.netloc:
        return None
    return quote(url, safe=":/?#[]@!$&'()*+,;=%-._~", errors="replace")


def point_in_time(instant: Instant) -> str:
    """``2026-11-22 16:39:56 UTC``."""
    return format_instant(instant)[:19].replace("T", " ") + " UTC"


def share(part: int, whole: int) -> str:
    """``part`` of ``whole`` in percent with one decimal, rounded half up: ``4.0%``; without a whole, a word."""
    if whole == 0:
        return "no requests"
    tenths = (2000 * part + whole) // (2 * whole)
    return f"{tenths // 10}.{tenths % 10}%"


def _visible(character: str) -> str:
    category = unicodedata.category(character)
    if character in "\t\n\r\v\f" or category in _SEPARATORS:
        return " "
    if category in _INVISIBLE:
        return f"\\u{ord(character):04x}"
    return character
