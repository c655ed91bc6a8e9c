"""``figwatch silence``: keep a route or an incident quiet for a while."""

import click

from figwatch_agent.commands._completion import subjects
from figwatch_agent.commands._options import config_option, dry_run_option, examples, output_option
from figwatch_agent.commands._wishes import Wish, send
from figwatch_agent.durations import DAY, Duration, parse_duration
from figwatch_agent.model.command import CommandKind

LONGEST: Duration = 30 * DAY


@click.command(
    name="silence", epilog=examples('figwatch silence /api/v1/chat --for 30m --why "one client, blocked at the edge"')
)
@click.argument("subject", metavar="ROUTE|SLO|INCIDENT", shell_complete=subjects)
@click.option("--for", "lasting", required=True, metavar="DURATION", help="How long, such as 30m or 2h; at most 30d.")
@click.option("--why", required=True, help="Why; remembered with your name.")
@config_option
@dry_run_option
@output_option
def command(subject: str, lasting: str, why: str, config: str, dry_run: bool, output: str) -> None:
    """Send no pages about ROUTE, INCIDENT or SLO (one without a route, such as uptime) for a while.

    It is watched and recorded on, nothing is resolved by it, and a rollback is never hidden.
    """
    wish = Wish(kind=CommandKind.SILENCE, subject=subject, why=why, lasting=_duration(lasting))
    send(wish, config=config, dry_run=dry_run, output=output)


def _duration(text: str) -> Duration:
    try:
        duration = parse_duration(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--for") from None
    if not 0 < duration <= LONGEST:
        raise click.BadParameter(f"{text} is not between 1ms and 30d", param_hint="--for")
    return duration
