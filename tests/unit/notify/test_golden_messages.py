"""What each receiver is sent for each kind of page, byte for byte."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from figwatch_agent.durations import MINUTE, SECOND
from figwatch_agent.model.decision import DecisionOutcome, Reason
from figwatch_agent.model.effect import DeliveryState, RollbackState
from figwatch_agent.model.incident import Incident, RollbackRun, RollbackVerdict
from figwatch_agent.model.journal import Delivery
from figwatch_agent.model.page import OutboxRow, PageKind
from figwatch_agent.notify.document import document
from figwatch_agent.notify.message import Message, message_for
from figwatch_agent.notify.pagerduty import event
from figwatch_agent.notify.slack import payload
from support.model_values import NOON, a_decision, a_page, an_incident
from support.notify import GOLDEN, told

ROUTE = "/api/v1/chat"
RENDER: dict[str, Callable[[Delivery, Message], dict[str, object]]] = {
    "pagerduty": lambda delivery, message: event(delivery, message, "0123456789abcdef0123456789abcdef"),
    "slack": lambda delivery, message: payload(message),
    "webhook": document,
}


def failing() -> Incident:
    """Chat fails, and the guard lets the rollback pass."""
    return an_incident("ai-assistant:/api/v1/chat:1")


def rolled_back() -> Incident:
    """It was sent back to legacy, and that helped."""
    run = RollbackRun(
        id="ai-assistant:/api/v1/chat:1/rollback",
        plan="chat-to-legacy",
        decided_at=NOON + 1 * SECOND,
        state=RollbackState.DONE,
        done_at=NOON + 3 * SECOND,
        verdict=RollbackVerdict.HELPED,
        verified_at=NOON + 20 * SECOND,
    )
    return replace(failing(), rollback=run, paged_at=NOON + 2 * SECOND)


def resolved() -> Incident:
    """It is over, and somebody had seen it."""
    alerts = tuple(replace(alert, resolved_at=NOON + 5 * MINUTE) for alert in failing().alerts)
    return replace(
        rolled_back(),
        alerts=alerts,
        acknowledged_at=NOON + 30 * SECOND,
        acknowledged_by="operator@workstation",
        mitigated_at=NOON + 4 * SECOND,
        resolved_at=NOON + 5 * MINUTE,
    )


def withheld() -> Incident:
    """Legacy fails alike: nothing is rolled back."""
    decision = replace(a_decision(outcome=DecisionOutcome.WITHHELD), reason=Reason.SHARED_CAUSE)
    return replace(failing(), decision=decision)


STORIES: dict[str, tuple[PageKind, Incident, str, str]] = {
    "trigger": (
        PageKind.TRIGGER,
        failing(),
        f"{ROUTE}: 50% of requests fail since 12:00 UTC; figwatch sends it back to legacy",
        "figwatch sends the route back to legacy now, by the plan chat-to-legacy.",
    ),
    "withheld": (
        PageKind.TRIGGER,
        withheld(),
        f"{ROUTE}: 50% of requests fail since 12:00 UTC; a rollback would not help",
        "figwatch withholds the rollback: legacy fails alike, so the cause is shared.",
    ),
    "update": (
        PageKind.UPDATE,
        rolled_back(),
        f"{ROUTE} is back on legacy, and that helped",
        "The route was sent back to legacy; figwatch goes on watching it.",
    ),
    "resolve": (PageKind.RESOLVE, resolved(), f"{ROUTE} is well again after 5 min", "Nothing more is to be done."),
}


def delivery_of(story: str) -> Delivery:
    """The story's page, about to be sent."""
    kind, incident, headline, action = STORIES[story]
    page = replace(
        a_page(kind, incident=incident, action=action),
        headline=headline,
        status_url="https://figwatch.example.com/incidents/ai-assistant%3A%2Fapi%2Fv1%2Fchat%3A1",
        facts=None if kind is PageKind.RESOLVE else a_page().facts,
    )
    row = OutboxRow(id=f"{incident.id}/1/oncall", receiver="oncall", incident=incident.id, page=page)
    return Delivery(row=row, state=DeliveryState.SENDING, attempts=1, created_at=NOON, next_at=0)


@pytest.mark.parametrize("receiver", RENDER)
@pytest.mark.parametrize("story", STORIES)
def test_a_page_reads_as_it_was_agreed(receiver: str, story: str) -> None:
    delivery = delivery_of(story)
    rendered = told(RENDER[receiver](delivery, message_for(delivery, NOON + SECOND)))
    golden = GOLDEN / f"{receiver}-{story}.json"
    assert rendered == golden.read_text("utf-8"), f"write what is right to {golden}"
