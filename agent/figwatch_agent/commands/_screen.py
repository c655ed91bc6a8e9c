"""Draws tables on the terminal. Colour only repeats what the words say, and obeys NO_COLOR."""

import os
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final, Protocol

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table as Drawn
from rich.text import Text

from figwatch_agent.report.spark import BLOCKS, PLAIN
from figwatch_agent.report.summary import Table

_COLOURS: Final = {
    "OPEN": "bold red",
    "met": "green",
    "missed": "bold red",
    "inconclusive": "yellow",
    "unknown": "yellow",
    "nobody": "yellow",
    "ok": "green",
    "page": "red",
}
_PIPED: Final = 160
"""Columns where the output is no terminal."""
_GAP: Final = 1
"""Columns on each side of a cell."""
_LAST: Final = 30
"""Columns that the last cell of a row needs at least; it wraps, since what people read stands there."""


class Look(Protocol):
    """Shows one state of things in the place of the one before."""

    def __call__(self, head: str, tables: Sequence[Table], notes: Sequence[str]) -> None:
        """A head line, tables, and lines below them."""


def draw(head: str, tables: Iterable[Table], notes: Iterable[str] = ()) -> None:
    """The head line, then every table or why it is empty, then notes. No text is read as markup."""
    console = _console()
    for part in _parts(head, tables, notes, console.width):
        console.print(part)


@contextmanager
def screen() -> Iterator[Look]:
    """A terminal's whole screen, given back at the end. Without a terminal, one look after the other."""
    console = _console()
    if not sys.stdout.isatty():
        yield draw
        return
    with Live(console=console, screen=True, auto_refresh=False, vertical_overflow="ellipsis") as live:

        def look(head: str, tables: Sequence[Table], notes: Sequence[str]) -> None:
            width = shutil.get_terminal_size().columns
            live.update(Group(*_parts(head, tables, notes, width), Text("Ctrl-C ends", style="dim")), refresh=True)

        yield look


def heights() -> str:
    """The characters of sparklines that this output can show."""
    try:
        BLOCKS.encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return PLAIN
    return PLAIN if os.environ.get("TERM") == "linux" else BLOCKS  # its font has no eighths


def _console() -> Console:
    terminal = sys.stdout.isatty()
    return Console(
        width=shutil.get_terminal_size().columns if terminal else _PIPED,
        force_terminal=None,
        highlight=False,
        emoji=False,
        markup=False,
    )


def _parts(head: str, tables: Iterable[Table], notes: Iterable[str], width: int) -> Iterator[RenderableType]:
    if head:
        yield Text(head)
    for table in tables:
        yield Text("")
        if not table.rows:
            yield Text(f"{table.title}: {table.empty}")
        elif _narrowest(table) <= width:
            yield _drawn(table)
        else:
            yield from _stacked(table)
    for note in notes:
        yield Text(note)


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
