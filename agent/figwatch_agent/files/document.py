"""One YAML file as plain values, and where in the text each of them stands."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from figwatch_agent.files.diagnostics import Diagnostic

Path = tuple[str | int, ...]
"""Keys and indexes from the root down."""

SECRET_KEYS = frozenset(
    {
        "routing_key",
        "webhook_url",
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
"""Keys whose values are never shown, whatever is wrong with them; compared in lower case."""

_KEY = "|".join(re.escape(key) for key in sorted(SECRET_KEYS, key=len, reverse=True))
_NAMED = r"(?:env|file)\s*:"
_INLINE = re.compile(
    rf"""(?i)((?<![\w-])["']?(?:{_KEY})["']?\s*:\s+)(?!\{{\s*{_NAMED})(?=\S)(?![|>][-+0-9]*\s*$)(.+)$"""
)
_OPENS = re.compile(rf"""(?i)(?<![\w-])["']?(?:{_KEY})["']?\s*:\s*(?:[|>][-+0-9]*)?\s*(?:\#.*)?$""")
_USERINFO = re.compile(r"(://)[^/\s@]+(@)")
_CONTENT = re.compile(r"^(\s*(?:-\s+)*)(.*)$")


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in the text; lines and columns count from 1."""

    line: int
    column: int
    width: int = 1


@dataclass(slots=True, kw_only=True)
class Document:
    """What the loader made of one file. ``problems`` of the loader come first; ``broken`` paths hold no true value."""

    path: str  # as given, for messages
    lines: tuple[str, ...]
    value: object = None
    values: dict[Path, Spot] = field(default_factory=dict)
    keys: dict[Path, Spot] = field(default_factory=dict)
    broken: set[Path] = field(default_factory=set)
    problems: list[Diagnostic] = field(default_factory=list)
    fatal: bool = False  # there is no value to look at

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
        if _under_secret(self.lines, line - 1):
            return _CONTENT.sub(lambda found: found[1] + _mask(found[2]), text)
        return _USERINFO.sub(r"\1********\2", _INLINE.sub(lambda found: found[1] + _mask(found[2]), text))


def masked_after(text: str, column: int) -> str:
    """The line with everything after ``column`` characters masked, for a key that was meant to hold a secret."""
    return text[:column] + _mask(text[column:]) if len(text) > column else text


def _mask(text: str) -> str:
    return "" if not text else "********"


def _under_secret(lines: tuple[str, ...], index: int) -> bool:
    """Whether the line belongs to a value that began on a line above, under a key that holds a secret."""
    text = lines[index].strip()
    if not text or re.match(rf"\{{?\s*{_NAMED}", text):
        return False
    above = [line for line in lines[max(0, index - 200) : index] if line.strip()]
    if not above:
        return False
    indent = _indent(lines[index])
    parent = next((line for line in reversed(above) if _indent(line) < indent), "")
    return any(_OPENS.search(line) is not None for line in (above[-1], parent))


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
