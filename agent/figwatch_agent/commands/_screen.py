"""Draws tables on the terminal. Colour only repeats what the words say, and obeys NO_COLOR."""

import shutil
import sys
from collections.abc import Iterable
from typing import Final

from rich.console import Console
from rich.table import Table as Drawn
from rich.text import Text

from figwatch_agent.report.summary import Table

_COLOURS: Final = {
    "OPEN": "bold red",
    "met": "green",
    "missed": "bold red",
    "inconclusive": "yellow",
    "unknown": "yellow",
    "ok": "green",
    "page": "red",
}
_PIPED: Final = 160
"""Columns where the output is no terminal."""


def draw(head: str, tables: Iterable[Table]) -> None:
    """The head line, then every table or why it is empty. No text of a table is read as markup."""
    terminal = sys.stdout.isatty()
    console = Console(
        width=shutil.get_terminal_size().columns if terminal else _PIPED,
        force_terminal=None,
        highlight=False,
        emoji=False,
        markup=False,
    )
    if head:
        console.print(Text(head))
    for table in tables:
        console.print()
        console.print(_drawn(table) if table.rows else Text(f"{table.title}: {table.empty}"))


def _drawn(table: Table) -> Drawn:
    drawn = Drawn(title=Text(table.title, style="bold"), title_justify="left", box=None, pad_edge=False, padding=(0, 2))
    for index, column in enumerate(table.columns):
        drawn.add_column(Text(column, style="dim"), overflow="fold", no_wrap=False, min_width=4 if index else 8)
    for row in table.rows:
        drawn.add_row(*(Text(cell, style=_colour(cell)) for cell in row))
    return drawn


def _colour(cell: str) -> str:
    return next(
        (style for word, style in _COLOURS.items() if cell == word or cell.startswith((f"{word},", f"{word}:"))), ""
    )
