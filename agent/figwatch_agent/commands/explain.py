"""``figwatch explain``: why it pages, why it does not, why a rollback is withheld."""

import click

from figwatch_agent.commands._completion import subjects
from figwatch_agent.commands._options import config_option, examples, output_option, say_json
from figwatch_agent.commands.status import client_for
from figwatch_agent.durations import format_instant, parse_instant


@click.command(
    name="explain",
    epilog=examples(
        "figwatch explain /api/v1/chat",
        "figwatch explain chat-availability --all",
        "figwatch explain inc-1a2b3c4d --at 2026-11-22T14:05:00Z",
        "figwatch explain /api/v1/chat --output json",
    ),
)
@click.argument("subject", metavar="ALERT|ROUTE", shell_complete=subjects)
@click.option("--at", metavar="INSTANT", help="An instant of the past, such as 2026-11-22T14:05:00Z.")
@click.option("--all", "everything", is_flag=True, help="Show the conditions that hold, too.")
@click.option("--url", help="Address of the agent, such as http://127.0.0.1:9464; else web.listen of the settings.")
@config_option
@output_option
def command(subject: str, at: str | None, everything: bool, url: str | None, config: str, output: str) -> None:
    """Say why ALERT or ROUTE pages, or why it does not, with every condition and its evidence.

    It takes a route, the name of an SLO, or the id of an incident or of an alert. With --at it tells what was stored
    about an instant of the past, and what is not known of it.
    """
    asked = {"subject": subject, **({} if at is None else {"at": _instant(at)})}
    document = client_for(url, config).get("/api/v1/explain", **asked)
    if output == "json":
        say_json(document)
        return
    from figwatch_agent.report.explained_text import lines

    for line in lines(document, everything=everything):
        click.echo(line)


def _instant(text: str) -> str:
    try:
        return format_instant(parse_instant(text))
    except (ValueError, OverflowError):
        raise click.BadParameter(
            f"{text!r} is no instant: write it like 2026-11-22T14:05:00Z", param_hint="--at"
        ) from None
