"""``figwatch status``: what a running agent sees now, once or again and again."""

import time
from typing import Any, Final

import click

from figwatch_agent.commands._agent import AgentClient, client_of
from figwatch_agent.commands._options import config_option, examples, loaded_from, output_option, say_json
from figwatch_agent.errors import FigwatchError

LEAST_PAUSE: Final = 1
"""Seconds between two looks; the agent ticks no faster."""


@click.command(
    name="status",
    epilog=examples(
        "figwatch status",
        "figwatch status --watch",
        "figwatch status --routes /api/v1/chat",
        "figwatch status --url http://127.0.0.1:9464 --output json",
    ),
)
@click.option("--url", help="Address of the agent, such as http://127.0.0.1:9464; else web.listen of the settings.")
@click.option("--watch", is_flag=True, help="Look again every few seconds until Ctrl-C.")
@click.option(
    "--every", default=2.0, show_default=True, type=click.FloatRange(LEAST_PAUSE), help="Seconds between looks."
)
@click.option("--routes", "query", default="", metavar="TEXT", help="Show routes and services whose name holds TEXT.")
@click.option("--page", default=1, show_default=True, type=click.IntRange(1), help="Page of the routes, worst first.")
@config_option
@output_option
def command(url: str | None, watch: bool, every: float, query: str, page: int, config: str, output: str) -> None:
    """Show incidents, routes, SLOs and success criteria as the agent sees them now.

    A sparkline is legacy's share over time: full height is all of it, a dot is time that was not measured.
    """
    client = client_for(url, config)
    if output == "json":
        if watch:
            raise click.UsageError("--watch is for people: call it again for a newer document")
        say_json(client.get("/api/v1/status"))
        return
    asked: dict[str, str | int] = {"page": page, **({"q": query} if query else {})}
    if watch:
        _watch(client, asked, every)
    else:
        _show(client, asked)


def client_for(url: str | None, config: str) -> AgentClient:
    """The agent that was named, else that of the settings."""
    if url is None:
        return client_of(loaded_from(config, ", the agent with --url").settings.web)
    try:
        return AgentClient(url)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--url") from None


def _show(client: AgentClient, asked: dict[str, str | int]) -> None:
    from figwatch_agent.commands._screen import draw

    draw(*_seen(client, asked))


def _watch(client: AgentClient, asked: dict[str, str | int], every: float) -> None:
    """One screen that changes; where the output is no terminal, one look below the other."""
    from figwatch_agent.commands._screen import screen

    with screen() as look:
        while True:
            try:
                look(*_seen(client, asked))
            except FigwatchError as error:
                look(f"{error}\n\nLooking again every {every:g} s.", (), ())
            time.sleep(every)


def _seen(client: AgentClient, asked: dict[str, str | int]) -> tuple[str, Any, Any]:
    """Head line, tables, and what is odd about the data."""
    from figwatch_agent.commands._screen import heights
    from figwatch_agent.report.summary import headline, tables
    from figwatch_agent.report.words import visible

    document, overview = client.get("/api/v1/status"), client.get("/api/v1/overview", **asked)
    findings = tuple(f"Finding: {visible(finding)}" for finding in document["agent"]["findings"])
    return headline(document, overview["forecast"]), tables(document, overview, heights()), findings
