"""One YAML file as plain values, and where in the text each of them stands."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from figwatch_agent.files.diagnostics import Diagnostic, nearest

MASK = "********"

Path = tuple[str | int, ...]
"""Keys and indexes from the root down."""

SECRET_KEYS = frozenset(
    {
        "routing_key",
        "webhook_url",
        "bot_token",
        "secret",
        "token",
        "bearer",
        "password",
        "api_key",
        "authorization",
        "proxy-authorization",
        "cookie",
        "x-api-key",
    }
)
"""Keys whose values are never shown, nor those of keys that look like them; compared in lower case."""

_NEVER_SECRET = frozenset(("tokens",))
"""Keys that look like one of SECRET_KEYS and are not."""

_KEY = r"""([\w-]+)["']?\s*:(?=\s|$)\s*"""
_NAMED = r"\{?\s*(?:env|file)\s*:"
_NOTHING_YET = r"(?:[|>][-+0-9]*)?\s*(?:#.*)?$"
_USERINFO = r"(://)[^/\s@]+(@)"
# Patterns are compiled when a line is shown, which a file without problems never asks for.


class Spot(NamedTuple):
    """A place in the text; lines and columns count from 1."""

    line: int
    column: int
    width: int = 1


class Document:
    """What the loader made of one file. ``problems`` of the loader come first; ``broken`` paths hold no true value."""

    def __init__(self, *, path: str, lines: tuple[str, ...], fatal: bool = False) -> None:
        """``path`` as given, for messages. ``fatal``: there is no value to look at."""
        self.path = path
        self.lines = lines
        self.fatal = fatal
        self.value: object = None
        self.values: dict[Path, Spot] = {}
        self.keys: dict[Path, Spot] = {}
        self.broken: set[Path] = set()
        self.problems: list[Diagnostic] = []

    def root(self) -> Mapping[str, object]:
        """The top-level mapping; empty where there is none."""
        return self.value if isinstance(self.value, dict) else {}

    def value_spot(self, path: Path) -> Spot:
        """Where the value stands, or the nearest thing around it."""
        while path and path not in self.values:
            path = path[:-1]
        return self.values.get(path, Spot(1, 1))

    def key_spot(self, path: Path) -> Spot:
        """Where the key of this value stands."""
        return self.keys.get(path) or self.value_spot(path)

    def problem(self, path: Path, message: str, hint: str = "", *, key: bool = False) -> Diagnostic:
        """A problem with the value at ``path``, or with its key."""
        return self.at(self.key_spot(path) if key else self.value_spot(path), message, hint)

    def notice(self, path: Path, message: str, hint: str = "") -> Diagnostic:
        """Something worth knowing about the value at ``path``."""
        return self.at(self.value_spot(path), message, hint, notice=True)

    def at(self, spot: Spot, message: str, hint: str = "", *, notice: bool = False) -> Diagnostic:
        """A problem or notice at a place; a place beyond the text becomes its end."""
        line = max(1, min(spot.line, len(self.lines)))
        column = spot.column if line == spot.line else len(self.lines[line - 1]) + 1
        column = max(1, min(column, len(self.lines[line - 1]) + 1))
        return Diagnostic(
            path=self.path,
            line=line,
            column=column,
            message=message,
            hint=hint,
            source_line=self.shown(line),
            width=max(1, spot.width),
            notice=notice,
        )

    def shown(self, line: int) -> str:
        """A line as it may be printed: what could be a secret is masked, even in a file that cannot be parsed."""
        text = self.lines[line - 1]
        start = _indent(text) if _under_secret(self.lines, line - 1) else _secret_start(text)
        masked = text if start is None or start >= len(text) else text[:start] + MASK
        return re.sub(_USERINFO, rf"\1{MASK}\2", masked)


def _secret_start(line: str) -> int | None:
    """Where the value of a key begins that holds a secret, or was meant to; None where there is none on this line."""
    for found in re.finditer(_KEY, line):
        rest = line[found.end() :]
        if holds_secret(found[1]) and not re.match(_NAMED, rest) and not re.match(_NOTHING_YET, rest):
            return found.end()
    return None


def _opens_secret(line: str) -> bool:
    """Whether the line ends with such a key, so that its value begins on the next."""
    return any(
        holds_secret(found[1]) and re.match(_NOTHING_YET, line[found.end() :]) for found in re.finditer(_KEY, line)
    )


def holds_secret(key: str) -> bool:
    """Whether the value of this key must not be shown."""
    word = key.lower()
    return word not in _NEVER_SECRET and nearest(word, SECRET_KEYS) is not None


def _under_secret(lines: tuple[str, ...], index: int) -> bool:
    """Whether the line belongs to a value that began on a line above, under a key that holds a secret."""
    text = lines[index].strip()
    if not text or re.match(_NAMED, text):
        return False
    above = [line for line in lines[max(0, index - 200) : index] if line.strip()]
    if not above:
        return False
    indent = _indent(lines[index])
    parent = next((line for line in reversed(above) if _indent(line) < indent), "")
    return _opens_secret(above[-1]) or _opens_secret(parent)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
