"""``figwatch ack``: say that somebody is on it."""

import click

from figwatch_agent.commands._completion import incidents
from figwatch_agent.commands._options import config_option, dry_run_option, examples, output_option
from figwatch_agent.commands._wishes import Wish, send
from figwatch_agent.model.command import CommandKind


@click.command(
    name="ack",
    epilog=examples("figwatch ack inc-1a2b3c4d", 'figwatch ack /api/v1/chat --why "on it, taking the release back"'),
)
@click.argument("incident", shell_complete=incidents)
@click.option("--why", default="", help="A note that is remembered.")
@config_option
@dry_run_option
@output_option
def command(incident: str, why: str, config: str, dry_run: bool, output: str) -> None:
    """Acknowledge INCIDENT (its id, or its route): you are on it. It stays open until the data say otherwise."""
    wish = Wish(kind=CommandKind.ACKNOWLEDGE, subject=incident, why=why)
    send(wish, config=config, dry_run=dry_run, output=output)
