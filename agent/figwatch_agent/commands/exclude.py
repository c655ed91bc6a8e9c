"""``figwatch exclude``: set maintenance aside, so that it counts neither for nor against a promise."""

from typing import Any

import click

from figwatch_agent.commands._agent import client_of
from figwatch_agent.commands._completion import routes
from figwatch_agent.commands._options import (
    config_option,
    dry_run_option,
    examples,
    loaded_from,
    output_option,
    say_json,
)
from figwatch_agent.commands._wishes import Wish, actor, send
from figwatch_agent.durations import Instant, format_instant, parse_instant
from figwatch_agent.model.command import CommandKind
from figwatch_agent.model.exclusion import Scope
from figwatch_agent.report.summary import Table
from figwatch_agent.report.words import NOTHING, visible


@click.group(name="exclude")
def command() -> None:
    """Set maintenance aside, before or after the fact, with who answers for it and why."""


@command.command(
    epilog=examples(
        "figwatch exclude add --route /api/v1/chat --from 2026-11-22T22:00:00Z --to 2026-11-22T23:00:00Z "
        '--who ann --why "database upgrade"',
        'figwatch exclude add --service chat --open --who ann --why "moving the cluster"',
    )
)
@click.option("--route", metavar="TEMPLATE", shell_complete=routes, help="Every SLO on this route.")
@click.option("--slo", metavar="NAME", help="This SLO, on all its routes.")
@click.option("--service", metavar="NAME", help="Every SLO of this service, uptime included.")
@click.option("--from", "begins", metavar="TIME", help="ISO 8601 with its offset, past or ahead; now without it.")
@click.option("--to", "ends", metavar="TIME", help="When it ends or ended.")
@click.option("--open", "left_open", is_flag=True, help="Nobody knows the end yet: `figwatch exclude end` says it.")
@click.option("--who", default=None, help="Who answers for it; you, without it.")
@click.option("--why", required=True, help="Why; remembered, and shown beside every figure that it changes.")
@config_option
@dry_run_option
@output_option
def add(
    route: str | None,
    slo: str | None,
    service: str | None,
    begins: str | None,
    ends: str | None,
    left_open: bool,
    who: str | None,
    why: str,
    config: str,
    dry_run: bool,
    output: str,
) -> None:
    """Count nothing for or against a promise for a while: events leave both good and total, and are kept beside.

    No alert fires on what is excluded, and none that fires is resolved by it.
    """
    scope, name = _scope(route, slo, service)
    if (ends is None) is not left_open:
        raise click.UsageError("give --to, or --open while nobody knows the end")
    begun, ended = _instant(begins, "--from"), _instant(ends, "--to")
    if begun is not None and ended is not None and ended <= begun:
        raise click.BadParameter("it ends before it begins", param_hint="--to")
    said = {
        "scope": scope.value,
        "from": "" if begun is None else format_instant(begun),
        "to": "" if ended is None else format_instant(ended),
        "who": who or actor(),
    }
    data = tuple((key, value) for key, value in sorted(said.items()) if value)
    wish = Wish(kind=CommandKind.EXCLUDE, subject=name, why=why, data=data)
    send(wish, config=config, dry_run=dry_run, output=output)


@command.command(epilog=examples("figwatch exclude end exc-1a2b3c4d"))
@click.argument("id_", metavar="ID")
@click.option("--why", default="", help="A note that is remembered.")
@config_option
@dry_run_option
@output_option
def end(id_: str, why: str, config: str, dry_run: bool, output: str) -> None:
    """End exclusion ID now. What was counted aside stays aside; one that has not begun is withdrawn."""
    wish = Wish(kind=CommandKind.END_EXCLUSION, subject=id_, why=why)
    send(wish, config=config, dry_run=dry_run, output=output)


@command.command(name="list", epilog=examples("figwatch exclude list"))
@config_option
@output_option
def list_(config: str, output: str) -> None:
    """List exclusions with their declared and their counted times, newest first."""
    found = client_of(loaded_from(config).settings.web).get("/api/v1/exclusions")["exclusions"]
    if output == "json":
        say_json({"exclusions": found})
        return
    from figwatch_agent.commands._screen import draw

    draw("", (_table(found),))


def _scope(route: str | None, slo: str | None, service: str | None) -> tuple[Scope, str]:
    given = [(Scope.ROUTE, route), (Scope.SLO, slo), (Scope.SERVICE, service)]
    named = [(scope, name) for scope, name in given if name]
    if len(named) != 1:
        raise click.UsageError("give one of --route, --slo and --service")
    return named[0]


def _instant(text: str | None, option: str) -> Instant | None:
    if text is None:
        return None
    try:
        return parse_instant(text)
    except (ValueError, OverflowError) as error:
        raise click.BadParameter(str(error), param_hint=option) from None


def _table(found: list[dict[str, Any]]) -> Table:
    rows = [
        (
            one["id"],
            one["state"],
            visible(f"{one['scope']} {one['name']}"),
            one["from"],
            one["to"] or "open",
            f"{one['counted_from']} to {one['counted_to'] or NOTHING}",
            visible(one["who"]),
            visible(one["why"]),
        )
        for one in found
    ]
    return Table(
        title="Exclusions",
        columns=("id", "state", "of", "from", "to", "counted", "who", "why"),
        rows=tuple(rows),
        empty="nothing was ever excluded.",
    )
