"""``figwatch report``: the criteria with verdicts and evidence, and all that they rest on."""

import json
from pathlib import Path
from typing import Any, Final

import click

from figwatch_agent.commands._agent import AgentRefused, client_of
from figwatch_agent.commands._options import config_option, examples, loaded_from, output_option
from figwatch_agent.commands._span import Span, history_options
from figwatch_agent.commands.status import client_for
from figwatch_agent.durations import Duration, Instant
from figwatch_agent.errors import AgentUnreachable

FORMATS: Final = ("markdown", "html", "json")

NOT_MET: Final = 4
NOT_ENOUGH: Final = 5


@click.command(
    name="report",
    epilog=examples(
        "figwatch report",
        "figwatch report --format html --out report.html",
        "figwatch report --format json --check",
        "figwatch report --url http://127.0.0.1:9464",
        "figwatch report slo/chat.yaml --prometheus http://127.0.0.1:9090 --from 2026-11-01T00:00:00Z",
    ),
)
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False))
@click.option("--format", "form", type=click.Choice(FORMATS), help="Form of the report; markdown if left out.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write it to this file.")
@click.option("--check", is_flag=True, help="End with 4 where a criterion is missed, 5 where one is inconclusive.")
@click.option("--url", help="Address of the agent; else that of the settings, else the state itself.")
@history_options
@config_option
@output_option
@click.pass_context
def command(
    context: click.Context,
    files: tuple[str, ...],
    form: str | None,
    out: Path | None,
    check: bool,
    url: str | None,
    history: tuple[Path, ...],
    prometheus: str | None,
    start: Instant | None,
    end: Instant | None,
    step: Duration | None,
    tick: Duration | str | None,
    config: str,
    output: str,
) -> int:
    """Write the whole: criteria with verdicts and evidence, budgets, incidents with every stage, who served what, when
    legacy will serve nothing, and deployments.

    It is read from the running agent, or from its state while none runs: the same state gives the same report. HTML
    holds its styles and charts and needs nothing else.

    With --prometheus or --history no agent is needed: the SLOs and criteria of FILES, or those of the settings, are
    held against what a server kept. What counters cannot tell is inconclusive then, with the reason.
    """
    if prometheus is not None or history:
        if url is not None:
            raise click.UsageError("name one of --url, and --prometheus or --history")
        span = Span(start=start, end=end, step=step, tick=tick)
        document = _past(context, files, config, history, prometheus, span)
    elif files or (start, end, step, tick) != (None, None, None, None):
        raise click.UsageError("FILES, --from, --to, --step and --tick go with --prometheus or --history")
    else:
        document = _document(url, config)
    text = rendered(document, form or ("json" if output == "json" else "markdown"))
    if out is None:
        click.echo(text, nl=False)
    else:
        out.write_text(text, "utf-8")
        click.echo(f"{out}: {_verdicts(document)}", err=True)
    return _code(document) if check else 0


def rendered(document: dict[str, Any], form: str) -> str:
    """The document in a form; each is loaded when it is asked for."""
    if form == "markdown":
        from figwatch_agent.report.report_markdown import report_markdown

        return report_markdown(document)
    if form == "html":
        from figwatch_agent.report.report_html import report_html

        return report_html(document)
    return json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def _past(
    context: click.Context,
    files: tuple[str, ...],
    config: str,
    history: tuple[Path, ...],
    prometheus: str | None,
    span: Span,
) -> dict[str, Any]:
    from figwatch_agent.commands._report_past import past_document
    from figwatch_agent.commands.replay import promises

    services, settings = promises(context, files, config)
    return past_document(services, settings, history, prometheus, span)


def _document(url: str | None, config: str) -> dict[str, Any]:
    if url is not None:
        return client_for(url, config).get("/api/v1/report")
    loaded = loaded_from(config, ", the agent with --url")
    try:
        return client_of(loaded.settings.web).get("/api/v1/report")
    except (AgentUnreachable, AgentRefused):
        if not Path(loaded.settings.state).is_file():
            raise
    from figwatch_agent.commands._state import kept_engine, told
    from figwatch_agent.model.history import SPANS
    from figwatch_agent.report.whole import Material, drawn_routes, report_document

    engine, saved = kept_engine(loaded)
    view, span = engine.view(saved.at or 0), SPANS["30d"][0]
    found = (engine.history(route, span) for route in drawn_routes(view))
    events, baselines = told(saved)
    material = Material(
        view=view,
        shares=engine.shares(span),
        histories=tuple(history for history in found if history is not None),
        events=events,
        baselines=baselines,
    )
    return report_document(material)


def _verdicts(document: dict[str, Any]) -> str:
    from figwatch_agent.report.lines_of_text import verdict_line

    return verdict_line(document)


def _code(document: dict[str, Any]) -> int:
    verdicts = document["verdicts"]
    return NOT_MET if verdicts["missed"] else NOT_ENOUGH if verdicts["inconclusive"] else 0
