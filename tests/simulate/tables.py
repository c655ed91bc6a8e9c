"""Tables in Markdown, and their places in the pages of the documentation."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

DOCS: Final = Path(__file__).resolve().parents[2] / "docs"


class NoPlace(Exception):
    """A page has no place for a table: two comments, ``<!-- simulated: NAME -->`` and ``<!-- end of NAME -->``."""


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; the first column is left, the others right."""
    lines = ["| " + " | ".join(row) + " |" for row in (heads, *rows)]
    lines.insert(1, "|" + "|".join(["---", *["---:"] * (len(heads) - 1)]) + "|")
    return "\n".join(lines)


def put(page: Path, name: str, text: str) -> bool:
    """Write a table into its place; whether that changed the page. NoPlace where there is none."""
    before = page.read_text("utf-8")
    after = _place(name).sub(lambda found: f"{found[1]}\n{text}\n{found[3]}", before)
    if not _place(name).search(before):
        raise NoPlace(f"{page} has no place for {name}")
    if after != before:
        page.write_text(after, "utf-8", newline="\n")
    return after != before


def published(page: Path, name: str) -> list[dict[str, str]]:
    """The rows of the table that stands in a page, by its heads; none where it was not played yet."""
    found = _place(name).search(page.read_text("utf-8"))
    if found is None:
        raise NoPlace(f"{page} has no place for {name}")
    lines = [line for line in found[2].strip().splitlines() if line.startswith("|")]
    if not lines:
        return []
    heads, _, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [dict(zip(heads, row, strict=True)) for row in rows]


def _place(name: str) -> re.Pattern[str]:
    word = re.escape(name)
    return re.compile(rf"(<!-- simulated: {word} -->)\n(.*?)\n?(<!-- end of {word} -->)", re.DOTALL)
