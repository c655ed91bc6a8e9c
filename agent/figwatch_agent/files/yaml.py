"""A strict YAML loader: libyaml's events become plain values with their places, without recursion.

The events are read one by one, so that depth and size are refused before they cost anything, and every other problem is
noted without stopping. Refused: duplicate keys, aliases, anchors, merge keys, tags, several documents, and words that
YAML 1.1 and 1.2 read differently.
"""

import re
from collections.abc import Iterator
from typing import Any, Final, Literal

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from figwatch_agent.files.diagnostics import quoted
from figwatch_agent.files.document import Document, Path, Spot, holds_secret
from figwatch_agent.files.scalars import Surprise, resolve

MAX_BYTES: Final = 1 << 20
MAX_DEPTH: Final = 64
MAX_NODES: Final = 50_000
MAX_PROBLEMS: Final = 200
"""Caps on one file: far above what people write, far below what hurts."""

LINE_BREAK: Final = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
"""As libyaml counts lines."""

HINTS: Final = (
    ("tab character", "indent with spaces"),
    ("cannot start any token", "indent with spaces, and quote text that starts with @, `, % or a tab"),
    ("mapping values are not allowed", "quote text that contains a colon followed by a space"),
    ("did not find expected comment or line break", 'quote text that starts with > or |, such as "> 99.9%"'),
    ("flow mapping", "inside { } quote text that contains { } [ ] or a comma, and close every brace"),
    ("flow sequence", "inside [ ] quote text that contains { } [ ] or a comma, and close every bracket"),
    ("quoted scalar", "close the quote"),
    ("block mapping", "keys of one mapping start in the same column"),
)
"""Words of libyaml's complaints, and what usually is the matter."""


class _Stop(Exception):
    """There is no point in reading on."""


class _Frame:
    """A mapping or list that is being filled."""

    def __init__(self, path: Path, *, mapping: bool, role: Literal["value", "key"]) -> None:
        self.path = path
        self.container: dict[str, object] | list[object] = {} if mapping else []
        self.state: Literal["key", "value", "item"] = "key" if mapping else "item"
        self.role = role  # a collection in the place of a key is read and thrown away
        self.key: str | None = None  # of the value that comes next
        self.first: dict[str, int] = {}  # key -> line


def parse(content: bytes, path: str) -> Document:
    """The document in ``content``; ``path`` is for messages. Never raises for what the content is."""
    if len(content) > MAX_BYTES:
        document = Document(path=path, lines=("",), fatal=True)
        document.problems.append(document.at(Spot(1, 1), f"the file is larger than {MAX_BYTES >> 20} MiB"))
        return document
    try:
        text = content.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        return _not_utf8(content, path, error.start)
    document = Document(path=path, lines=tuple(LINE_BREAK.split(text)))
    _Builder(document).build(text)
    return document


def _not_utf8(content: bytes, path: str, offset: int) -> Document:
    before = content[:offset].decode("utf-8").removeprefix("\ufeff")
    lines = tuple(LINE_BREAK.split(content.decode("utf-8", "replace").removeprefix("\ufeff")))
    document = Document(path=path, lines=lines, fatal=True)
    spot = _spot_after(before)
    document.problems.append(document.at(spot, "the file is not UTF-8 text", "save it in the encoding UTF-8"))
    return document


def _spot_after(before: str) -> Spot:
    lines = LINE_BREAK.split(before)
    return Spot(len(lines), len(lines[-1]) + 1)


class _Builder:
    """Turns events into the document's values, places and problems."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._stack: list[_Frame] = []
        self._nodes = 0
        self._documents = 0

    def build(self, text: str) -> None:
        """Read all events, or as many as make sense."""
        try:
            for event in self._events(text):
                self._take(event)
        except _Stop:
            self._document.fatal = True
            return
        if not self._nodes:
            self._document.fatal = True
            self._problem(Spot(1, 1), "the file is empty")

    def _events(self, text: str) -> Iterator[Event]:
        try:
            yield from yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        except yaml.MarkedYAMLError as error:
            mark: Any = error.problem_mark or error.context_mark
            spot = Spot(mark.line + 1, mark.column + 1) if mark else Spot(1, 1)
            said = " ".join(part for part in (error.context, error.problem) if part)
            self._stop(spot, f"this is not YAML: {said}", next((hint for word, hint in HINTS if word in said), ""))
        except yaml.reader.ReaderError as error:
            spot = _spot_after(text[: _character_at(text, error)])
            self._stop(spot, "the file contains a control character that YAML does not allow", "remove it")

    def _take(self, event: Event) -> None:
        if isinstance(event, DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                self._stop(_spot(event), "the file holds more than one document", "put each into a file of its own")
        elif isinstance(event, NodeEvent):
            self._node(event)
        elif isinstance(event, (MappingEndEvent, SequenceEndEvent)):
            self._end()

    def _node(self, event: NodeEvent) -> None:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            self._stop(_spot(event), f"the file holds more than {MAX_NODES} values")
        frame = self._stack[-1] if self._stack else None
        if frame is not None and frame.state == "key":
            self._key(frame, event)
            return
        path = _next_path(frame)
        self._document.values.setdefault(path, _spot(event))
        self._judge(event, path)
        if isinstance(event, (MappingStartEvent, SequenceStartEvent)):
            self._open(event, path, "value")
        else:
            self._put(self._scalar(event, path))

    def _open(self, event: NodeEvent, path: Path, role: Literal["value", "key"]) -> None:
        if len(self._stack) >= MAX_DEPTH:
            self._stop(_spot(event), f"the file is nested deeper than {MAX_DEPTH} levels")
        self._stack.append(_Frame(path, mapping=isinstance(event, MappingStartEvent), role=role))

    def _end(self) -> None:
        frame = self._stack.pop()
        if frame.role == "value":
            self._put(frame.container)
        else:
            self._stack[-1].state = "value"

    def _put(self, value: object) -> None:
        if not self._stack:
            self._document.value = value
            return
        frame = self._stack[-1]
        if isinstance(frame.container, list):
            frame.container.append(value)
            return
        if frame.key is not None:
            frame.container[frame.key] = value
        frame.state = "key"

    def _key(self, frame: _Frame, event: NodeEvent) -> None:
        frame.key = None
        spot = _spot(event)
        self._judge(event, None)
        if isinstance(event, (MappingStartEvent, SequenceStartEvent)):
            self._problem(spot, "a key must be text", "quote it, if it is meant as text")
            self._open(event, (*frame.path, "?"), "key")
            return
        frame.state = "value"
        if not isinstance(event, ScalarEvent):
            return
        if not isinstance(resolve(event.value) if _plain(event) else event.value, str):
            self._problem(spot, f"the key {quoted(event.value)} is not text to every YAML reader", "quote it")
        if _plain(event) and event.value == "<<":
            self._problem(spot, "merge keys are not allowed", "write the keys out")
        elif event.value in frame.first:
            first = frame.first[event.value]
            self._problem(spot, f"the key {quoted(event.value)} is given twice", f"it stands on line {first} already")
        else:
            frame.first[event.value] = spot.line
            frame.key = event.value
            self._document.keys[(*frame.path, event.value)] = spot

    def _scalar(self, event: NodeEvent, path: Path) -> object:
        if not isinstance(event, ScalarEvent):
            return None
        if not _plain(event):
            return event.value
        value = resolve(event.value)
        if isinstance(value, Surprise) and path and holds_secret(str(path[-1])):
            return event.value  # refused later, in words that do not repeat it
        if isinstance(value, Surprise):
            self._document.broken.add(path)
            self._problem(_spot(event), value.message, value.hint)
            return event.value
        return value

    def _judge(self, event: NodeEvent, path: Path | None) -> None:
        """Refuse what could make one place of the file mean another."""
        message = None
        if isinstance(event, AliasEvent):
            message = f"aliases (*{event.anchor}) are not allowed", "write the value out"
        elif event.anchor is not None:
            message = f"anchors (&{event.anchor}) are not allowed", "remove it"
        elif getattr(event, "tag", None) is not None:
            message = "tags (!) are not allowed", "remove it; quote the value if text is meant"
        if message is not None:
            self._problem(_spot(event), *message)
            if path is not None:
                self._document.broken.add(path)

    def _problem(self, spot: Spot, message: str, hint: str = "") -> None:
        self._document.problems.append(self._document.at(spot, message, hint))
        if len(self._document.problems) >= MAX_PROBLEMS:
            raise _Stop

    def _stop(self, spot: Spot, message: str, hint: str = "") -> None:
        self._problem(spot, message, hint)
        raise _Stop


def _plain(event: ScalarEvent) -> bool:
    return event.tag is None and bool(event.implicit[0])  # unquoted, so its form decides what it is


def _next_path(frame: _Frame | None) -> Path:
    if frame is None:
        return ()
    if isinstance(frame.container, list):
        return (*frame.path, len(frame.container))
    return (*frame.path, frame.key if frame.key is not None else "?")


def _spot(event: Event) -> Spot:
    start: Any = event.start_mark
    end: Any = event.end_mark
    one_line = isinstance(event, (ScalarEvent, AliasEvent)) and end.line == start.line
    return Spot(start.line + 1, start.column + 1, max(1, end.column - start.column) if one_line else 1)


def _character_at(text: str, error: yaml.reader.ReaderError) -> int:
    """libyaml counts bytes of UTF-8 up to the character it refuses."""
    return len(text.encode("utf-8")[: error.position].decode("utf-8", "ignore"))
