"""``figwatch events``: tell of deployments, samples of data and figures that nobody can scrape; list what was told."""

import uuid
from pathlib import Path
from typing import Any, Final

import click

from figwatch_agent.commands._agent import client_of
from figwatch_agent.commands._options import (
    config_option,
    dry_run_option,
    examples,
    loaded_from,
    output_option,
    say_json,
)
from figwatch_agent.commands._telling import now, tell, way_for, who
from figwatch_agent.errors import FilesInvalid
from figwatch_agent.model.event import Event, EventInvalid, EventKind, read_event
from figwatch_agent.model.settings import Settings

KINDS: Final = tuple(kind.value for kind in EventKind)


@click.group(name="events")
def command() -> None:
    """Tell of deployments, samples of data and figures that nobody can scrape; list what was told."""


@command.command(
    epilog=examples(
        "figwatch events add deployment service=chat version=1.4.2",
        "figwatch events add consistency checked=120000 mismatched=0",
        "figwatch events add satisfaction value=4.3 unit=points --at 2026-11-01T12:00:00Z --id survey-11",
    )
)
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("fields", nargs=-1, metavar="[FIELD=TEXT]...")
@click.option("--at", help="When it happened, with its offset from UTC; now if left out.")
@click.option("--id", "id_", help="What makes it one: the same kind and id again changes nothing.")
@config_option
@dry_run_option
@output_option
def add(
    kind: str, fields: tuple[str, ...], at: str | None, id_: str | None, config: str, dry_run: bool, output: str
) -> None:
    """Tell of one event of KIND. What it has to say is written FIELD=TEXT."""
    settings, moment = loaded_from(config).settings, now()
    try:
        event = read_event(kind, _fields(fields), id_=id_ or uuid.uuid4().hex, at=at or moment, actor=who(), now=moment)
    except EventInvalid as error:
        raise click.UsageError("; ".join(_problem(*each) for each in error.problems)) from None
    _send([event], settings, dry_run, output)


@command.command(name="import", epilog=examples("figwatch events import deployments.csv"))
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@config_option
@dry_run_option
@output_option
def import_(file: Path, config: str, dry_run: bool, output: str) -> None:
    """Tell of every event in FILE, a CSV in UTF-8 whose first line names its columns: kind, at, id and fields.

    Everything that is wrong with the file is shown at once, and then nothing of it is taken. Events that are known
    already are counted and change nothing.
    """
    from figwatch_agent.files.diagnostics import render
    from figwatch_agent.files.events_file import read_events

    settings = loaded_from(config).settings
    events, problems = read_events(str(file), file.read_bytes(), actor=who(), now=now())
    if problems:
        raise FilesInvalid(render(problems), len(problems))
    _send(events, settings, dry_run, output)


@command.command(name="list", epilog=examples("figwatch events list", "figwatch events list --kind deployment"))
@click.option("--kind", type=click.Choice(KINDS), help="Events of this kind.")
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True, help="Newest events shown.")
@config_option
@output_option
def list_(kind: str | None, limit: int, config: str, output: str) -> None:
    """List what was told, newest first: from the state itself where it is at hand, else from the agent."""
    found = _known(loaded_from(config).settings, kind, limit)
    if output == "json":
        say_json({"events": found})
        return
    from figwatch_agent.commands._screen import draw
    from figwatch_agent.report.told import events_table

    draw("", (events_table(found),))


def _known(settings: Settings, kind: str | None, limit: int) -> list[dict[str, Any]]:
    from figwatch_agent.report.told import event_document
    from figwatch_agent.store.writer import open_inbox

    if Path(settings.state).is_file():
        with open_inbox(settings.state) as inbox:
            events = inbox.events(None if kind is None else EventKind(kind), limit)
        return [event_document(event) for event in events]
    asked: dict[str, str | int] = {"limit": limit, **({} if kind is None else {"kind": kind})}
    found: list[dict[str, Any]] = client_of(settings.web).get("/api/v1/events", **asked)["events"]
    return found


def _fields(given: tuple[str, ...]) -> dict[str, str]:
    fields: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name or name in fields:
            what = "is given twice" if name in fields else "is not written FIELD=TEXT, such as service=chat"
            raise click.UsageError(f"{text!r} {what}")
        fields[name] = value
    return fields


def _problem(field: str, problem: str) -> str:
    return f"{field}: {problem}" if field else problem


def _send(events: list[Event], settings: Settings, dry_run: bool, output: str) -> None:
    count = f"{len(events)} event{'' if len(events) == 1 else 's'}"
    if dry_run:
        way = way_for(settings)
        if output == "json":
            say_json({"would_tell": len(events), "ids": [event.id for event in events], "to": way})
        else:
            click.echo(f"Would tell of {count} to {way}.")
        return
    told = tell(events, settings)
    if output == "json":
        say_json({"taken": told.taken, "known": told.known, "way": told.way, "ids": [event.id for event in events]})
        return
    known = f", {told.known} known already" if told.known else ""
    click.echo(f"{count}: {told.taken} taken{known}. The agent counts them from its next tick.")
