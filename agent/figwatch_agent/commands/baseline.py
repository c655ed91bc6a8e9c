"""``figwatch baseline``: record what criteria are compared with, once, and leave it alone."""

from collections.abc import Sequence
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
from figwatch_agent.commands._wishes import Wish, send
from figwatch_agent.durations import parse_instant
from figwatch_agent.files.load import Loaded
from figwatch_agent.model.command import CommandKind
from figwatch_agent.model.names import Measure
from figwatch_agent.model.settings import Settings
from figwatch_agent.model.target import Unit, parse_target

COMPARED: Final = frozenset(
    {
        Measure.DEPLOYMENT_FREQUENCY,
        Measure.SATISFACTION,
        Measure.DELIVERY_SPEED,
        Measure.INFRASTRUCTURE_COST,
        Measure.DEVELOPER_PRODUCTIVITY,
        Measure.TIME_TO_MARKET,
    }
)
"""Measures whose targets say how much better than before."""


@click.group(name="baseline")
def command() -> None:
    """Record what criteria are compared with, once, and leave it alone."""


@command.command(
    epilog=examples(
        "figwatch baseline record deployments --from 2026-06-01T00:00:00Z --to 2026-09-01T00:00:00Z",
        "figwatch baseline record deployments --value 12 --from 2026-06-01T00:00:00Z --to 2026-09-01T00:00:00Z",
        "figwatch baseline record satisfaction --value 4.1 --unit points",
        "figwatch baseline record --all",
    )
)
@click.argument("name", required=False)
@click.option("--all", "every", is_flag=True, help="Every criterion that compares with a baseline.")
@click.option("--from", "start", help="Beginning of the window that is counted; `over` before its end if left out.")
@click.option("--to", "end", help="End of that window; now if left out.")
@click.option("--value", help="The value itself, where it was counted elsewhere; of deployments, how many there were.")
@click.option("--unit", help="Of --value, such as points or EUR.")
@click.option("--replace", is_flag=True, help="In the place of the baseline that stands; both are audited.")
@click.option("--why", default="", help="A note that is remembered.")
@config_option
@dry_run_option
@output_option
def record(
    name: str | None,
    every: bool,
    start: str | None,
    end: str | None,
    value: str | None,
    unit: str | None,
    replace: bool,
    why: str,
    config: str,
    dry_run: bool,
    output: str,
) -> None:
    """Record the baseline of criterion NAME from events of a window, or as a value.

    It is frozen: events that come later change nothing. One that stands is replaced only with --replace. NAME may be a
    route as well: --value BAD/TOTAL are legacy's requests from before it was emptied, which the guard and the gate
    compare with.
    """
    if (name is None) == (not every):
        raise click.UsageError("name one criterion, or give --all")
    if every and value is not None:
        raise click.UsageError("--value is of one criterion: name it")
    for option, text in (("--from", start), ("--to", end)):
        _instant(option, text)
    if name is not None and name.startswith("/"):
        data = _of_route(value)
        send(
            Wish(kind=CommandKind.BASELINE, subject=name, why=why, data=data),
            config=config,
            dry_run=dry_run,
            output=output,
        )
        return
    loaded = loaded_from(config)
    names = compared(loaded) if every else [str(name)]
    if not names:
        raise click.ClickException("no criterion in slo/ compares with a baseline")
    given = {"from": start, "to": end, "value": value, "unit": unit, "replace": "yes" if replace else None}
    data = tuple(sorted((key, text) for key, text in given.items() if text is not None))
    for each in names:
        wish = Wish(kind=CommandKind.BASELINE, subject=each, why=why, data=data)
        send(wish, config=config, dry_run=dry_run, output=output)


@command.command(name="list", epilog=examples("figwatch baseline list"))
@config_option
@output_option
def list_(config: str, output: str) -> None:
    """List recorded baselines: who recorded them, when, from which window and how many events."""
    loaded = loaded_from(config)
    found = _known(loaded.settings)
    if output == "json":
        say_json({"baselines": found, "missing": _missing(loaded, found)})
        return
    from figwatch_agent.commands._screen import draw
    from figwatch_agent.report.told import baselines_table

    missing = _missing(loaded, found)
    notes = [f"Not recorded yet: {', '.join(missing)}"] if missing else []
    draw("", (baselines_table(found),), notes)


def _of_route(value: str | None) -> tuple[tuple[str, str], ...]:
    bad, slash, total = (value or "").partition("/")
    if not (slash and bad.isdigit() and total.isdigit()):
        raise click.UsageError("of a route, --value is BAD/TOTAL, such as 12/40000: failed requests of all")
    return (("bad", bad), ("total", total))


def compared(loaded: Loaded) -> list[str]:
    """Names of the criteria that compare with a baseline, in the order of the files."""
    return [
        criterion.name
        for service in loaded.services
        for criterion in service.criteria
        if criterion.measure in COMPARED and parse_target(criterion.target).unit is Unit.BASELINE
    ]


def _missing(loaded: Loaded, found: Sequence[dict[str, Any]]) -> list[str]:
    recorded = {each["criterion"] for each in found}
    return [name for name in compared(loaded) if name not in recorded]


def _known(settings: Settings) -> list[dict[str, Any]]:
    from figwatch_agent.report.told import baseline_document
    from figwatch_agent.store.writer import open_inbox

    if Path(settings.state).is_file():
        with open_inbox(settings.state) as inbox:
            return [baseline_document(each) for each in inbox.baselines()]
    found: list[dict[str, Any]] = client_of(settings.web).get("/api/v1/baselines")["baselines"]
    return found


def _instant(option: str, text: str | None) -> None:
    if text is None:
        return
    try:
        parse_instant(text)
    except (ValueError, OverflowError) as error:
        raise click.BadParameter(str(error), param_hint=option) from None
