"""The story as a person watches it: one line per event with its second, a bar while it runs, tables at the end."""

from collections.abc import Mapping
from typing import Any, Final

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from figwatch_agent.demo.story import Moment

Json = Mapping[str, Any]

STYLES: Final = {
    "stage": "dim",
    "injected": "bold red",
    "detected": "bold yellow",
    "decided": "bold magenta",
    "paged": "bold yellow",
    "rolled_back": "bold cyan",
    "verified": "bold green",
    "resolved": "bold green",
}
WORDS: Final = {"stage": "", "rolled_back": "rolled back"}
PLAIN_WIDTH: Final = 140
"""Columns where nobody says how many there are: evidence is a sentence and wants one line."""
VERDICTS: Final = {"met": "[green]met[/]", "missed": "[red]missed[/]", "inconclusive": "[dim]inconclusive[/]"}
HOLDS: Final = {"yes": "[green]yes[/]", "no": "[red]no[/]", "unknown": "[yellow]unknown[/]"}


class Terminal:
    """Tells a story on a console; the bar is silent where the console is no terminal."""

    def __init__(self, console: Console) -> None:
        if not console.is_terminal:
            console.width = max(console.width, PLAIN_WIDTH)
        self._console = console
        self._progress = Progress(
            TextColumn("         {task.description:<32}", style="dim"),
            BarColumn(bar_width=30),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._progress.add_task("starting", total=1.0)

    def __enter__(self) -> "Terminal":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def tell(self, moment: Moment) -> None:
        """One event."""
        if moment.kind == "progress":
            self._progress.update(self._task, completed=moment.done, description=moment.text)
            return
        style, word = STYLES.get(moment.kind, ""), WORDS.get(moment.kind, moment.kind)
        at = "" if moment.kind == "stage" else f"{moment.seconds:+.1f} s"
        self._progress.console.print(
            f"[dim]{at:>8}[/]  [{style}]{word:<12}[/]{escape(moment.text)}", highlight=False, soft_wrap=True
        )

    def show(self, document: Json) -> None:
        """What remains when the story is over."""
        self._console.print()
        self._show_decision(document)
        self._show_requests(document)
        self._show_criteria(document)
        self._show_end(document)

    def _show_decision(self, document: Json) -> None:
        decision = document["decision"]
        if decision is None:
            return
        title = f"Decision: {decision['outcome'].replace('_', ' ')}, {decision['reason']}"
        table = _table("condition", "holds", "evidence", title=title)
        for condition in decision["conditions"]:
            table.add_row(condition["name"], HOLDS[condition["holds"]], escape(condition["evidence"]))
        self._console.print(table)

    def _show_requests(self, document: Json) -> None:
        title = f"What users of {document['route']} saw"
        table = _table("served by", title=title)
        for column in ("requests", "failed", "share failed"):
            table.add_column(column, justify="right")
        for side, counts in document["requests"].items():
            if counts["sent"]:
                share = f"{100 * counts['failed'] / counts['sent']:.2f}%"
                table.add_row(side, str(counts["sent"]), str(counts["failed"]), share)
        self._console.print(table)

    def _show_criteria(self, document: Json) -> None:
        table = _table("criterion", "target", "verdict", title="Success criteria")
        for column in ("figure", "bounds", "coverage"):
            table.add_column(column, justify="right")
        table.add_column("reason and evidence")
        for criterion in document["criteria"]:
            table.add_row(
                criterion["name"],
                criterion["target"],
                VERDICTS[criterion["verdict"]],
                _number(criterion["value"], criterion["unit"]),
                bounds(criterion),
                _number(criterion["coverage"], "ratio"),
                escape("; ".join(text for text in (criterion["reason"], criterion["evidence"]) if text)),
            )
        self._console.print(table)

    def _show_end(self, document: Json) -> None:
        if not document["differences"]:
            self._console.print(f"[bold green]The story was the right one for fault {document['fault']}.[/]")
            return
        self._console.print(f"[bold red]The story was not the right one for fault {document['fault']}:[/]")
        for difference in document["differences"]:
            self._console.print(f"  - {escape(difference)}", highlight=False, soft_wrap=True)


def _table(*columns: str, title: str) -> Table:
    return Table(*columns, title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD, header_style="dim")


def bounds(criterion: Json) -> str:
    """What the measurement leaves open: ``86.67% to 100.00%``; one figure where it leaves nothing open."""
    low, high, unit = (criterion[name] for name in ("low", "high", "unit"))
    if low is None and high is None:
        return "-"
    if low == high:
        return _number(low, unit)
    return f"{_number(low, unit)} to {'any' if high is None else _number(high, unit)}"


def _number(value: float | None, unit: str) -> str:
    if value is None:
        return "-"
    if unit == "ratio":
        return f"{float(value) * 100:.2f}%"
    if unit == "ms":
        return f"{float(value):.0f} ms" if float(value) < 1000 else f"{float(value) / 1000:.1f} s"
    return f"{value}"
