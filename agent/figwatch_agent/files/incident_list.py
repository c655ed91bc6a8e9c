"""A CSV of incidents that people remember: start, end, route, and whether a rollback would have been right."""

import csv
from collections.abc import Iterator
from typing import Final

from figwatch_agent.durations import Instant, parse_instant
from figwatch_agent.errors import FilesInvalid
from figwatch_agent.files.diagnostics import Diagnostic, quoted, render
from figwatch_agent.model.labelled import Labelled

COLUMNS: Final = ("start", "end", "route", "rollback_right")
_NEEDED: Final = ("start", "end")
_WORDS: Final = {"yes": True, "no": False, "": None}
_MOST: Final = 100_000


def read_incidents(path: str) -> tuple[Labelled, ...]:
    """Every incident of the file, in its order. Raises FilesInvalid with all that is wrong, and OSError."""
    problems: list[Diagnostic] = []
    found: list[Labelled] = []
    with open(path, "rb") as file:
        data = file.read()
    try:
        found += _read(path, data.decode("utf-8-sig").splitlines(), problems)
    except UnicodeDecodeError as error:
        problems.append(_problem(path, data[: error.start].count(b"\n") + 1, "", "the file is not UTF-8"))
    if problems:
        raise FilesInvalid(render(problems), len(problems))
    return tuple(found)


def _read(path: str, lines: list[str], problems: list[Diagnostic]) -> Iterator[Labelled]:
    names = [name.strip() for name in _cells(lines[0])] if lines else []
    wrong = [name for name in names if name not in COLUMNS]
    missing = [name for name in _NEEDED if name not in names]
    if wrong or missing or len(set(names)) < len(names) or len(lines) > _MOST + 1:
        said = (
            f"it has {', '.join(wrong)}"
            if wrong
            else f"it lacks {', '.join(missing)}"
            if missing
            else "one is there twice"
        )
        said = f"the first line does not name the columns: {said}"
        if len(lines) > _MOST + 1:
            said = f"the list has more than {_MOST} incidents"
        hint = "begin with start,end,route,rollback_right; the last two may be left out"
        problems.append(_problem(path, 1, lines[0] if lines else "", said, hint))
        return
    for number, line in enumerate(lines[1:], start=2):
        cells = _cells(line)
        if line.strip() and len(cells) != len(names):
            said = f"{len(cells)} cells stand under {len(names)} columns"
            problems.append(_problem(path, number, line, said, "put a cell with a comma in double quotes"))
        elif line.strip():
            row = dict(zip(names, (cell.strip() for cell in cells), strict=True))
            yield from _incident(path, number, line, row, problems)


def _cells(line: str) -> list[str]:
    return next(csv.reader([line]), [])


def _incident(path: str, number: int, line: str, row: dict[str, str], problems: list[Diagnostic]) -> Iterator[Labelled]:
    before = len(problems)
    start, end = (_instant(path, number, line, name, row[name], problems) for name in _NEEDED)
    word = row.get("rollback_right", "").lower()
    if word not in _WORDS:
        problems.append(
            _problem(
                path, number, line, f"rollback_right is {quoted(word)}", "write yes, no, or nothing where nobody knows"
            )
        )
    if len(problems) == before and end < start:
        problems.append(_problem(path, number, line, "the incident ends before it starts"))
    if len(problems) == before:
        yield Labelled(start=start, end=end, route=row.get("route", ""), rollback_right=_WORDS[word])


def _instant(path: str, number: int, line: str, name: str, text: str, problems: list[Diagnostic]) -> Instant:
    try:
        return parse_instant(text)
    except ValueError:
        hint = "write 2026-11-22T16:00:00Z, with Z or an offset"
        problems.append(_problem(path, number, line, f"{name} is {quoted(text)}, which is no instant", hint))
        return 0


def _problem(path: str, number: int, line: str, message: str, hint: str = "") -> Diagnostic:
    width = max(len(line), 1)
    return Diagnostic(path=path, line=number, column=1, message=message, hint=hint, source_line=line, width=width)
