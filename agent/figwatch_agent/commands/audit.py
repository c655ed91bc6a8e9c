"""``figwatch audit``: who asked for what, and whether that account was tampered with."""

import click

from figwatch_agent.commands._options import config_option, examples, loaded_from, output_option, say_json
from figwatch_agent.durations import format_instant
from figwatch_agent.errors import FigwatchError, StoreError
from figwatch_agent.model.audit import AuditLine, AuditNote
from figwatch_agent.report.records import audit_line_document
from figwatch_agent.report.summary import Table
from figwatch_agent.report.words import NOTHING, visible
from figwatch_agent.store.writer import open_inbox


class AuditBroken(FigwatchError):
    """The audit is not as it was written; keep the state as it is, and find out who could write to it."""


@click.group(name="audit")
def command() -> None:
    """Show who asked for what, and verify that nobody changed that account."""


@command.command(epilog=examples("figwatch audit show", "figwatch audit show --limit 1000 --output json"))
@click.option("--limit", type=click.IntRange(1, 1_000_000), default=50, show_default=True, help="Newest lines shown.")
@config_option
@output_option
def show(limit: int, config: str, output: str) -> None:
    """Show the newest lines: when, who, from where, what and why.

    Every command is a line, whichever way it came, and so are sign-ins, refused tokens and reloads. It is read from the
    state itself, beside a running agent or without one.
    """
    with open_inbox(loaded_from(config).settings.state) as inbox:
        lines = inbox.audit_lines(limit)
    try:
        documents = [audit_line_document(line) for line in lines]
    except StoreError as error:
        raise AuditBroken(str(error)) from None
    if output == "json":
        say_json({"lines": documents})
        return
    from figwatch_agent.commands._screen import draw

    draw("", (_table(lines),))


@command.command(epilog=examples("figwatch audit verify", "figwatch audit verify --expect 9f2c04"))
@click.option("--expect", metavar="HASH", help="A hash that was printed before and kept elsewhere; it must be there.")
@config_option
@output_option
def verify(expect: str | None, config: str, output: str) -> None:
    """Verify the chain: each line holds the hash of the one before, so none can be changed, moved, added or taken away.

    Whoever may write to the whole state could still write a whole new chain, or cut off its end. Keep the hash that is
    printed here somewhere else, and give it to --expect the next time: a line with that hash must then be there. Ends
    with 1 where the chain does not hold, and names the first line that is wrong.
    """
    path = loaded_from(config).settings.state
    with open_inbox(path) as inbox:
        head, fault = inbox.audit_verdict()
        there = expect is None or expect == head.hash or inbox.audit_holds(expect)
    if fault is not None:
        raise AuditBroken(f"the audit in {path} is broken at line {fault.sequence}: {fault.problem}")
    if not there:
        raise AuditBroken(f"the audit in {path} holds no line with the hash {expect}: it was cut off, or rewritten")
    if output == "json":
        say_json({"holds": True, "lines": head.sequence, "hash": head.hash})
        return
    count = f"{head.sequence} line{'' if head.sequence == 1 else 's'}"
    click.echo(f"The audit holds: {count}, the newest with the hash\n{head.hash}")
    if expect is None:
        click.echo("Keep it elsewhere; with --expect it shows later that nothing before it was cut off or rewritten.")


def _table(lines: tuple[AuditLine, ...]) -> Table:
    rows = [
        (str(line.sequence), format_instant(line.note.at), _who(line.note), line.note.origin, *_what(line.note))
        for line in lines
    ]
    return Table(
        title="Audit, newest first",
        columns=("line", "at", "who", "from", "what", "about", "why"),
        rows=tuple(rows),
        empty="nothing was asked for yet.",
    )


def _who(note: AuditNote) -> str:
    told = f" ({visible(note.user)})" if note.user else ""
    return f"{visible(note.actor) or NOTHING}{told}"


def _what(note: AuditNote) -> tuple[str, str, str]:
    until = f" until {format_instant(note.until)}" if note.until is not None else ""
    return f"{note.kind}{until}", visible(note.subject) or NOTHING, visible(note.why) or NOTHING
