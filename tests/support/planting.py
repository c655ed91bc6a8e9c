"""Plants a text in every field of a value that holds one, and looks for what grew of it in HTML."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from html.parser import HTMLParser
from typing import Any, Final, TypeVar

T = TypeVar("T")

CLOSED: Final = frozenset({"kind", "state", "unit", "mode", "side", "severity", "lane", "measure", "target", "by"})
"""Fields whose texts are words of a closed set, which nobody outside can choose."""

BIDI: Final = "\u202e\u2066\u200f"

HOSTILE: Final = (
    "<plant planted=1><script>plant()</script>",
    "\"><img src=x onerror=plant() planted='",
    "' planted=1 autofocus onfocus=plant() x='",
    "javascript:plant()//\njavascript:plant()",
    f"{BIDI}plant{BIDI}\r\nSet-Cookie: plant=1\x1b[31m\x00",
    "{{ 7*7 }}{% plant %}${plant}",
    "</title></style></textarea></svg><plant>",
    "&lt;plant&gt;&#x3c;plant&#x3e;",
    "plant" * 2000,
)
"""What somebody might write into a label, a header or an error text."""

_TAGS: Final = (
    "html head meta title link script body a svg symbol use path circle rect line polyline polygon g text tspan defs "
    "pattern clippath desc header footer main nav section article aside div span p h1 h2 h3 h4 ul ol li dl dt dd table "
    "caption thead tbody tr th td form input select option label button code pre b i em strong small br hr wbr time "
    "details summary figure figcaption abbr blockquote lineargradient stop marker mark kbd sub sup search fieldset"
)
TAGS: Final = frozenset(_TAGS.split())
"""What pages are made of."""

SCHEME: Final = re.compile(r"^\s*[a-z][a-z0-9+.-]*:", re.IGNORECASE)

LINKS: Final = ("href", "src", "action", "formaction", "xlink:href", "poster", "data", "content")


def planted(value: T, text: str, leave: frozenset[str] = CLOSED) -> T:
    """``value`` with ``text`` in every field of every dataclass in it that holds free text."""
    result: T = _planted(value, text, leave)
    return result


def _planted(value: Any, text: str, leave: frozenset[str]) -> Any:
    if isinstance(value, Enum) or value is None:
        return value
    if isinstance(value, str):
        return text
    if isinstance(value, tuple):
        return tuple(_planted(each, text, leave) for each in value)
    if isinstance(value, Mapping):
        return {key: _planted(each, text, leave) for key, each in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        found = {each.name: getattr(value, each.name) for each in fields(value)}
        return replace(value, **{n: _planted(v, text, leave) for n, v in found.items() if n not in leave})
    return value


class Growth(HTMLParser):
    """Everything in a page that no template of ours wrote."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self._script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Elements and their attributes."""
        if tag not in TAGS:
            self.found.append(f"element {tag}")
        self._script = tag == "script"
        if self._script and "src" not in dict(attrs):
            self.found.append("a script without src")
        for name, value in attrs:
            self.found += self._attribute(tag, name, value or "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """The same for those that are closed at once."""
        self.handle_starttag(tag, attrs)

    def handle_data(self, data: str) -> None:
        """Text: none within a script, and nothing that turns letters round."""
        if self._script and data.strip():
            self.found.append("a script with text")
        self.found += [f"control character {character!r}" for character in BIDI + "\x1b\x00" if character in data]

    def handle_endtag(self, tag: str) -> None:
        """The end of a script."""
        self._script = False

    @staticmethod
    def _attribute(tag: str, name: str, value: str) -> Iterator[str]:
        if name == "planted" or name.startswith("on") or name in ("style", "srcdoc"):
            yield f"attribute {name} of {tag}"
        link = name in LINKS and tag != "meta"
        if link and SCHEME.match(value) and not value.startswith(("http", "data:image")):
            yield f"{name}={value[:40]!r} of {tag}"
        if link and value.startswith("//"):
            yield f"{name}={value[:40]!r} of {tag} leads elsewhere"
        if name != "value" and set(BIDI) & set(value):  # a field gives back what was typed
            yield f"control character in {name} of {tag}"


def growth(page: str) -> list[str]:
    """What grew in an HTML page."""
    parser = Growth()
    parser.feed(page)
    parser.close()
    return parser.found
