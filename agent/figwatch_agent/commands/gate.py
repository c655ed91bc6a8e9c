"""``figwatch gate``: may a route move on? The exit code answers, for a pipeline."""

import time
from pathlib import Path
from typing import Any, Final

import click

from figwatch_agent.commands._agent import client_of
from figwatch_agent.commands._completion import routes
from figwatch_agent.commands._options import config_option, examples, loaded_from, output_option, say_json
from figwatch_agent.commands.status import client_for
from figwatch_agent.durations import Duration, parse_duration
from figwatch_agent.errors import AgentUnreachable
from figwatch_agent.files.load import Loaded
from figwatch_agent.model.gate import ORDER
from figwatch_agent.model.names import Stage

CODES: Final = {"yes": 0, "no": 4, "unknown": 5}

_SAID: Final = {
    "yes": "may move on",
    "no": "may NOT move on",
    "unknown": "may not move on: there is not enough data to say so",
}


@click.command(
    name="gate",
    epilog=examples(
        "figwatch gate --route /api/v1/chat", "figwatch gate --route /api/v1/chat --to migrated --over 1d --output json"
    ),
)
@click.option("--route", required=True, shell_complete=routes, help="The route's template.")
@click.option("--to", type=click.Choice([stage.value for stage in ORDER]), help="The stage; the next one if left out.")
@click.option("--over", metavar="DURATION", help="Judge budgets over this time; each file's own window if left out.")
@click.option("--url", help="Address of the agent; else that of the settings, else the state itself.")
@config_option
@output_option
def command(route: str, to: str | None, over: str | None, url: str | None, config: str, output: str) -> int:
    """Ask whether a route may move on: 0 yes, 4 no, 5 not enough data.

    Every condition is shown with its evidence: error budgets with unmeasured time counted as bad, criteria, comparison
    with legacy, open incidents, the latch, the data plan. What is unknown never passes.
    """
    document = _document(route, to, _duration(over), url, config)
    if output == "json":
        say_json(document)
    else:
        from figwatch_agent.commands._screen import draw
        from figwatch_agent.report.gate import gate_table
        from figwatch_agent.report.words import visible

        head = f"{visible(document['route'])}, {document['stage']} to {document['to']}: {_SAID[document['passes']]}"
        draw(head, (gate_table(document),))
    return CODES[document["passes"]]


def _document(route: str, to: str | None, over: Duration | None, url: str | None, config: str) -> dict[str, Any]:
    asked: dict[str, str | int] = {"route": route}
    if to is not None:
        asked["to"] = to
    if over is not None:
        asked["over"] = f"{over}ms"
    if url is not None:
        return client_for(url, config).get("/api/v1/gate", **asked)
    loaded = loaded_from(config, ", the agent with --url")
    try:
        return client_of(loaded.settings.web).get("/api/v1/gate", **asked)
    except AgentUnreachable:
        if not Path(loaded.settings.state).is_file():
            raise
    return _from_state(loaded, route, to, over)


def _from_state(loaded: Loaded, route: str, to: str | None, over: Duration | None) -> dict[str, Any]:
    """As the agent left it: its tick is old, and so nothing passes."""
    from figwatch_agent.commands._state import kept_engine
    from figwatch_agent.report.gate import gate_document

    engine, _ = kept_engine(loaded)
    answer = engine.gate(route, None if to is None else Stage(to), time.time_ns() // 1_000_000, over)
    if answer is None:
        raise click.ClickException(f"no file declares the route {route!r}")
    return gate_document(answer)


def _duration(text: str | None) -> Duration | None:
    if text is None:
        return None
    try:
        found = parse_duration(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--over") from None
    if found <= 0:
        raise click.BadParameter(f"{text} is no time to judge over", param_hint="--over")
    return found
