"""The documents of one foreign file, each with its places in it.

Files of other tools hold several documents, and lists of them. Each is read by the same strict loader as our own files.
"""

import re
from collections.abc import Iterator
from typing import Final

from figwatch_agent.files.document import Document, Path, Spot
from figwatch_agent.files.yaml import LINE_BREAK, MAX_BYTES, parse

MOST: Final = 1_000
"""Documents in one file."""

LISTS: Final = frozenset(("List", "PrometheusServiceLevelList", "ServiceLevelObjectiveList"))
"""Kinds of Kubernetes that hold others under ``items``."""

_MARK: Final = re.compile(r"^---(?=\s|$)", re.MULTILINE)
_NOTHING: Final = re.compile(r"\s*(?:#.*|%.*|\.\.\.\s*)?|---\s*(?:#.*)?")
"""A line that says nothing by itself."""
_RENDER: Final = "render it first, such as with `helm template`: only the template of the window is understood"


def open_documents(path: str) -> tuple[Document, ...]:
    """The documents of a file, at least one; a file that cannot be read is one with that problem."""
    try:
        with open(path, "rb") as file:
            return documents(file.read(MAX_BYTES + 1), path)
    except OSError as error:
        document = Document(path=path, lines=("",), fatal=True)
        reason = error.strerror or type(error).__name__
        document.problems.append(document.at(Spot(1, 1), f"the file cannot be read: {reason}"))
        return (document,)


def documents(content: bytes, path: str) -> tuple[Document, ...]:
    """The documents in ``content``, at least one. Never raises for what the content is."""
    try:
        text = content.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError:
        return (parse(content, path),)
    starts = [0, *(found.start() for found in _MARK.finditer(text) if found.start())]
    parts = [(start, text[start:end]) for start, end in zip(starts, [*starts[1:], len(text)], strict=True)]
    filled = [(start, part) for start, part in parts if not all(map(_NOTHING.fullmatch, part.splitlines()))]
    if len(content) > MAX_BYTES or not filled:
        return (parse(content, path),)
    lines = tuple(LINE_BREAK.split(text))
    if len(filled) > MOST:
        document = Document(path=path, lines=lines, fatal=True)
        document.problems.append(document.at(Spot(1, 1), f"the file holds more than {MOST} documents"))
        return (document,)
    return tuple(_within(part, text, start, lines, path) for start, part in filled)


def _within(part: str, text: str, start: int, lines: tuple[str, ...], path: str) -> Document:
    """A document whose places count from the beginning of the file."""
    above = len(LINE_BREAK.findall(text, 0, start))
    read = parse(part.encode("utf-8"), path)
    document = Document(path=path, lines=lines, fatal=read.fatal)
    document.value = read.value
    document.values = {at: spot._replace(line=spot.line + above) for at, spot in read.values.items()}
    document.keys = {at: spot._replace(line=spot.line + above) for at, spot in read.keys.items()}
    document.broken = read.broken
    document.problems = [one._replace(line=one.line + above) for one in read.problems]
    if document.problems and "{{" in part:
        document.problems = [one if one.hint else one._replace(hint=_RENDER) for one in document.problems]
    return document


def resources(document: Document) -> Iterator[Document]:
    """The document itself, or each member of the list that it is or that Kubernetes would make of it."""
    root = document.root()
    kind = root.get("kind")
    where: Path = ("items",) if isinstance(kind, str) and kind in LISTS else ()
    members = root.get("items") if where else document.value
    if not isinstance(members, list) or not members:
        yield document
        return
    found = [_member(document, value) for value in members]
    for name in ("values", "keys"):
        for path, spot in getattr(document, name).items():
            index = _index(path, where, len(found))
            if index is not None:
                getattr(found[index], name)[path[len(where) + 1 :]] = spot
    for path in document.broken:
        index = _index(path, where, len(found))
        if index is not None:
            found[index].broken.add(path[len(where) + 1 :])
    yield from found


def _member(document: Document, value: object) -> Document:
    member = Document(path=document.path, lines=document.lines)
    member.value = value
    return member


def _index(path: Path, where: Path, count: int) -> int | None:
    """Which member of the list at ``where`` a path leads into."""
    inside = path[: len(where)] == where and len(path) > len(where)
    index = path[len(where)] if inside else None
    return index if isinstance(index, int) and index < count else None
