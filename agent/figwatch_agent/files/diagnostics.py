"""A problem in a file as a person sees it: where, what, the line with a caret, and the way out."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

CLIP = 120
"""Characters of a source line that are shown, around the caret."""


class Diagnostic(NamedTuple):
    """One problem, or one notice. Lines and columns count from 1 and lie inside the file.

    The values of this room are named tuples: a data class costs a millisecond to make, and `figwatch check` makes all.
    """

    path: str
    line: int
    column: int
    message: str
    hint: str = ""  # what to do about it
    source_line: str = ""  # secrets are masked
    width: int = 1  # characters the carets underline
    notice: bool = False  # worth knowing, and no reason to refuse the file


def nearest(word: str, names: Iterable[str]) -> str | None:
    """The one of ``names`` that ``word`` was probably meant to be."""
    import difflib  # costs as much as reading a file, and is needed only when something is wrong

    found = difflib.get_close_matches(word[:80], sorted(names), n=1, cutoff=0.75)
    return found[0] if found else None


def did_you_mean(word: str, names: Iterable[str], what: str) -> str:
    """A hint: the nearest of ``names``, or all of them. ``what`` says what they are, in the plural."""
    known = sorted(names)
    guess = nearest(word, known)
    if guess is not None:
        return f'did you mean "{guess}"?'
    return f"{what}: {', '.join(known)}" if known else ""


def quoted(text: str) -> str:
    """Text from a file, short and harmless enough to stand in a message."""
    return '"' + printable(text if len(text) <= 60 else text[:57] + "...") + '"'


def printable(text: str) -> str:
    """No control characters: a file must not drive the terminal of whoever checks it."""
    return "".join(char if char.isprintable() or char == "\t" else "\N{REPLACEMENT CHARACTER}" for char in text)


def ordered(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """By file, line and column, the same one only once."""
    unique = dict.fromkeys(diagnostics)
    return tuple(sorted(unique, key=lambda found: (found.path, found.line, found.column, found.message)))


def render(diagnostics: Sequence[Diagnostic]) -> str:
    """All of them, sorted, and a line that counts them. The empty string where there are none."""
    if not diagnostics:
        return ""
    blocks = [_block(found) for found in ordered(diagnostics)]
    return "\n".join((*blocks, count_line(diagnostics))) + "\n"


def count_line(diagnostics: Iterable[Diagnostic]) -> str:
    """Such as ``3 problems in 2 files`` or ``1 notice``."""
    found = ordered(diagnostics)
    problems = [one for one in found if not one.notice]
    notices = len(found) - len(problems)
    parts: list[str] = []
    if problems:
        parts.append(f"{_many(len(problems), 'problem')} in {_many(len({one.path for one in problems}), 'file')}")
    if notices:
        parts.append(_many(notices, "notice"))
    return ", ".join(parts)


def _many(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _block(found: Diagnostic) -> str:
    clipped = _clipped(found)
    number = str(found.line)
    margin = " " * (len(number) + 2)
    before = clipped.source_line[: clipped.column - 1].ljust(clipped.column - 1)
    indent = "".join("\t" if char == "\t" else " " for char in before)
    room = max(1, len(clipped.source_line) - len(before))
    kind = "notice: " if found.notice else ""
    lines = [
        f"{found.path}:{found.line}:{found.column}: {kind}{found.message}",
        f" {number} | {clipped.source_line}",
        f"{margin}| {indent}{'^' * min(found.width, room)}",
    ]
    if found.hint:
        lines.append(f"{margin}= {found.hint}")
    return "\n".join(lines) + "\n"


def _clipped(found: Diagnostic) -> Diagnostic:
    line = printable(found.source_line)
    if len(line) <= CLIP:
        return found._replace(source_line=line)
    start = max(0, min(found.column - 1 - CLIP // 2, len(line) - CLIP))
    head = "..." if start else ""
    tail = "..." if start + CLIP < len(line) else ""
    return found._replace(source_line=head + line[start : start + CLIP] + tail, column=found.column - start + len(head))
