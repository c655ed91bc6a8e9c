"""``figwatch backtest``: the same history under two versions of slo/, page for page."""

import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

import click
from click.core import ParameterSource

from figwatch_agent.commands._history import (
    Services,
    bare_settings,
    read_by,
    read_for,
    replayed,
)
from figwatch_agent.commands._options import config_option, examples, loaded_from, say_json
from figwatch_agent.commands._span import Span, history_options
from figwatch_agent.durations import MINUTE, Duration, Instant
from figwatch_agent.files.incident_list import read_incidents
from figwatch_agent.files.load import load_slo_files
from figwatch_agent.files.sweep import read_sweep, swept
from figwatch_agent.model.backtested import Backtested, Judged
from figwatch_agent.model.batch import Reading
from figwatch_agent.model.labelled import Labelled, Swept
from figwatch_agent.model.names import DataPlan
from figwatch_agent.model.past import History
from figwatch_agent.model.plan import HttpCall, LegacyFitness, RollbackPlan, Verification, plan_questions
from figwatch_agent.model.replayed import Replayed
from figwatch_agent.model.settings import Settings
from figwatch_agent.report.backtest import backtest_document, difference, judged
from figwatch_agent.report.backtest_text import backtest_markdown, backtest_text

DIFFERS: Final = 4
"""Exit code where the pages differ in the way that --fail-on names."""

ASSUMED: Final = (
    "legacy was fit, its copy of the data was not behind and nobody changed the gateway whenever that was asked; a "
    "history holds no probes",
    "legacy could carry the traffic; a history of counters is not weighed against its capacity",
    "a rollback is told and not carried out: what it would have changed is not in the history",
)

_FILE: Final = click.Path(exists=True, dir_okay=False)


@click.command(
    name="backtest",
    epilog=examples(
        "figwatch backtest --base main/slo/chat.yaml --head slo/chat.yaml --history metrics.om.gz --output markdown",
        "figwatch backtest --base slo/chat.yaml --history metrics.om --sweep 1h.share=1%,2%,5% --incidents past.csv",
    ),
)
@click.option("--base", required=True, multiple=True, type=_FILE, help="A file of slo/ as it is now.")
@click.option("--head", multiple=True, type=_FILE, help="A file of slo/ as it would be.")
@history_options
@click.option("--sweep", multiple=True, metavar="KEY=VALUES", help="Try thresholds, such as objective=99%,99.9%.")
@click.option("--incidents", type=_FILE, help="CSV of past incidents: start,end,route,rollback_right.")
@click.option(
    "--fail-on",
    type=click.Choice(["any", "new-pages", "lost-pages", "none"]),
    default="any",
    show_default=True,
    help="Which difference of pages ends with exit code 4.",
)
@config_option
@click.option(
    "--output",
    type=click.Choice(["text", "json", "markdown"]),
    default="text",
    show_default=True,
    help="Form of the answer.",
)
@click.pass_context
def command(
    context: click.Context,
    base: tuple[str, ...],
    head: tuple[str, ...],
    history: tuple[Path, ...],
    prometheus: str | None,
    start: Instant | None,
    end: Instant | None,
    step: Duration | None,
    tick: Duration | str | None,
    sweep: tuple[str, ...],
    incidents: str | None,
    fail_on: str,
    config: str,
    output: str,
) -> None:
    """Tell what would have paged over a history under --base and under --head, what differs, and what it spent.

    With --sweep, thresholds of --head (or of --base alone) are tried one by one. With --incidents, pages and rollbacks
    are held against what people remember. Exits 4 where pages differ in the way that --fail-on names.
    """
    if not history and prometheus is None:
        raise click.UsageError("name one of --history FILE and --prometheus URL")
    given = context.get_parameter_source("config") is not ParameterSource.DEFAULT
    settings = loaded_from(config).settings if given else bare_settings()
    old, new = _services(base), _services(head) if head else None
    labels = read_incidents(incidents) if incidents is not None else None
    tried = [each for text in sweep for each in _values(text)]
    span = Span(start=start, end=end, step=step, tick=tick)
    past = read_for((*old, *(new or ())), settings, read_by(history, prometheus, settings, span))
    found = _Backtest(settings, past, span, labels).run(old, new, tried)
    _say(found, output)
    if found.head is not None and difference(found.base, found.head).fails(fail_on):
        context.exit(DIFFERS)


class _Backtest:
    """One history, under as many promises as there are."""

    def __init__(self, settings: Settings, history: History, span: Span, labels: tuple[Labelled, ...] | None) -> None:
        self._settings = settings
        self._history = history
        self._span = span
        self._labels = labels

    def run(self, base: Services, head: Services | None, tried: list[Swept]) -> Backtested:
        """All of them; labels are counted that lie in the time that the base was replayed over."""
        first = self._replayed("base", base)
        outside = 0
        if self._labels is not None:
            inside = tuple(each for each in self._labels if _inside(each, first.start, first.end))
            outside, self._labels = len(self._labels) - len(inside), inside
        return Backtested(
            base=judged("base", first, self._labels),
            head=None if head is None else self._judged("head", head),
            sweep=tuple(self._swept(head if head is not None else base, each) for each in tried),
            labels=self._labels,
            outside=outside,
            assumptions=ASSUMED,
        )

    def _judged(self, name: str, services: Services, tried: Swept | None = None, *notices: str) -> Judged:
        return judged(name, self._replayed(name, services), self._labels, tried, notices)

    def _replayed(self, name: str, services: Services) -> Replayed:
        settings = self._assumed(services)
        return replayed(services, settings, self._history, self._span, name, partial(assumed_readings, settings))

    def _swept(self, services: Services, tried: Swept) -> Judged:
        try:
            changed, notices = swept(services, tried)
        except ValueError as error:
            raise click.UsageError(f"--sweep: {error}") from None
        name = f"{tried.key}={tried.value}"
        return self._judged(name, changed, tried, *(f"{name}: {notice}" for notice in notices))

    def _assumed(self, services: Services) -> Settings:
        """The settings, with a plan for every name of one that no figwatch.yaml explains."""
        rollback = self._settings.rollback
        known = {plan.name for plan in rollback.plans}
        named = dict.fromkeys(
            route.rollback for service in services for route in service.routes if route.rollback is not None
        )
        plans = (*rollback.plans, *(_plan(name) for name in named if name not in known))
        return replace(self._settings, rollback=replace(rollback, plans=plans))


def assumed_readings(settings: Settings, now: Instant) -> tuple[Reading, ...]:
    """Answers to everything that plans ask, as good as they can be."""
    return tuple(
        Reading(
            name=question.name,
            at=now,
            ok=True,
            detail="assumed, a history holds no answers",
            value='{"seconds":0}' if question.valued else "",
        )
        for plan in settings.rollback.plans
        for question in plan_questions(plan)
    )


def _plan(name: str) -> RollbackPlan:
    return RollbackPlan(
        name=name,
        data=DataPlan.STATELESS,
        legacy=LegacyFitness(probe=HttpCall(method="GET", url="assumed:legacy")),
        gateway=None,
        steps=(),
        verify=Verification(slo="", within=MINUTE),
    )


def _inside(label: Labelled, start: Instant | None, end: Instant | None) -> bool:
    return start is not None and end is not None and label.end >= start and label.start <= end


def _services(paths: tuple[str, ...]) -> Services:
    services, notices = load_slo_files(paths)
    for notice in notices:
        click.echo(f"{notice.path}:{notice.line}: {notice.message}", err=True)
    return services


def _values(text: str) -> tuple[Swept, ...]:
    try:
        return read_sweep(text)
    except ValueError as error:
        raise click.UsageError(f"--sweep: {error}") from None


def _say(found: Backtested, output: str) -> None:
    if output == "json":
        say_json(backtest_document(found))
    else:
        click.echo(backtest_markdown(found) if output == "markdown" else backtest_text(found), nl=False)
    sys.stdout.flush()
