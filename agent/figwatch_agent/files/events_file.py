"""A CSV of events: a line with the names of the columns, then an event a line. Everything wrong is found at once."""

import csv
from collections.abc import Iterator
from typing import Final

from figwatch_agent.durations import Instant
from figwatch_agent.files.diagnostics import Diagnostic, did_you_mean, quoted
from figwatch_agent.model.event import FIELDS, Event, EventInvalid, content_id, read_event

MOST_LINES: Final = 100_000
MOST_BYTES: Final = 32 * 1024 * 1024

_OWN: Final = ("kind", "at", "id")
COLUMNS: Final = (*_OWN, *dict.fromkeys(name for fields in FIELDS.values() for name in fields))
"""What a column may be named; a cell that is empty was not given."""


def read_events(path: str, data: bytes, *, actor: str, now: Instant) -> tuple[list[Event], list[Diagnostic]]:
    """The events of a file, in its order, and everything that is wrong with it; events mean nothing beside problems.

    An event without an id gets one made of what it says, so that the same file read twice tells nothing new.
    """
    text, problems = _text(path, data)
    if text is None:
        return [], problems
    lines = text.splitlines()
    names, problems = _header(path, lines)
    if problems:
        return [], problems
    events: list[Event] = []
    for number, line in enumerate(lines[1:], start=2):
        if line.strip():
            _event(path, number, line, names, events, problems, actor, now)
    if not events and not problems:
        problems.append(_at(path, 1, 1, "the file holds no event", lines[0]))
    return events, problems


def _text(path: str, data: bytes) -> tuple[str | None, list[Diagnostic]]:
    if len(data) > MOST_BYTES:
        return None, [_at(path, 1, 1, f"the file is larger than {MOST_BYTES >> 20} MiB: import it in parts")]
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        return None, [_at(path, line, 1, "the file is not UTF-8", hint="save it as CSV in UTF-8")]
    if text.count("\n") > MOST_LINES:
        return None, [_at(path, 1, 1, f"the file has more than {MOST_LINES} lines: import it in parts")]
    return text, []


def _header(path: str, lines: list[str]) -> tuple[list[str], list[Diagnostic]]:
    hint = f"begin with a line such as kind,at,id,service,version; there are {', '.join(COLUMNS)}"
    if not lines or not lines[0].strip():
        return [], [_at(path, 1, 1, "the first line names no columns", hint=hint)]
    cells = list(_cells(lines[0]))
    names = [name.strip() for name, _ in cells]
    problems = [
        _at(
            path,
            1,
            column,
            f"there is no column {quoted(name.strip())}",
            lines[0],
            did_you_mean(name, COLUMNS, "columns"),
        )
        for name, column in cells
        if name.strip() not in COLUMNS
    ]
    problems += [
        _at(path, 1, column, f"the column {quoted(name)} stands here twice", lines[0])
        for place, (name, column) in enumerate(cells)
        if name.strip() in names[:place]
    ]
    problems += [
        _at(path, 1, 1, f"the column {quoted(name)} is missing", lines[0], hint)
        for name in ("kind", "at")
        if name not in names
    ]
    return names, problems


def _event(
    path: str,
    number: int,
    line: str,
    names: list[str],
    events: list[Event],
    problems: list[Diagnostic],
    actor: str,
    now: Instant,
) -> None:
    cells = list(_cells(line))
    if line.count('"') % 2:
        column = line.rindex('"') + 1
        problems.append(_at(path, number, column, "this quotation mark is not closed in its line", line))
        return
    if len(cells) != len(names):
        said = f"{len(cells)} cells, and the first line names {len(names)} columns"
        problems.append(_at(path, number, cells[min(len(cells), len(names)) - 1][1], said, line, _unquoted(line)))
        return
    columns = {name: column for name, (_, column) in zip(names, cells, strict=True)}
    given = {name: text.strip() for name, (text, _) in zip(names, cells, strict=True) if text.strip()}
    fields = {name: text for name, text in given.items() if name not in _OWN}
    kind, at = given.get("kind", ""), given.get("at", "")
    id_ = given.get("id") or content_id(kind, at, fields)
    try:
        events.append(read_event(kind, fields, id_=id_, at=at, actor=actor, now=now))
    except EventInvalid as error:
        for field, problem in error.problems:
            problems.append(_at(path, number, columns.get(field, 1), problem, line))


def _unquoted(line: str) -> str:
    return "an event stands in one line; a cell that holds a comma is put in quotation marks" if '"' not in line else ""


def _cells(line: str) -> Iterator[tuple[str, int]]:
    """Each cell with the column, from 1, at which it begins."""
    start, quoted_now = 0, False
    for place, character in enumerate(line + ","):
        if character == '"':
            quoted_now = not quoted_now
        if character == "," and (not quoted_now or place == len(line)):
            cell = line[start:place]
            yield next(csv.reader([cell]), [""])[0] if cell else "", start + 1
            start = place + 1


def _at(path: str, line: int, column: int, message: str, source: str = "", hint: str = "") -> Diagnostic:
    return Diagnostic(path=path, line=line, column=column, message=message, hint=hint, source_line=source)
