"""Everything figwatch says to people, as stories: the page of each, written by the code that writes it in earnest."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from figwatch_agent.commands.notify import test_delivery
from figwatch_agent.durations import MINUTE, SECOND, Instant
from figwatch_agent.engine.wording import action, headline
from figwatch_agent.model.decision import DecisionOutcome, Reason
from figwatch_agent.model.effect import DeliveryState, RollbackState
from figwatch_agent.model.incident import Incident, IncidentKind, RollbackVerdict
from figwatch_agent.model.journal import Delivery
from figwatch_agent.model.names import AlertName, Severity
from figwatch_agent.model.page import Facts, OutboxRow, Page, PageKind
from figwatch_agent.model.settings import Webhook
from figwatch_agent.notify.document import document
from figwatch_agent.notify.message import Message, message_for
from figwatch_agent.notify.pagerduty import event
from figwatch_agent.notify.slack import payload
from figwatch_agent.notify.slack_bot import EDIT, EDITS, POST, edit, in_channel, post
from figwatch_agent.notify.stale import as_information
from support.message_incidents import (
    AFTER_FACTS,
    BROKEN,
    FEW_FACTS,
    NOW_FACTS,
    ROUTE,
    SHARED_FACTS,
    SLOW_FACTS,
    STILL_FACTS,
    a_signal,
    an_alert,
    failing,
    over,
    rolled_back,
    slow_burn,
)
from support.model_values import NOON
from support.notify import receiver

ROUTING_KEY: Final = "0123456789abcdef0123456789abcdef"
CHANNEL: Final = "C0123ABCD"
THREAD: Final = "1795348801.000100"
EXTERNAL: Final = "https://figwatch.example.com"


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One thing that is said, and the name it has in file names."""

    name: str
    about: str  # one sentence for the documentation
    delivery: Delivery
    now: Instant


def page(
    kind: PageKind, incident: Incident, facts: Facts | None = NOW_FACTS, at: Instant = NOON, slow: bool = False
) -> Page:
    """The page as the engine writes it."""
    return Page(
        kind=kind,
        headline=headline(kind, incident, facts, slow),
        incident=incident,
        group=incident.id if incident.severity is Severity.PAGE else f"{incident.id}/ticket",
        severity=incident.severity,
        at=at,
        facts=facts,
        action=action(incident),
        runbook_url=f"{EXTERNAL}/runbooks/{incident.alerts[-1].name.value}",
        status_url=f"{EXTERNAL}/incidents/{incident.id}",
        overview_url=EXTERNAL,
    )


def delivery(of: Page, number: int = 1, **changes: Any) -> Delivery:
    """The page's row, about to be sent."""
    row = OutboxRow(
        id=f"{of.incident.id}/{number}/oncall/{of.severity.value}", receiver="oncall", incident=of.incident.id, page=of
    )
    made = Delivery(row=row, state=DeliveryState.SENDING, attempts=1, created_at=of.at, next_at=0)
    return replace(made, **changes)


def _pages() -> list[tuple[str, str, Delivery]]:
    trigger, update, resolve = PageKind.TRIGGER, PageKind.UPDATE, PageKind.RESOLVE
    good = failing(DecisionOutcome.ROLLBACK, Reason.CONDITIONS_HOLD)
    helped = rolled_back(RollbackVerdict.HELPED)
    return [
        ("page", "A page: every condition holds, and figwatch sends the route back.", delivery(page(trigger, good))),
        (
            "page-slow",
            "The same for a promise about latency.",
            delivery(
                page(
                    trigger,
                    replace(good, alerts=(an_alert(AlertName.LATENCY_DEGRADED, slo="chat-latency"),)),
                    slow=True,
                )
            ),
        ),
        (
            "dry-run",
            "The mode is dry-run: what would be done.",
            delivery(page(trigger, failing(DecisionOutcome.DRY_RUN, Reason.DRY_RUN))),
        ),
        (
            "approval",
            "The mode is approve: a person is asked.",
            delivery(page(trigger, failing(DecisionOutcome.AWAITING_APPROVAL, Reason.AWAITING_APPROVAL))),
        ),
        (
            "open",
            "A first page before the sides can be compared: nothing was refused, the decision follows.",
            delivery(page(trigger, failing(DecisionOutcome.WITHHELD, Reason.COMPARISON_UNDECIDED), FEW_FACTS)),
        ),
        *(
            (
                f"withheld-{reason.value.replace('_', '-')}",
                "No rollback, and why.",
                delivery(
                    page(
                        trigger,
                        failing(DecisionOutcome.WITHHELD, reason),
                        SHARED_FACTS if reason is Reason.SHARED_CAUSE else NOW_FACTS,
                    )
                ),
            )
            for reason in BROKEN
            if reason is not Reason.COMPARISON_UNDECIDED
        ),
        (
            "ticket",
            "A ticket: the budget leaks slowly.",
            delivery(page(trigger, slow_burn(), SLOW_FACTS)),
        ),
        (
            "ticket-agent",
            "figwatch about itself: a receiver refuses what it is sent.",
            delivery(
                page(
                    trigger,
                    a_signal(AlertName.DELIVERY_FAILING, IncidentKind.AGENT, "receiver chat-ops", "figwatch"),
                    None,
                )
            ),
        ),
        (
            "ticket-traffic",
            "A route that had requests has none.",
            delivery(page(trigger, a_signal(AlertName.TRAFFIC_LOST, IncidentKind.TRAFFIC, ROUTE, "chat"), None)),
        ),
        (
            "update-helped",
            "An update: the rollback helped.",
            delivery(page(update, helped, AFTER_FACTS, NOON + 21 * SECOND), 2),
        ),
        (
            "update-ineffective",
            "An update: it did not help, a person is needed.",
            delivery(page(update, rolled_back(RollbackVerdict.INEFFECTIVE), STILL_FACTS, NOON + 24 * SECOND), 2),
        ),
        (
            "update-unverified",
            "An update: too few requests since to tell.",
            delivery(page(update, rolled_back(RollbackVerdict.UNVERIFIED), AFTER_FACTS, NOON + 2 * MINUTE), 2),
        ),
        (
            "update-needs-human",
            "An update: the rollback stopped half-way.",
            delivery(
                page(
                    update,
                    rolled_back(RollbackVerdict.PENDING, RollbackState.NEEDS_HUMAN),
                    STILL_FACTS,
                    NOON + 12 * SECOND,
                ),
                2,
            ),
        ),
        (
            "update-decided",
            "An update: what was open is decided.",
            delivery(
                page(update, failing(DecisionOutcome.WITHHELD, Reason.SHARED_CAUSE), SHARED_FACTS, NOON + 4 * SECOND), 2
            ),
        ),
        (
            "resolve",
            "The end: the data said so, with every stage.",
            delivery(page(resolve, over(helped), AFTER_FACTS, NOON + 5 * MINUTE + 12 * SECOND), 3),
        ),
        (
            "resolve-by-person",
            "The end: a person said so.",
            delivery(
                page(
                    resolve,
                    over(failing(DecisionOutcome.WITHHELD, Reason.SHARED_CAUSE), by="operator@laptop"),
                    SHARED_FACTS,
                    NOON + 5 * MINUTE + 12 * SECOND,
                ),
                3,
            ),
        ),
        (
            "information",
            "A page that was over before it could be delivered wakes nobody.",
            as_information(delivery(page(trigger, good))),
        ),
        ("repeated", "The reply to an earlier attempt was lost.", delivery(page(trigger, good), ambiguous=True)),
        (
            "fallback",
            "At the fallback, after the first receiver refused it.",
            delivery(page(trigger, good), original_receiver="pagerduty"),
        ),
        ("late", "Three quarters of an hour late.", delivery(page(trigger, good))),
        (
            "test",
            "`figwatch notify test`.",
            test_delivery(EXTERNAL, receiver(kind=Webhook(url="http://127.0.0.1:1/hook")), "test-5f2c", NOON),
        ),
    ]


def stories() -> dict[str, Story]:
    """All of them by name."""
    return {
        name: Story(
            name=name,
            about=about,
            delivery=made,
            now=made.row.page.at + (45 * MINUTE if name == "late" else SECOND),
        )
        for name, about, made in _pages()
    }


def bot_calls(delivery: Delivery, message: Message) -> list[dict[str, object]]:
    """What a bot is made to call, in order; updates and resolves find the page in its thread."""
    of, words = delivery.row.page, payload(message)
    thread = THREAD if of.kind in EDITS else ""
    calls: list[dict[str, object]] = [{"method": EDIT, "arguments": edit(CHANNEL, thread, message)}] if thread else []
    return [*calls, {"method": POST, "arguments": post(CHANNEL, thread, words, in_channel(of))}]


RECEIVERS: Final[dict[str, Callable[[Delivery, Message], object]]] = {
    "pagerduty": lambda delivery, message: event(delivery, message, ROUTING_KEY),
    "slack": lambda delivery, message: payload(message),
    "slack-bot": bot_calls,
    "webhook": document,
}
"""How each receiver is sent a message."""


def rendered(story: Story, receiver: str) -> object:
    """The document that this receiver is sent."""
    return RECEIVERS[receiver](story.delivery, message_for(story.delivery, story.now))
