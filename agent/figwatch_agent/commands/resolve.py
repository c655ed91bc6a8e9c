"""``figwatch resolve``: close an incident by hand."""

import click

from figwatch_agent.commands._completion import incidents
from figwatch_agent.commands._options import config_option, dry_run_option, examples, output_option
from figwatch_agent.commands._wishes import Wish, send
from figwatch_agent.model.command import CommandKind


@click.command(
    name="resolve", epilog=examples('figwatch resolve inc-1a2b3c4d --why "the upstream was switched off for good"')
)
@click.argument("incident", shell_complete=incidents)
@click.option("--why", required=True, help="Why it is over; remembered with the incident.")
@config_option
@dry_run_option
@output_option
def command(incident: str, why: str, config: str, dry_run: bool, output: str) -> None:
    """Resolve INCIDENT (its id, or its route) by hand.

    It is rarely needed: an incident resolves by itself once fresh data show that the impact ended. Errors that were
    counted before this cannot page again; new ones can.
    """
    wish = Wish(kind=CommandKind.RESOLVE, subject=incident, why=why)
    send(wish, config=config, dry_run=dry_run, output=output)
