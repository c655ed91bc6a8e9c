"""Draws tables on the terminal. Colour only repeats what the words say, and obeys NO_COLOR."""

import shutil
import sys
from collections.abc import Iterable, Iterator
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
_GAP: Final = 2
"""Columns on each side of a cell."""
_LAST: Final = 30
"""Columns that the last cell of a row needs at least; it wraps, since what people read stands there."""


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
        if not table.rows:
            console.print(Text(f"{table.title}: {table.empty}"))
        elif _narrowest(table) <= console.width:
            console.print(_drawn(table))
        else:
            console.print(*_stacked(table), sep="\n")


def _narrowest(table: Table) -> int:
    """Columns below which names would be cut in pieces."""
    widths = [max(len(cell) for cell in column) for column in zip(table.columns, *table.rows, strict=True)]
    return sum(widths[:-1]) + min(widths[-1], _LAST) + 2 * _GAP * (len(widths) - 1)


def _stacked(table: Table) -> Iterator[Text]:
    """A row as lines, where the terminal is too narrow for a table."""
    yield Text(table.title, style="bold")
    wide = max(len(column) for column in table.columns[1:])
    for row in table.rows:
        yield Text(row[0], style=_colour(row[0]))
        for column, cell in zip(table.columns[1:], row[1:], strict=True):
            yield Text.assemble((f"  {column:<{wide}}  ", "dim"), (cell, _colour(cell)))


def _drawn(table: Table) -> Drawn:
    drawn = Drawn(
        title=Text(table.title, style="bold"), title_justify="left", box=None, pad_edge=False, padding=(0, _GAP)
    )
    for index, column in enumerate(table.columns):
        drawn.add_column(Text(column, style="dim"), overflow="fold", no_wrap=False, min_width=4 if index else 8)
    for row in table.rows:
        drawn.add_row(*(Text(cell, style=_colour(cell)) for cell in row))
    return drawn


def _colour(cell: str) -> str:
    return next(
        (style for word, style in _COLOURS.items() if cell == word or cell.startswith((f"{word},", f"{word}:"))), ""
    )
