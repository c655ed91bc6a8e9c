"""``figwatch notify test``: does a page reach the people it is for?"""

import asyncio
import uuid
from collections.abc import Sequence
from difflib import get_close_matches

import click

from figwatch_agent.commands._options import (
    config_option,
    dry_run_option,
    examples,
    loaded_from,
    output_option,
    say_json,
)
from figwatch_agent.durations import Instant
from figwatch_agent.files.secrets import read_secret
from figwatch_agent.model.effect import DeliveryState
from figwatch_agent.model.incident import Incident, IncidentKind
from figwatch_agent.model.journal import Delivery, DeliveryResult, DeliveryResultKind
from figwatch_agent.model.names import Severity
from figwatch_agent.model.page import OutboxRow, Page, PageKind
from figwatch_agent.model.settings import Receiver, Settings


@click.group(name="notify")
def command() -> None:
    """Send a test message to the receivers."""


@command.command(name="test", epilog=examples("figwatch notify test", "figwatch notify test oncall --dry-run"))
@click.argument("receiver", required=False)
@config_option
@dry_run_option
@output_option
@click.pass_context
def test_(context: click.Context, receiver: str | None, config: str, dry_run: bool, output: str) -> None:
    """Send one message, marked as information, to RECEIVER or to all of them. Exits 1 if one does not take it."""
    settings = loaded_from(config).settings
    receivers = _chosen(settings, receiver)
    if dry_run:
        names = [each.name for each in receivers]
        say_json({"would_send_to": names}) if output == "json" else click.echo(f"Would send to {', '.join(names)}")
        return
    results = asyncio.run(_send(settings, receivers))
    if output == "json":
        say_json({"results": [_plain(each, result) for each, result in zip(receivers, results, strict=True)]})
    else:
        for each, result in zip(receivers, results, strict=True):
            click.echo(f"{each.name}: {_in_words(result)}")
    context.exit(0 if all(result.kind is DeliveryResultKind.ACCEPTED for result in results) else 1)


def _chosen(settings: Settings, name: str | None) -> tuple[Receiver, ...]:
    if not settings.receivers:
        raise click.ClickException(
            f"{settings.path} names no receivers: nobody is told of anything; add one under receivers"
        )
    if name is None:
        return settings.receivers
    names = [each.name for each in settings.receivers]
    if name not in names:
        near = get_close_matches(name, names, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}"
        raise click.BadParameter(f"there is no receiver {name!r}: {hint}", param_hint="RECEIVER")
    return tuple(each for each in settings.receivers if each.name == name)


async def _send(settings: Settings, receivers: Sequence[Receiver]) -> list[DeliveryResult]:
    from figwatch_agent.clock import AnchoredClock
    from figwatch_agent.notify.build import notifier_for, open_session

    clock = AnchoredClock()
    async with open_session() as session:
        notifiers = [notifier_for(each, session, read_secret, clock) for each in receivers]
        external = settings.web.external_url
        deliveries = [test_delivery(external, each, f"test-{uuid.uuid4().hex}", clock.now()) for each in receivers]
        sending = (one.deliver(what) for one, what in zip(notifiers, deliveries, strict=True))
        return await asyncio.gather(*sending)


def test_delivery(external_url: str | None, receiver: Receiver, test: str, now: Instant) -> Delivery:
    """What is sent to ``receiver``; ``test`` is the id under which it stands there."""
    page = Page(
        kind=PageKind.INFORMATION,
        headline=f"Test message from figwatch to {receiver.name}: nothing is wrong",
        incident=_no_incident(test, now),
        group=test,
        severity=Severity.TICKET,
        at=now,
        facts=None,
        action="Nothing: a person asked with `figwatch notify test` whether messages arrive.",
        runbook_url="",
        status_url=None,
        overview_url=external_url,
    )
    row = OutboxRow(id=f"{test}/1/{receiver.name}", receiver=receiver.name, incident=test, page=page)
    return Delivery(row=row, state=DeliveryState.SENDING, attempts=1, created_at=now, next_at=now)


def _no_incident(name: str, now: Instant) -> Incident:
    return Incident(
        id=name,
        kind=IncidentKind.AGENT,
        migration="",
        service="figwatch",
        route="",
        severity=Severity.TICKET,
        impact_start=now,
        detected_at=now,
        alerts=(),
    )


def _in_words(result: DeliveryResult) -> str:
    if result.kind is DeliveryResultKind.ACCEPTED:
        return "accepted"
    return f"NOT accepted ({result.reason}): {' '.join(part for part in (_sentence(result), result.detail) if part)}"


def _sentence(result: DeliveryResult) -> str:
    from figwatch_agent.notify.reasons import DeliveryReason

    return DeliveryReason(result.reason).sentence if result.reason in set(DeliveryReason) else ""


def _plain(receiver: Receiver, result: DeliveryResult) -> dict[str, object]:
    return {
        "receiver": receiver.name,
        "result": result.kind.value,
        "reason": result.reason or None,
        "detail": result.detail or None,
    }
