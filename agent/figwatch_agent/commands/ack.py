"""``figwatch ack``: say that somebody is on it."""

import click

from figwatch_agent.commands._options import config_option, dry_run_option, output_option
from figwatch_agent.commands._wishes import Wish, send
from figwatch_agent.model.command import CommandKind


@click.command(name="ack")
@click.argument("incident")
@click.option("--why", default="", help="A note that is remembered.")
@config_option
@dry_run_option
@output_option
def command(incident: str, why: str, config: str, dry_run: bool, output: str) -> None:
    """Acknowledge INCIDENT (its id, or its route): you are on it. It stays open until the data say otherwise."""
    wish = Wish(kind=CommandKind.ACKNOWLEDGE, subject=incident, why=why)
    send(wish, config=config, dry_run=dry_run, output=output)
