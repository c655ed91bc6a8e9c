"""``figwatch status``: what a running agent sees now."""

import click

from figwatch_agent.commands._agent import AgentClient, url_of
from figwatch_agent.commands._options import config_option, examples, loaded_from, output_option, say_json


@click.command(
    name="status",
    epilog=examples("figwatch status", "figwatch status --url http://127.0.0.1:9464", "figwatch status --output json"),
)
@click.option("--url", help="Address of the agent, such as http://127.0.0.1:9464; else web.listen of the settings.")
@config_option
@output_option
def command(url: str | None, config: str, output: str) -> None:
    """Show incidents, routes, SLOs and success criteria as the agent sees them now."""
    document = client_for(url, config).get("/api/v1/status")
    if output == "json":
        say_json(document)
        return
    from figwatch_agent.commands._screen import draw
    from figwatch_agent.report.summary import headline, tables, visible

    draw(headline(document), tables(document))
    for finding in document["agent"]["findings"]:
        click.echo(f"Finding: {visible(finding)}")


def client_for(url: str | None, config: str) -> AgentClient:
    """The agent that was named, else that of the settings."""
    if url is None:
        return AgentClient(url_of(loaded_from(config, ", the agent with --url").settings.web))
    try:
        return AgentClient(url)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--url") from None
