"""``figwatch rollback``: what was decided, what was done, and a person's word on it."""

from typing import Any

import click

from figwatch_agent.commands._completion import incidents, routes
from figwatch_agent.commands._kept import Kept, kept
from figwatch_agent.commands._options import (
    config_option,
    dry_run_option,
    examples,
    loaded_from,
    output_option,
    say_json,
)
from figwatch_agent.commands._wishes import Wish, send
from figwatch_agent.model.command import CommandKind
from figwatch_agent.model.settings import Settings
from figwatch_agent.report.records import step_document
from figwatch_agent.report.summary import Table, decision_in_words
from figwatch_agent.report.words import NOTHING, visible


@click.group(name="rollback")
def command() -> None:
    """List, show and approve rollbacks; re-arm a route after one."""


@command.command(name="list", epilog=examples("figwatch rollback list"))
@config_option
@output_option
def list_(config: str, output: str) -> None:
    """List rollbacks, those that await approval first."""
    found = kept(loaded_from(config).settings)
    awaiting = [incident for incident in found.incidents if incident["open"] and _awaits(incident)]
    if output == "json":
        say_json({"awaiting_approval": awaiting, "rollbacks": found.rollbacks})
        return
    from figwatch_agent.commands._screen import draw

    draw("", (_awaiting_table(awaiting), _done_table(found)))


@command.command(epilog=examples("figwatch rollback show inc-1a2b3c4d", "figwatch rollback show /api/v1/chat"))
@click.argument("id_", metavar="ID", shell_complete=incidents)
@config_option
@output_option
def show(id_: str, config: str, output: str) -> None:
    """Show the decision, the plan and the journal of ID: an incident, its route, or a rollback."""
    settings = loaded_from(config).settings
    found = kept(settings)
    incident = _incident(found, id_)
    run = found.rollback(incident["id"])
    steps = run["steps"] if run is not None else _planned(settings, incident)
    if output == "json":
        say_json({"incident": incident, "rollback": run, "steps": steps})
        return
    from figwatch_agent.commands._screen import draw

    draw(_told(incident), (_conditions_table(incident), _steps_table(steps), _journal_table(run)))
    if _awaits(incident):
        digest = incident["decision"]["plan_digest"]
        click.echo(f"\nTo approve it as shown: figwatch rollback approve {incident['id']} --plan-digest {digest}")


@command.command(epilog=examples("figwatch rollback approve inc-1a2b3c4d"))
@click.argument("incident", metavar="ID", shell_complete=incidents)
@click.option("--plan-digest", help="As `figwatch rollback show` gave it; without it, the plan as it stands now.")
@click.option("--why", default="", help="A note that is remembered.")
@config_option
@dry_run_option
@output_option
def approve(incident: str, plan_digest: str | None, why: str, config: str, dry_run: bool, output: str) -> None:
    """Approve the rollback that incident ID awaits. The guard is asked again before anything is done."""
    found = _incident(kept(loaded_from(config).settings), incident)
    if not _awaits(found):
        raise click.ClickException(f"nothing awaits approval at {incident}: see `figwatch rollback list`")
    digest = plan_digest or found["decision"]["plan_digest"]
    wish = Wish(kind=CommandKind.APPROVE, subject=found["id"], why=why, plan_digest=digest)
    send(wish, config=config, dry_run=dry_run, output=output)


@command.command(name="re-arm", epilog=examples('figwatch rollback re-arm /api/v1/chat --why "fixed in 1.4.2"'))
@click.argument("route", shell_complete=routes)
@click.option("--why", default="", help="A note that is remembered.")
@config_option
@dry_run_option
@output_option
def rearm(route: str, why: str, config: str, dry_run: bool, output: str) -> None:
    """Allow ROUTE to be rolled back automatically again. After a rollback it is latched until a person says this."""
    wish = Wish(kind=CommandKind.REARM, subject=route, why=why)
    send(wish, config=config, dry_run=dry_run, output=output)


def _awaits(incident: dict[str, Any]) -> bool:
    decision = incident["decision"]
    return decision is not None and decision["outcome"] == "awaiting_approval" and incident["rollback"] is None


def _incident(found: Kept, name: str) -> dict[str, Any]:
    incident = found.incident(name)
    if incident is None:
        raise click.ClickException(
            f"there is no incident, no rollback and no incident of a route {name!r}: see `figwatch status`"
        )
    return incident


def _planned(settings: Settings, incident: dict[str, Any]) -> list[dict[str, object]]:
    """The steps of the plan that was decided on, as figwatch.yaml has them now; its digest tells if they changed."""
    name = incident["decision"]["plan"] if incident["decision"] is not None else None
    plan = next((plan for plan in settings.rollback.plans if plan.name == name), None)
    return [] if plan is None else [step_document(step) for step in plan.steps]


def _told(incident: dict[str, Any]) -> str:
    decision, run = incident["decision"], incident["rollback"]
    lines = [f"{incident['id']}: {visible(incident['route'])}, {'OPEN' if incident['open'] else 'resolved'}"]
    if decision is not None:
        about = f", plan {visible(decision['plan'])} ({decision['plan_digest']})" if decision["plan"] else ""
        lines.append(f"Decision: {decision_in_words(decision)}, at {decision['at']}{about}")
    if run is not None:
        lines.append(
            f"Rollback: {run['state']}, {run['verdict']}{': ' + visible(run['detail']) if run['detail'] else ''}"
        )
    return "\n".join(lines)


def _awaiting_table(awaiting: list[dict[str, Any]]) -> Table:
    rows = [
        (one["id"], visible(one["route"]), visible(one["decision"]["plan"]), one["decision"]["at"]) for one in awaiting
    ]
    return Table(
        title="Awaiting approval",
        columns=("incident", "route", "plan", "decided at"),
        rows=tuple(rows),
        empty="no rollback awaits a person's word.",
    )


def _done_table(found: Kept) -> Table:
    rows = []
    for one in found.rollbacks:
        incident = found.incident(one["incident"])
        run = incident["rollback"] if incident is not None else None
        verdict = run["verdict"] if run is not None else NOTHING
        rows.append((one["id"], visible(one["route"]), one["plan"], one["state"], verdict, one["decided_at"]))
    return Table(
        title="Rollbacks",
        columns=("id", "route", "plan", "state", "verdict", "decided at"),
        rows=tuple(rows),
        empty="none was decided.",
    )


def _conditions_table(incident: dict[str, Any]) -> Table:
    conditions = incident["decision"]["conditions"] if incident["decision"] is not None else []
    rows = [(one["name"], one["holds"], visible(one["evidence"])) for one in conditions]
    return Table(
        title="Would it help, and is it allowed?",
        columns=("condition", "holds", "evidence"),
        rows=tuple(rows),
        empty="the guard was not asked.",
    )


def _steps_table(steps: list[dict[str, object]]) -> Table:
    rows = [(visible(one["id"]), str(one["repeat"]), visible(one["call"])) for one in steps]
    return Table(
        title="Steps", columns=("step", "repeat", "call"), rows=tuple(rows), empty="the plan is not known here."
    )


def _journal_table(run: dict[str, Any] | None) -> Table:
    entries = run["journal"] if run is not None else []
    rows = [(one["at"], visible(one["step"]), one["state"], visible(one["detail"]) or NOTHING) for one in entries]
    return Table(
        title="Journal", columns=("at", "step", "state", "detail"), rows=tuple(rows), empty="nothing was done."
    )
